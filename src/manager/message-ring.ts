/**
 * A ring of messages from one process to one other. Its bytes are mapped twice, back to back, so that each message is contiguous and is
 * encoded straight into shared memory. What is larger than half the ring goes in an extent of its own.
 *
 * | word of the counter | holds                                | written by |
 * |---------------------|--------------------------------------|------------|
 * | written             | bytes ever written, modulo 2^32      | writer     |
 * | read                | bytes ever taken, modulo 2^32        | reader     |
 *
 * A record is a header of 8 bytes (length; 1 if the message stands in an extent) and the message, padded to 8 bytes.
 */

import { type ByteSink, type ByteSource, sourceOf } from "../core/bytes.ts";
import { StateError } from "../core/errors.ts";
import { allocateExtent, arena, type Extent, openExtent } from "../memory/index.ts";

const HEADER_BYTES = 8;
const IN_EXTENT = 1;
const EXTENT_RECORD_BYTES = 16;

/** Where a ring is. */
export interface RingPlace {
  readonly bytes: Extent;
  /** Indexes into `arena().words`. */
  readonly writtenWord: number;
  readonly readWord: number;
}

/** Writes into the ring, or on the heap when the message gets too long for the room that there is. */
class RingSink implements ByteSink {
  bytes: Uint8Array;
  view: DataView;
  position = 0;
  limit = 0;
  onHeap = false;
  readonly #ringBytes: Uint8Array;
  readonly #ringView: DataView;

  constructor(ring: Uint8Array) {
    this.bytes = this.#ringBytes = ring;
    this.view = this.#ringView = new DataView(ring.buffer, ring.byteOffset, ring.byteLength);
  }

  begin(position: number, limit: number): void {
    if (this.onHeap) {
      this.bytes = this.#ringBytes;
      this.view = this.#ringView;
      this.onHeap = false;
    }
    this.position = position;
    this.limit = limit;
  }

  /** Positions stay what they are, so the front of the heap's bytes is not used. */
  grow(extra: number): void {
    const larger = new Uint8Array(Math.max(this.position * 2, this.position + extra + 1024));
    larger.set(this.bytes.subarray(0, this.position));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
    this.limit = larger.length;
    this.onHeap = true;
  }
}

/** The writing end. */
export class RingWriter {
  readonly #capacity: number;
  readonly #ring: Uint8Array;
  readonly #view: DataView;
  readonly #place: RingPlace;
  readonly #sink: RingSink;
  readonly #words = arena().words;
  /** Messages that found no room, first come first. */
  #backlog: Uint8Array[] = [];
  #writing = false;

  constructor(place: RingPlace) {
    this.#place = place;
    this.#ring = new Uint8Array(place.bytes.map({ mirrored: true }));
    this.#capacity = this.#ring.length / 2;
    this.#view = new DataView(this.#ring.buffer);
    this.#sink = new RingSink(this.#ring);
  }

