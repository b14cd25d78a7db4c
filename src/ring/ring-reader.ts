/** The consumers' side of a ring. */

import { type BlockRef, openCarried, referTo, retractRef, selfSlot } from "../memory/index.ts";
import { kindOf, payloadBytesOf, RECORD_HEADER_BYTES, recordBytes, RecordKind, type RecordView } from "./record.ts";
import { lockRing, unlockRing } from "./ring-lock.ts";
import { RingWord, SEGMENT_SLOT_WORDS, SegmentSlot, segmentSlot } from "./ring-words.ts";
import { giveUpSegment, Segment } from "./segment.ts";

/** What `read` gives when there is no record. */
export const NOTHING: unique symbol = Symbol("nothing");

/** What a reader's function gives to leave the record where it is. */
export const LEAVE: unique symbol = Symbol("leave");

const LINK_BYTES: number = recordBytes(16);
const NO_BYTES = new Uint8Array(0);
const NO_VIEW: DataView = new DataView(new ArrayBuffer(0));

export class RingReader {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #me: number;
  readonly #record: RecordView = { kind: 0, aux: 0, bytes: NO_BYTES, view: NO_VIEW, position: 0, limit: 0 };
  #segment: Segment | undefined;
  /** How many records had been put when it was last asked. */
  #knownPut: number;
  /** The block of the record that is being read. */
  #block: { readonly ref: BlockRef; readonly kilobytes: number } | undefined;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
    this.#me = selfSlot() + 1;
    this.#knownPut = words[at + RingWord.put] as number;
  }

  /** True when there is no record. */
  get isEmpty(): boolean {
    return !this.#isBehind(Atomics.load(this.#words, this.#at + RingWord.taken));
  }

  /** True when there are records after so many. Asks the writers' side only when no more are known of: that line is theirs. */
  #isBehind(taken: number): boolean {
    if (((this.#knownPut - taken) | 0) > 0) return true;
    this.#knownPut = Atomics.load(this.#words, this.#at + RingWord.put);
    return this.#knownPut !== taken;
  }

  /** The number of the next record: tells whether it is still the one that was seen before. */
  get nextNumber(): number {
    return Atomics.load(this.#words, this.#at + RingWord.taken);
  }

  /**
   * Takes the oldest record. The lock is held while `take` looks at it: what it gives is what the record was taken for. A process
   * that is killed meanwhile has not taken it.
   *
   * @param take Gets a window into shared memory and must copy what it keeps. When it throws, the record counts as taken; when it gives
   *   LEAVE, the record stays.
   * @returns What `take` gave, or NOTHING.
   */
  read<T>(take: (record: RecordView) => T): T | typeof NOTHING {
    const words = this.#words;
    const at = this.#at;
    if (this.isEmpty) return NOTHING;
    this.#lock();
    if (!this.#isBehind(words[at + RingWord.taken] as number)) {
      this.#unlock();
      return NOTHING;
    }
    let head = words[at + RingWord.head] as number;
    let size = 0;
    let result: T | undefined;
    try {
      let segment = this.#segment;
      if (segment === undefined || segment.serial !== words[at + RingWord.headSerial]) segment = this.#openHead();
      while (kindOf(segment.words[(head & segment.mask) >> 2] as number) === RecordKind.link) {
        segment = this.#follow(segment, head);
        head = words[at + RingWord.head] as number;
      }
      const room = head & segment.mask;
      const header = segment.words[room >> 2] as number;
      size = recordBytes(payloadBytesOf(header));
      result =
        kindOf(header) === RecordKind.block
          ? this.#readBlock(segment, room, take)
          : this.#readInline(segment, room, header, take);
    } finally {
      // With a size, it is a record that was seen; without, the memory could not be mapped, and nothing is taken.
      if (result === (LEAVE as unknown) || size === 0) this.#unlock();
      else this.#commit(head, size);
    }
    return result;
  }

  /** Calls back for each record until there is none, giving up what they refer to. @returns how many there were. */
  discard(onRecord: (record: RecordView) => void): number {
    let count = 0;
    while (this.read(onRecord) !== NOTHING) count += 1;
    return count;
  }

  /** Leaves all segments behind but the last; for who frees the ring. */
  giveUpMemory(): void {
    const words = this.#words;
    const at = this.#at;
    this.release();
    for (
      let slots = RingWord.headSlots;
      slots <= RingWord.headSlots + SEGMENT_SLOT_WORDS;
      slots += SEGMENT_SLOT_WORDS
    ) {
      // The ring was not read past its last link when a producer died behind it: then the tail has one segment more.
      giveUpSegment(words, at + slots);
    }
    const { headSerial, tailSerial, tailSlots } = RingWord;
    if (words[at + headSerial] !== words[at + tailSerial]) {
      giveUpSegment(words, segmentSlot(at + tailSlots, words[at + tailSerial] as number));
    }
  }

  /** Lets go of the memory. */
  release(): void {
    this.#segment?.release();
    this.#segment = undefined;
  }

  #readInline<T>(segment: Segment, room: number, header: number, take: (record: RecordView) => T): T {
    const record = this.#record;
    record.kind = kindOf(header);
    record.aux = segment.words[(room >> 2) + 1] as number;
    record.bytes = segment.bytes;
    record.view = segment.view;
    record.position = room + RECORD_HEADER_BYTES;
    record.limit = record.position + payloadBytesOf(header);
    return take(record);
  }

  #readBlock<T>({ words: data }: Segment, room: number, take: (record: RecordView) => T): T {
    const at = room >> 2;
    const ref: BlockRef = { id: data[at + 2] as number, generation: data[at + 3] as number };
    const byteLength = (data[at + 4] as number) + (data[at + 5] as number) * 2 ** 31;
    // By a reference of its own: the record keeps its one until it is taken, should this process be killed meanwhile.
    const carried = openCarried(referTo(ref.id));
    try {
      const { bytes, view } = carried;
      return take({ kind: data[at + 1] as number, aux: 0, bytes, view, position: 0, limit: byteLength });
    } finally {
      carried.close();
      this.#block = { ref, kilobytes: Math.ceil(byteLength / 1024) };
    }
  }

  #openHead(): Segment {
    const words = this.#words;
    const serial = words[this.#at + RingWord.headSerial] as number;
    this.#segment?.release();
    this.#segment = undefined;
    this.#segment = Segment.open(words, segmentSlot(this.#at + RingWord.headSlots, serial), serial);
    return this.#segment;
  }

  /** Goes on in the next segment, and gives the present one up. */
  #follow(segment: Segment, head: number): Segment {
    const words = this.#words;
    const at = this.#at;
    const room = (head & segment.mask) >> 2;
    const serial = segment.words[room + 1] as number;
    const next = segmentSlot(at + RingWord.headSlots, serial);
    for (let i = 0; i < SEGMENT_SLOT_WORDS; i++) words[next + i] = segment.words[room + 2 + i] as number;
    Atomics.store(words, at + RingWord.headSerial, serial);
    Atomics.store(words, at + RingWord.head, words[next + SegmentSlot.start] as number);
    giveUpSegment(words, segmentSlot(at + RingWord.headSlots, segment.serial));
    return this.#openHead();
  }

  #commit(oldHead: number, size: number): void {
    const words = this.#words;
    const at = this.#at;
    const head = (oldHead + size) | 0;
    const taken = ((words[at + RingWord.taken] as number) + 1) | 0;
    // The count first: the head counts for who repairs only when both are written.
    words[at + RingWord.nextTaken] = taken;
    words[at + RingWord.nextHead] = head;
    Atomics.store(words, at + RingWord.taken, taken);
    Atomics.store(words, at + RingWord.head, head);
    if (this.#block !== undefined) this.#giveUpBlock(this.#block);
    Atomics.store(words, at + RingWord.consumerLock, 0);
  }

  #giveUpBlock({ ref, kilobytes }: { readonly ref: BlockRef; readonly kilobytes: number }): void {
    this.#block = undefined;
    Atomics.sub(this.#words, this.#at + RingWord.blockKilobytes, kilobytes);
    retractRef(ref);
  }

  #lock(): void {
    const word = this.#at + RingWord.consumerLock;
    if (lockRing(this.#words, word, this.#me)) repairConsumer(this.#words, this.#at);
  }

  #unlock(): void {
    this.#block = undefined;
    unlockRing(this.#words, this.#at + RingWord.consumerLock);
  }
}

/** Sets right what a consumer left that died holding the lock; the caller has taken it over. */
export function repairConsumer(words: Int32Array, at: number): void {
  let head = words[at + RingWord.head] as number;
  // Taken, but the head was not moved.
  const nextHead = words[at + RingWord.nextHead] as number;
  if (words[at + RingWord.nextTaken] === words[at + RingWord.taken] && ((nextHead - head) | 0) > 0) head = nextHead;
  // In the next segment, but the head was not moved into it.
  const serial = words[at + RingWord.headSerial] as number;
  const start = words[segmentSlot(at + RingWord.headSlots, serial) + SegmentSlot.start] as number;
  if (serial !== 0 && ((start - head) | 0) === LINK_BYTES) head = start;
  Atomics.store(words, at + RingWord.head, head);
}
