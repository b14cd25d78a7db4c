/** Where a message is encoded before it goes into a ring: on the heap, or, when it is too long for that, in a block of its own. */

import type { ByteSink } from "../core/bytes.ts";
import { allocateExtent, type Extent } from "../memory/index.ts";
import { MAX_INLINE_BYTES } from "../ring/index.ts";

const SCRATCH_BYTES = 4096;

export class MessageSink implements ByteSink {
  bytes!: Uint8Array;
  view!: DataView;
  /** The same memory, as words. */
  words!: Int32Array;
  position = 0;
  limit = 0;
  /** The block that the message stands in, if it has one. */
  extent: Extent | undefined;

  constructor() {
    this.#use(new ArrayBuffer(SCRATCH_BYTES));
  }

  grow(extra: number): void {
    const needed = this.position + extra;
    const written = this.bytes.subarray(0, this.position);
    if (needed <= MAX_INLINE_BYTES) {
      this.#use(new ArrayBuffer(Math.min(MAX_INLINE_BYTES, Math.max(2 * this.limit, needed + 7)) & ~7));
      this.bytes.set(written);
      return;
    }
    const former = this.extent;
    // Pages that nobody touches cost nothing, so there may be plenty.
    this.extent = allocateExtent(former === undefined ? needed + MAX_INLINE_BYTES : 2 * needed);
    this.#use(this.extent.map());
    this.bytes.set(written);
    former?.release();
  }

  /** Gives up what the last message left, for the next one. */
  reset(): void {
    this.position = 0;
    if (this.extent === undefined) return;
    this.extent.release();
    this.extent = undefined;
    this.#use(new ArrayBuffer(SCRATCH_BYTES));
  }

  #use(buffer: ArrayBuffer): void {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer);
    this.limit = buffer.byteLength;
  }
}
