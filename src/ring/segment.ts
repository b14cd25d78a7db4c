/** A piece of a ring's memory, as this process has it mapped: an extent, shown twice, so that no record wraps. */

import { allocateExtent, type BlockRef, type Extent, openExtent, referTo, retractRef } from "../memory/index.ts";
import { SegmentSlot } from "./ring-words.ts";

export const MIN_SEGMENT_BYTES: number = 64 * 1024;
/**
 * More than a pipe holds at most: its writer then waits for room in memory that is mapped and warm, and does not go on in a new segment,
 * whose pages the kernel would have to find and clear each time round.
 */
export const MAX_SEGMENT_BYTES: number = 16 * 1024 * 1024;

export class Segment {
  readonly serial: number;
  /** The position of its first byte. */
  readonly start: number;
  readonly capacity: number;
  readonly mask: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly view: DataView;
  readonly #extent: Extent;

  constructor(extent: Extent, serial: number, start: number, capacity: number) {
    const buffer = extent.map({ mirrored: true });
    this.#extent = extent;
    this.serial = serial;
    this.start = start;
    this.capacity = capacity;
    this.mask = capacity - 1;
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.view = new DataView(buffer);
  }

  /** Makes a segment. The ring itself counts as one reference under way, until `giveUpSegment`. */
  static make(serial: number, start: number, capacity: number): { segment: Segment; ref: BlockRef } {
    const extent = allocateExtent(capacity);
    const segment = new Segment(extent, serial, start, capacity);
    return { segment, ref: extent.refer() };
  }

  /** Opens the segment in a slot. Only under the lock that keeps it from being given up meanwhile. */
  static open(words: Int32Array, slot: number, serial: number): Segment {
    const extent = openExtent(referTo(words[slot + SegmentSlot.id] as number));
    const start = words[slot + SegmentSlot.start] as number;
    return new Segment(extent, serial, start, words[slot + SegmentSlot.capacity] as number);
  }

  /** Lets go of it in this process. */
  release(): void {
    this.#extent.release();
  }
}

/** Gives a segment up that the ring has left: it is freed when the last process has let go. */
export function giveUpSegment(words: Int32Array, slot: number): void {
  const ref = {
    id: words[slot + SegmentSlot.id] as number,
    generation: words[slot + SegmentSlot.generation] as number,
  };
  if (ref.id === 0) return;
  // First of all: killed right after this, the segment is lost, but it is never given up twice.
  words[slot + SegmentSlot.id] = 0;
  retractRef(ref);
}
