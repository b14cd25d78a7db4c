/** Where a message is encoded before it goes into a ring: on the heap, or, when it is too long for that, in a carrier. */

import type { ByteSink } from "../core/bytes.ts";
import { type Carrier, returnCarrier, takeCarrier } from "../memory/index.ts";
import { MAX_INLINE_BYTES } from "../ring/index.ts";

const SCRATCH_BYTES = 4096;

export class MessageSink implements ByteSink {
  bytes!: Uint8Array;
  view!: DataView;
  /** The same memory, as words. */
  words!: Int32Array;
  position = 0;
  limit = 0;
  /** What the message stands in, if it is long. */
  carrier: Carrier | undefined;

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
    const former = this.carrier;
    this.carrier = takeCarrier(former === undefined ? needed : 2 * needed);
    this.carrier.expect(0, needed);
    this.#use(this.carrier.bytes.buffer);
    this.bytes.set(written);
    if (former !== undefined) returnCarrier(former, written.length);
  }

  /** Gives up what the last message left, for the next one. */
  reset(): void {
    if (this.carrier !== undefined) {
      returnCarrier(this.carrier, this.position);
      this.carrier = undefined;
      this.#use(new ArrayBuffer(SCRATCH_BYTES));
    }
    this.position = 0;
  }

  #use(buffer: ArrayBuffer): void {
    this.bytes = new Uint8Array(buffer);
    this.view = new DataView(buffer);
    this.words = new Int32Array(buffer);
    this.limit = buffer.byteLength;
  }
}