  /** Bytes ever written, modulo 2^32: where the next message starts. */
  get position(): number {
    return Atomics.load(this.#words, this.#place.writtenWord);
  }

  /** Bytes that the reader has taken, modulo 2^32. */
  get readPosition(): number {
    return Atomics.load(this.#words, this.#place.readWord);
  }

  /** Messages wait for room. */
  get isBehind(): boolean {
    return this.#backlog.length > 0;
  }

  /** Writes a message; if there is no room, keeps it until `flush`. What `fill` throws goes to the caller, and nothing is written. */
  write(fill: (sink: ByteSink) => void): void {
    const written = Atomics.load(this.#words, this.#place.writtenWord);
    const start = ((written >>> 0) & (this.#capacity - 1)) + HEADER_BYTES;
    const room = this.isBehind ? 0 : this.#room(written) - HEADER_BYTES;
    const sink = this.#sink;
    // A getter of a value that is being written may come back here.
    if (this.#writing) throw new StateError("Cannot call a manager while arguments for it are being read");
    this.#writing = true;
    sink.begin(start, start + Math.max(0, Math.min(room, this.#capacity / 2)));
    try {
      fill(sink);
    } finally {
      this.#writing = false;
    }
    const byteLength = sink.position - start;
    if (!sink.onHeap) return this.#publish(written, start - HEADER_BYTES, byteLength, 0);
    const message = sink.bytes.subarray(start, sink.position);
    if (this.isBehind || !this.#writeBytes(message)) this.#backlog.push(message);
  }

  /** Writes what has waited for room. @returns true when nothing waits any more. */
  flush(): boolean {
    let done = 0;
    while (done < this.#backlog.length && this.#writeBytes(this.#backlog[done] as Uint8Array)) done += 1;
    if (done > 0) this.#backlog.splice(0, done);
    return this.#backlog.length === 0;
  }

  #writeBytes(message: Uint8Array): boolean {
    const large = message.length > this.#capacity / 2;
    const written = Atomics.load(this.#words, this.#place.writtenWord);
    if (this.#room(written) < HEADER_BYTES + (large ? EXTENT_RECORD_BYTES : align8(message.length))) return false;
    const start = (written >>> 0) & (this.#capacity - 1);
    if (!large) {
      this.#ring.set(message, start + HEADER_BYTES);
      this.#publish(written, start, message.length, 0);
      return true;
    }
    const extent = allocateExtent(message.length);
    new Uint8Array(extent.map(), 0, message.length).set(message);
    const { id, generation } = extent.refer();
    this.#view.setUint32(start + HEADER_BYTES, id, true);
    this.#view.setInt32(start + HEADER_BYTES + 4, generation, true);
    this.#view.setFloat64(start + HEADER_BYTES + 8, message.length, true);
    extent.release();
    this.#publish(written, start, EXTENT_RECORD_BYTES, IN_EXTENT);
    return true;
  }

  #publish(written: number, at: number, byteLength: number, kind: number): void {
    this.#view.setUint32(at, byteLength, true);
    this.#view.setUint32(at + 4, kind, true);
    Atomics.store(this.#words, this.#place.writtenWord, (written + HEADER_BYTES + align8(byteLength)) | 0);
  }

  #room(written: number): number {
    const used = (written - Atomics.load(this.#words, this.#place.readWord)) >>> 0;
    return this.#capacity - used;
  }
}

/** The reading end. */
export class RingReader {
  readonly #capacity: number;
  readonly #place: RingPlace;
  readonly #words = arena().words;
  readonly #source: ByteSource & { position: number; limit: number };
  #next = 0;
  #extent: Extent | undefined;

  constructor(place: RingPlace) {
    this.#place = place;
    const ring = new Uint8Array(place.bytes.map({ mirrored: true }));
    this.#capacity = ring.length / 2;
    this.#source = sourceOf(ring);
  }

  /** True when there is something to read. */
  get hasMessage(): boolean {
    const { writtenWord, readWord } = this.#place;
    return Atomics.load(this.#words, writtenWord) !== this.#words[readWord];
  }

  /** The next message, if there is one; its bytes are good until `done`, which must be called then. */
  next(): ByteSource | undefined {
    if (!this.hasMessage) return undefined;
    const read = Atomics.load(this.#words, this.#place.readWord);
    const at = (read >>> 0) & (this.#capacity - 1);
    const { view } = this.#source;
    const byteLength = view.getUint32(at, true);
    this.#next = (read + HEADER_BYTES + align8(byteLength)) | 0;
    if (view.getUint32(at + 4, true) === IN_EXTENT) return this.#openExtent(at + HEADER_BYTES);
    this.#source.position = at + HEADER_BYTES;
    this.#source.limit = at + HEADER_BYTES + byteLength;
    return this.#source;
  }

  /** Gives the room of the message back. */
  done(): void {
    this.#extent?.release();
    this.#extent = undefined;
    Atomics.store(this.#words, this.#place.readWord, this.#next);
  }

  #openExtent(at: number): ByteSource {
    const { view } = this.#source;
    this.#extent = openExtent({ id: view.getUint32(at, true), generation: view.getInt32(at + 4, true) });
    return sourceOf(new Uint8Array(this.#extent.map(), 0, view.getFloat64(at + 8, true)));
  }
}

function align8(bytes: number): number {
  return (bytes + 7) & ~7;
}
