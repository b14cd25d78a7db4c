/** A ring as one process uses it: both sides, and the queues of those who wait for it. */

import { arena } from "../memory/index.ts";
import { WaitQueue } from "../wait/index.ts";
import { RingReader } from "./ring-reader.ts";
import { RingWord } from "./ring-words.ts";
import { RingWriter } from "./ring-writer.ts";

export interface RingLimits {
  /** Most records at a time; 0 for no limit. */
  readonly maxRecords: number;
  /** Most bytes at a time. A single record is let through whatever its size. */
  readonly maxBytes: number;
}

export class Ring {
  readonly writer: RingWriter;
  readonly reader: RingReader;
  /** Those who wait for a record. */
  readonly notEmpty: WaitQueue;
  /** Those who wait for room. */
  readonly notFull: WaitQueue;
  /** Those who want to know when there may be a record, and take none: all of them are woken. */
  readonly watchers: WaitQueue;
  /** Those who wait until all records are done with. */
  readonly allDone: WaitQueue;
  readonly #words: Int32Array;
  readonly #at: number;

  /** @param at Index into `arena().words` of the ring's first word. */
  constructor(at: number) {
    const { words } = arena();
    this.#words = words;
    this.#at = at;
    this.writer = new RingWriter(words, at);
    this.reader = new RingReader(words, at);
    this.notEmpty = new WaitQueue(at + RingWord.notEmpty);
    this.notFull = new WaitQueue(at + RingWord.notFull);
    this.watchers = new WaitQueue(at + RingWord.watchers);
    this.allDone = new WaitQueue(at + RingWord.allDone);
  }

  /** Sets the limits of a new ring, in zeroed words. */
  static format(at: number, { maxRecords, maxBytes }: RingLimits): void {
    const { words } = arena();
    words[at + RingWord.maxRecords] = maxRecords;
    words[at + RingWord.maxKilobytes] = Math.ceil(maxBytes / 1024);
  }

  /** How many records there are. */
  get size(): number {
    const taken = Atomics.load(this.#words, this.#at + RingWord.taken);
    return (Atomics.load(this.#words, this.#at + RingWord.put) - taken) | 0;
  }

  get maxRecords(): number {
    return this.#words[this.#at + RingWord.maxRecords] as number;
  }

  get maxBytes(): number {
    return (this.#words[this.#at + RingWord.maxKilobytes] as number) * 1024;
  }

  /** True when nothing can be put any more. */
  get closed(): boolean {
    return Atomics.load(this.#words, this.#at + RingWord.closed) !== 0;
  }

  /** True when another record of `bytes` must wait. */
  isFull(bytes: number): boolean {
    const max = this.maxRecords;
    const size = this.size;
    if (max > 0 && size >= max) return true;
    return size > 0 && this.writer.pendingBytes + bytes > this.maxBytes;
  }

  /** After a record was written: wakes who waits for one. System calls happen only if somebody sleeps. */
  written(): void {
    if (this.notEmpty.waiting > 0) this.notEmpty.unparkOne();
    if (this.watchers.waiting > 0) this.watchers.unpark();
  }

  /** After a record was taken: wakes who waits for room, if there is enough to be worth it. */
  taken(): void {
    if (this.notFull.waiting === 0) return;
    const max = this.maxRecords;
    // For a record each, one by one; for bytes, not before half of them are free: to wake a writer costs more than to write.
    if (max > 0 && this.size < max) this.notFull.unparkOne();
    else if (this.writer.pendingBytes <= this.maxBytes / 2) this.notFull.unpark();
  }

  /** Wakes everybody, to look again. */
  wakeAll(): void {
    this.notEmpty.unpark();
    this.notFull.unpark();
    this.watchers.unpark();
    this.allDone.unpark();
  }

  /** Records that were put, but not yet said to be done with. */
  get unfinished(): number {
    return (
      (Atomics.load(this.#words, this.#at + RingWord.put) - Atomics.load(this.#words, this.#at + RingWord.done)) | 0
    );
  }

  /** Says that records are done with. @returns false when there are not so many. */
  finish(count: number): boolean {
    const word = this.#at + RingWord.done;
    for (;;) {
      const done = Atomics.load(this.#words, word);
      const left = (Atomics.load(this.#words, this.#at + RingWord.put) - done) | 0;
      if (left < count) return false;
      if (Atomics.compareExchange(this.#words, word, done, (done + count) | 0) !== done) continue;
      if (left === count) this.allDone.unpark();
      return true;
    }
  }

  /** Lets go of the memory in this process. */
  release(): void {
    this.writer.release();
    this.reader.release();
  }
}
