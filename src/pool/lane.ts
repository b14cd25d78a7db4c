/**
 * A lane: a ring buffer of records between one writer and one reader, in shared memory that is mapped twice back to back.
 *
 * With one of each no lock is needed (L. Lamport, "Proving the Correctness of Multiprocess Programs", 1977), so there is none
 * that a dead process could hold. A record is its length in bytes (a multiple of 8), its kind, and its contents; it becomes
 * visible when the writer moves the tail over it. What does not fit goes into a carrier, which the record names.
 */

import type { ByteSink, ByteSource } from "../core/bytes.ts";
import { ownCopy } from "../core/own-copy.ts";
import {
  arena,
  type BlockRef,
  type Carried,
  type Carrier,
  type Extent,
  openCarried,
  referTo,
  retractRef,
  returnCarrier,
  takeCarrier,
} from "../memory/index.ts";

/** Address space of a lane; its pages cost memory when they are first used. */
export const LANE_BYTES: number = 2 ** 21;
/** Records start only where this much is free, so a small one always fits. */
export const MIN_ROOM: number = 2 ** 16;
const HEADER = 8;
const OUTSIDE = 0x8000_0000;
/** Id, generation, start and length of what is outside. */
const OUTSIDE_BYTES = 32;

/** Where the contents of a written record are; whoever gets it gives the carrier back. */
export interface Written {
  readonly outside: Carrier | undefined;
  readonly start: number;
  readonly length: number;
}

/** Lets go of what a record stands in. */
export function letGo({ outside, start, length }: Written): void {
  if (outside !== undefined) returnCarrier(outside, start + length);
}

/** The side that writes: a sink for one record at a time, `begin` to `commit` or `abort`. */
export class LaneWriter implements ByteSink {
  bytes: Uint8Array;
  view: DataView;
  position = 0;
  limit = 0;
  readonly #ring: Uint8Array;
  readonly #ringView: DataView;
  readonly #tailWord: number;
  readonly #headWord: number;
  #tail: number;
  #head: number;
  #start = 0;
  #kind = 0;
  #outside: Carrier | undefined;

  constructor(extent: Extent, tailWord: number, headWord: number) {
    this.#ring = new Uint8Array(extent.map({ mirrored: true }));
    this.#ringView = new DataView(this.#ring.buffer);
    this.bytes = this.#ring;
    this.view = this.#ringView;
    this.#tailWord = tailWord;
    this.#headWord = headWord;
    this.#tail = Atomics.load(arena().words, tailWord) >>> 0;
    this.#head = Atomics.load(arena().words, headWord) >>> 0;
  }

