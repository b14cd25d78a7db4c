/**
 * Carriers: extents for messages that are too long for a ring.
 *
 * A sender keeps the carriers that it has made, mapped and warm, and uses one again when everybody else has let go of it: a first
 * touch of fresh pages runs at 1.6 GB/s, a copy into warm ones at 10. What was not used for a while is given up.
 */

import { IdleTimer } from "../core/idle-timer.ts";
import { populateSharedMemory } from "../platform/index.ts";
import { allocateExtent, type Extent } from "./block.ts";
import { type BlockRef, isSoleHolder, ownersHere } from "./references.ts";

/** How much each process keeps at most, in carriers and in bytes that were touched. */
const MAX_KEPT = 16;
const MAX_KEPT_BYTES: number = 256 * 2 ** 20;
const IDLE_MS = 2000;
/** Pages that nobody touches cost nothing, so there may be plenty. */
const MIN_CAPACITY: number = 8 * 2 ** 20;
/** The extent, and its mapping. */
const OWN_HOLDS = 2;

export class Carrier {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #extent: Extent;
  /** Bytes from the start that may have been written, ever. */
  touched = 0;
  usedLately = true;

  constructor(capacity: number) {
    this.#extent = allocateExtent(capacity);
    this.bytes = new Uint8Array(this.#extent.map());
  }

  /** A reference to send; whoever receives it calls `openCarried`. */
  refer(): BlockRef {
    return this.#extent.refer();
  }

  /** True when nobody else has it, and no message in which it is named is under way. */
  get isFree(): boolean {
    const { id } = this.#extent;
    return ownersHere(id) === OWN_HOLDS && isSoleHolder(id);
  }

  /** The bytes between will be written now. */
  expect(start: number, end: number): void {
    const fresh = Math.max(start, this.touched);
    if (end > fresh) populateSharedMemory(this.bytes.subarray(fresh, end));
  }

  release(): void {
    this.#extent.release();
  }
}

/** Carriers that this process has sent, or not needed after all. */
let kept: Carrier[] = [];

/**
 * A carrier with room for so many bytes: the smallest that is free, so that short messages leave the large ones to long messages.
 * What is in it is left over from earlier messages.
 */
export function takeCarrier(byteLength: number): Carrier {
  let best: Carrier | undefined;
  for (const carrier of kept) {
    const { length } = carrier.bytes;
    if (length >= byteLength && length < (best?.bytes.length ?? Infinity) && carrier.isFree) best = carrier;
  }
  if (best === undefined) return new Carrier(capacityFor(byteLength));
  kept.splice(kept.indexOf(best), 1);
  return best;
}

/** A power of two, so that somewhat longer messages fit, too; an extent's address space is one anyway. */
function capacityFor(byteLength: number): number {
  return Math.max(MIN_CAPACITY, 2 ** Math.ceil(Math.log2(byteLength)));
}

/** Ends the sender's use of a carrier. @param touched How many of its bytes were written, from its start. */
export function returnCarrier(carrier: Carrier, touched: number): void {
  carrier.touched = Math.max(carrier.touched, touched);
  carrier.usedLately = true;
  kept.push(carrier);
  trim();
  if (kept.length > 0) idle.start();
}

/** Those that are under way will be free in their order: so those that are free now go first, and then the last one. */
function trim(): void {
  let bytes = kept.reduce((sum, { touched }) => sum + touched, 0);
  while (kept.length > MAX_KEPT || bytes > MAX_KEPT_BYTES) {
    const at = kept.findIndex(({ isFree }, i) => isFree || i === kept.length - 1);
    const [carrier] = kept.splice(at, 1) as [Carrier];
    bytes -= carrier.touched;
    carrier.release();
  }
}

/** Gives up all that is kept. What is under way lives on until it is received. */
export function releaseCarriers(): void {
  for (const carrier of kept) carrier.release();
  kept = [];
}

const idle = new IdleTimer(IDLE_MS, () => {
  for (const carrier of kept) if (!carrier.usedLately) carrier.release();
  kept = kept.filter(({ usedLately }) => usedLately);
  for (const carrier of kept) carrier.usedLately = false;
  return kept.length > 0;
});
