/** The producers' side of a ring. */

import { type BlockRef, selfSlot } from "../memory/index.ts";
import { packHeader, RECORD_HEADER_BYTES, recordBytes, RecordKind } from "./record.ts";
import { lockRing, unlockRing } from "./ring-lock.ts";
import { RingWord, SegmentSlot, segmentSlot } from "./ring-words.ts";
import { MAX_SEGMENT_BYTES, MIN_SEGMENT_BYTES, Segment } from "./segment.ts";

/** What came of an attempt to write. */
export const Written = { done: 0, full: 1, noMemory: 2, closed: 3 } as const;

const LINK_BYTES: number = recordBytes(16);
const BLOCK_PAYLOAD_BYTES = 16;
/** Payloads up to this length are copied word by word, which is quicker than a call. */
const WORDWISE_BYTES = 256;
/** A new segment holds at least this many records like the one that needs it. */
const RECORDS_PER_SEGMENT = 3;
/** How often a large segment is gone through before a smaller one may take its place. */
const TURNS_BEFORE_SHRINKING = 64;
const EMPTY = new Uint8Array(0);

export class RingWriter {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #me: number;
  #segment: Segment | undefined;
  /** From where on bytes were in use at the last look. Since then readers can only have freed some. */
  #usedFrom = 0;
  /** The tail after this process's last record: if it has moved, others have written, and `#usedFrom` may be long out of date. */
  #lastTail = -1;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
    this.#me = selfSlot() + 1;
  }

  /**
   * Appends a record.
   * @param payload Its bytes; `length` of them count.
   * @param wordwise The same memory as words, from its first byte on, with room for a whole number of 8 bytes, if there is such a view.
   * @returns One of `Written`.
   */
  write(kind: number, aux: number, payload: Uint8Array = EMPTY, length = 0, wordwise?: Int32Array): number {
    const room = this.#reserve(recordBytes(length));
    if (room < 0) return -room;
    const { words, bytes } = this.#segment as Segment;
    const at = room >> 2;
    words[at] = packHeader(kind, length);
    words[at + 1] = aux;
    if (wordwise !== undefined && length <= WORDWISE_BYTES) {
      const end = at + 2 + (((length + 7) >> 3) << 1);
      for (let to = at + 2, from = 0; to < end; to++, from++) words[to] = wordwise[from] as number;
    } else if (length > 0) {
      bytes.set(payload.length === length ? payload : payload.subarray(0, length), room + RECORD_HEADER_BYTES);
    }
    this.#commit(recordBytes(length));
    return Written.done;
  }

  /** Appends a record whose payload stands in a block; the reference counts as under way until it is read. */
  writeBlock(kind: number, ref: BlockRef, byteLength: number): number {
    const words = this.#words;
    const kilobytes = Math.ceil(byteLength / 1024);
    const room = this.#reserve(recordBytes(BLOCK_PAYLOAD_BYTES), kilobytes);
    if (room < 0) return -room;
    const { words: data } = this.#segment as Segment;
    const at = room >> 2;
    data[at] = packHeader(RecordKind.block, BLOCK_PAYLOAD_BYTES);
    data[at + 1] = kind;
    data[at + 2] = ref.id;
    data[at + 3] = ref.generation;
    data[at + 4] = byteLength % 2 ** 31;
    data[at + 5] = Math.floor(byteLength / 2 ** 31);
    Atomics.add(words, this.#at + RingWord.blockKilobytes, kilobytes);
    this.#commit(recordBytes(BLOCK_PAYLOAD_BYTES));
    return Written.done;
  }

  /** Nothing can be put from now on. @returns false when it was so before. */
  close(): boolean {
    const words = this.#words;
    this.#lock();
    const first = words[this.#at + RingWord.closed] === 0;
    Atomics.store(words, this.#at + RingWord.closed, 1);
    this.#unlock();
    return first;
  }

  /** Bytes that are in the ring, those in blocks of their own too. */
  get pendingBytes(): number {
    const words = this.#words;
    const at = this.#at;
    const inRing = (Atomics.load(words, at + RingWord.tail) - Atomics.load(words, at + RingWord.head)) | 0;
    return Math.max(0, inRing) + Math.max(0, Atomics.load(words, at + RingWord.blockKilobytes)) * 1024;
  }

  /** Lets go of the memory. */
  release(): void {
    this.#segment?.release();
    this.#segment = undefined;
  }

  /**
   * Takes the lock and finds room at the tail.
   * @returns where the record goes, as an index into the segment's bytes; or -Written, and the lock is free again.
   */
  #reserve(size: number, kilobytes = 0): number {
    this.#lock();
    let room: number;
    try {
      room = this.#room(size, kilobytes);
    } catch (error) {
      // The arena is full.
      this.#unlock();
      throw error;
    }
    if (room < 0) this.#unlock();
    return room;
  }

  #room(size: number, kilobytes: number): number {
    const words = this.#words;
    const at = this.#at;
    if (words[at + RingWord.closed] !== 0) return -Written.closed;
    const max = words[at + RingWord.maxRecords] as number;
    if (max > 0) {
      const count = ((words[at + RingWord.put] as number) - Atomics.load(words, at + RingWord.taken)) | 0;
      if (count >= max) return -Written.full;
    }
    const tail = words[at + RingWord.tail] as number;
    const segment = this.#segment;
    // Whoever adds a segment moves the tail, too.
    if (tail === this.#lastTail && segment !== undefined && kilobytes === 0) {
      if (segment.capacity - ((tail - this.#usedFrom) | 0) >= size + LINK_BYTES) return tail & segment.mask;
    }
    return this.#makeRoom(size, kilobytes, tail);
  }

  #makeRoom(size: number, kilobytes: number, tail: number): number {
    const words = this.#words;
    const at = this.#at;
    let segment = this.#segment;
    if (segment === undefined || segment.serial !== words[at + RingWord.tailSerial]) segment = this.#openTail();
    // The serial first: a reader writes it before the head.
    const readerIsHere = segment?.serial === Atomics.load(words, at + RingWord.headSerial);
    const head = Atomics.load(words, at + RingWord.head);
    if (!this.#isWithinLimit(size, kilobytes, (tail - head) | 0)) return -Written.noMemory;
    if (segment === undefined) return this.#link(undefined, tail, MIN_SEGMENT_BYTES, size);
    this.#usedFrom = readerIsHere ? head : segment.start;
    const used = (tail - this.#usedFrom) | 0;
    if (segment.capacity - used < size + LINK_BYTES) return this.#link(segment, tail, segment.capacity * 2, size);
    const isBurstOver = (tail - segment.start) >>> 0 > TURNS_BEFORE_SHRINKING * segment.capacity;
    if (isBurstOver && segment.capacity > 4 * MIN_SEGMENT_BYTES && 32 * used < segment.capacity) {
      return this.#link(segment, tail, segment.capacity / 4, size);
    }
    return tail & segment.mask;
  }

  #isWithinLimit(size: number, kilobytes: number, inRing: number): boolean {
    const words = this.#words;
    const at = this.#at;
    if (words[at + RingWord.put] === Atomics.load(words, at + RingWord.taken)) {
      // One message goes through, whatever its size. What processes that were killed did not subtract ends here.
      Atomics.store(words, at + RingWord.blockKilobytes, 0);
      return true;
    }
    const inBlocks = kilobytes + Atomics.load(words, at + RingWord.blockKilobytes);
    return inRing + size + inBlocks * 1024 <= (words[at + RingWord.maxKilobytes] as number) * 1024;
  }

  /** Goes on in a new segment. */
  #link(old: Segment | undefined, tail: number, wanted: number, size: number): number {
    const words = this.#words;
    const at = this.#at;
    let capacity = Math.min(MAX_SEGMENT_BYTES, Math.max(wanted, MIN_SEGMENT_BYTES));
    while (capacity < RECORDS_PER_SEGMENT * size) capacity *= 2;
    const serial = ((words[at + RingWord.tailSerial] as number) + 1) | 0 || 2;
    const start = old === undefined ? tail : (tail + LINK_BYTES) | 0;
    const { segment, ref } = Segment.make(serial, start, capacity);
    fillSlot(words, segmentSlot(at + RingWord.tailSlots, serial), ref, start, capacity);
    if (old === undefined) {
      // Nobody reads before the first record is published.
      fillSlot(words, segmentSlot(at + RingWord.headSlots, serial), ref, start, capacity);
      Atomics.store(words, at + RingWord.headSerial, serial);
    } else {
      const room = (tail & old.mask) >> 2;
      old.words[room] = packHeader(RecordKind.link, 16);
      old.words[room + 1] = serial;
      fillSlot(old.words, room + 2, ref, start, capacity);
    }
    Atomics.store(words, at + RingWord.tailSerial, serial);
    Atomics.store(words, at + RingWord.tail, start);
    old?.release();
    this.#segment = segment;
    this.#usedFrom = start;
    return start & segment.mask;
  }

  #openTail(): Segment | undefined {
    const words = this.#words;
    const serial = words[this.#at + RingWord.tailSerial] as number;
    this.#segment?.release();
    this.#segment = undefined;
    if (serial !== 0) this.#segment = Segment.open(words, segmentSlot(this.#at + RingWord.tailSlots, serial), serial);
    return this.#segment;
  }

  /** Publishes the record and gives the lock back. */
  #commit(size: number): void {
    const words = this.#words;
    const at = this.#at;
    const tail = ((words[at + RingWord.tail] as number) + size) | 0;
    const put = ((words[at + RingWord.put] as number) + 1) | 0;
    // The count first: the tail counts for who repairs only when both are written.
    words[at + RingWord.nextPut] = put;
    words[at + RingWord.nextTail] = tail;
    Atomics.store(words, at + RingWord.put, put);
    words[at + RingWord.tail] = tail;
    this.#lastTail = tail;
    Atomics.store(words, at + RingWord.producerLock, 0);
  }

  #lock(): void {
    const word = this.#at + RingWord.producerLock;
    if (lockRing(this.#words, word, this.#me)) repairProducer(this.#words, this.#at);
  }

  #unlock(): void {
    unlockRing(this.#words, this.#at + RingWord.producerLock);
  }
}

/** Sets right what a producer left that died holding the lock; the caller has taken it over. */
export function repairProducer(words: Int32Array, at: number): void {
  let tail = words[at + RingWord.tail] as number;
  // Published, but the tail was not moved.
  const nextTail = words[at + RingWord.nextTail] as number;
  if (words[at + RingWord.nextPut] === words[at + RingWord.put] && ((nextTail - tail) | 0) > 0) tail = nextTail;
  // A new segment, but the tail was not moved into it.
  const serial = words[at + RingWord.tailSerial] as number;
  const start = words[segmentSlot(at + RingWord.tailSlots, serial) + SegmentSlot.start] as number;
  if (serial !== 0 && ((start - tail) | 0) === LINK_BYTES) tail = start;
  words[at + RingWord.tail] = tail;
}

function fillSlot(words: Int32Array, slot: number, ref: BlockRef, start: number, capacity: number): void {
  words[slot + SegmentSlot.id] = ref.id;
  words[slot + SegmentSlot.generation] = ref.generation;
  words[slot + SegmentSlot.start] = start;
  words[slot + SegmentSlot.capacity] = capacity;
}