  /** Bytes that are free, at least. */
  get room(): number {
    const room = LANE_BYTES - ((this.#tail - this.#head) >>> 0);
    // Where the reader was when last asked is enough while there is plenty; asking takes the line from the reader.
    if (room >= LANE_BYTES / 2) return room;
    this.#head = Atomics.load(arena().words, this.#headWord) >>> 0;
    return LANE_BYTES - ((this.#tail - this.#head) >>> 0);
  }

  /** Bytes ever written: where the next record starts. */
  get tail(): number {
    return this.#tail;
  }

  /** Starts a record. @returns false when there is not enough room: try later. */
  begin(kind: number): boolean {
    const { room } = this;
    if (room < MIN_ROOM) return false;
    this.#start = this.#tail & (LANE_BYTES - 1);
    this.#kind = kind;
    this.position = this.#start + HEADER;
    // The contents must leave room for naming a carrier.
    this.limit = this.#start + room;
    return true;
  }

  /** More than the lane has room for: moves what is written so far to a carrier. The positions stay what they are. */
  grow(extra: number): void {
    const needed = this.position + extra + MIN_ROOM;
    const carrier = takeCarrier(this.#outside === undefined ? needed : Math.max(needed, 2 * this.bytes.length));
    carrier.expect(this.#start, this.position + extra);
    const { bytes } = carrier;
    bytes.set(this.bytes.subarray(this.#start, this.position), this.#start);
    if (this.#outside !== undefined) returnCarrier(this.#outside, this.position);
    this.#outside = carrier;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.limit = bytes.length;
  }

  /** Publishes the record. @returns where its contents are. */
  commit(): Written {
    const start = this.#start;
    const contents = this.position - start - HEADER;
    const outside = this.#outside;
    let kind = this.#kind;
    let length = HEADER + contents;
    if (outside !== undefined) {
      kind = (kind | OUTSIDE) >>> 0;
      length = HEADER + OUTSIDE_BYTES;
      const { id, generation } = outside.refer();
      this.#ringView.setUint32(start + 8, id, true);
      this.#ringView.setInt32(start + 12, generation, true);
      this.#ringView.setFloat64(start + 16, start + HEADER, true);
      this.#ringView.setFloat64(start + 24, contents, true);
    }
    this.#ringView.setUint32(start, length, true);
    this.#ringView.setUint32(start + 4, kind, true);
    this.#tail = (this.#tail + ((length + 7) & ~7)) >>> 0;
    Atomics.store(arena().words, this.#tailWord, this.#tail | 0);
    if (outside !== undefined) this.#comeBack();
    return { outside, start: start + HEADER, length: contents };
  }

  /** Drops the record. */
  abort(): void {
    if (this.#outside !== undefined) returnCarrier(this.#outside, this.position);
    this.#comeBack();
  }

  /** A copy of what a record of this lane holds. It must not have been overwritten: not consumed, or just now. */
  copy({ outside, start, length }: Written): Uint8Array {
    if (outside === undefined) return ownCopy(this.#ring.subarray(start, start + length));
    return ownCopy(outside.bytes.subarray(start, start + length));
  }

  #comeBack(): void {
    this.bytes = this.#ring;
    this.view = this.#ringView;
    this.#outside = undefined;
  }
}

/** The side that reads. A record is valid from `next` to `done`. */
export class LaneReader implements ByteSource {
  bytes: Uint8Array;
  view: DataView;
  position = 0;
  limit = 0;
  /** Kind of the current record. */
  kind = 0;
  readonly #ring: Uint8Array;
  readonly #ringView: DataView;
  readonly #tailWord: number;
  readonly #headWord: number;
  #head: number;
  /** The tail when it was last asked for. */
  #tail: number;
  #length = 0;
  /** What the current record names. */
  #outside: { readonly carried: Carried; readonly ref: BlockRef } | undefined;

  constructor(extent: Extent, tailWord: number, headWord: number) {
    this.#ring = new Uint8Array(extent.map({ mirrored: true }));
    this.#ringView = new DataView(this.#ring.buffer);
    this.bytes = this.#ring;
    this.view = this.#ringView;
    this.#tailWord = tailWord;
    this.#headWord = headWord;
    this.#head = Atomics.load(arena().words, headWord) >>> 0;
    this.#tail = this.#head;
  }

  get isEmpty(): boolean {
    // The writer is asked only when no more records are known of: that line is its own.
    if (this.#tail !== this.#head) return false;
    this.#tail = Atomics.load(arena().words, this.#tailWord) >>> 0;
    return this.#tail === this.#head;
  }

  /** Goes to the next record. @returns false when there is none. */
  next(): boolean {
    if (this.isEmpty) return false;
    const start = this.#head & (LANE_BYTES - 1);
    const length = this.#ringView.getUint32(start, true);
    const kind = this.#ringView.getUint32(start + 4, true);
    this.#length = (length + 7) & ~7;
    this.kind = kind & ~OUTSIDE;
    if (kind >= OUTSIDE) this.#open(start);
    else {
      this.position = start + HEADER;
      this.limit = start + length;
    }
    return true;
  }

  /** Leaves the current record; the writer may overwrite it. Repeatable. */
  done(): void {
    if (this.#length === 0) return;
    this.#head = (this.#head + this.#length) >>> 0;
    this.#length = 0;
    Atomics.store(arena().words, this.#headWord, this.#head | 0);
    if (this.#outside === undefined) return;
    const { carried, ref } = this.#outside;
    this.bytes = this.#ring;
    this.view = this.#ringView;
    this.#outside = undefined;
    carried.close();
    retractRef(ref);
  }

  #open(start: number): void {
    const ref = refAt(this.#ringView, start);
    // By a reference of its own: the record keeps its one until it is left, should this process be killed meanwhile.
    const carried = openCarried(referTo(ref.id));
    this.#outside = { carried, ref };
    this.bytes = carried.bytes;
    this.view = carried.view;
    this.position = this.#ringView.getFloat64(start + 16, true);
    this.limit = this.position + this.#ringView.getFloat64(start + 24, true);
  }

  /** Gives back what the records that nobody will read any more refer to. Only when the other side is dead. */
  drop(): void {
    while (!this.isEmpty) {
      const start = this.#head & (LANE_BYTES - 1);
      this.#length = (this.#ringView.getUint32(start, true) + 7) & ~7;
      if (this.#ringView.getUint32(start + 4, true) >= OUTSIDE) retractRef(refAt(this.#ringView, start));
      this.done();
    }
  }
}

function refAt(view: DataView, start: number): BlockRef {
  return { id: view.getUint32(start + 8, true), generation: view.getInt32(start + 12, true) };
}
