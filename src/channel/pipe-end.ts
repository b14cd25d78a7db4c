/**
 * The two ends of a pipe, and who uses them. A pipe is a cell:
 *
 * | word    | holds                                              | written by                                  |
 * |---------|----------------------------------------------------|---------------------------------------------|
 * | 0       | first end: 1 when nobody uses it                   | whoever changes the words below             |
 * | 1       | first end: times it was put into a message         | senders                                     |
 * | 2       | first end: times it was taken out of one           | receivers                                   |
 * | 8–39    | first end: one bit a process slot: who uses it     | each its own bit; sweepers                  |
 * | 40–79   | second end: the same                               |                                             |
 * | 80–143  | the ring from the first end to the second          | ring-words.ts                               |
 * | 144–207 | the ring from the second end to the first          | ring-words.ts                               |
 *
 * A process that sends an end to another one gives it away: from then on it counts as a user again only when it uses the end itself.
 * So a parent need not close its copy of its child's end: when the child dies, the end has no user any more.
 */

import { countReceipt } from "../core/receipts.ts";
import {
  aliveOrSwept,
  arena,
  CellHeader,
  cellWord,
  forEachCell,
  onSweep,
  payloadOffset,
  selfSlot,
  type SlotOwner,
} from "../memory/index.ts";
import { registerRings, Ring } from "../ring/index.ts";

/** Cells of this kind hold a pipe. */
export const PIPE_CELL = 33;
export const PIPE_BYTES: number = 208 * 4;

const EndWord = { gone: 0, sent: 1, received: 2, users: 8 } as const;
const USER_WORDS = 32;
const END_WORDS = 40;
/** Where the ring out of each end stands. */
export const RING_OUT: readonly [number, number] = [80, 144];

export class PipeEnd {
  readonly #words: Int32Array;
  readonly #at: number;
  /** Index of the pipe's first word. */
  readonly #pipe: number;

  /** @param pipe Index into `arena().words` of the pipe's first word. @param side 0 or 1. */
  constructor(pipe: number, side: number) {
    this.#words = arena().words;
    this.#pipe = pipe;
    this.#at = pipe + side * END_WORDS;
  }

  /** True when nobody uses it, and nobody will: it is under way to nobody. */
  get gone(): boolean {
    return Atomics.load(this.#words, this.#at + EndWord.gone) !== 0;
  }

  /** This process uses it. */
  use(slot: number = selfSlot()): void {
    Atomics.or(this.#words, this.#at + EndWord.users + (slot >>> 5), 1 << (slot & 31));
    Atomics.store(this.#words, this.#at + EndWord.gone, 0);
  }

  /** A process does not use it any more. */
  leave(slot: number = selfSlot()): void {
    Atomics.and(this.#words, this.#at + EndWord.users + (slot >>> 5), ~(1 << (slot & 31)));
    this.#settle();
  }

  /** It goes into a message, and this process gives it away. */
  depart(): void {
    Atomics.add(this.#words, this.#at + EndWord.sent, 1);
    Atomics.store(this.#words, this.#at + EndWord.gone, 0);
    this.leave();
  }

  /** It came out of a message: this process uses it from now on. */
  arrive(): void {
    this.use();
    countReceipt(this.#words, this.#at + EndWord.received);
  }

  /** The message that it went into is never delivered. */
  lost(): void {
    Atomics.add(this.#words, this.#at + EndWord.received, 1);
    this.#settle();
  }

  /** Asks whether those who use it are alive, and sweeps those who are not. */
  checkUsers(): void {
    for (let i = 0; i < USER_WORDS; i++) {
      const bits = Atomics.load(this.#words, this.#at + EndWord.users + i);
      for (let bit = 0; bits !== 0 && bit < 32; bit++) {
        if ((bits & (1 << bit)) !== 0) aliveOrSwept(i * 32 + bit);
      }
    }
  }

  hasUser(slot: number): boolean {
    return (Atomics.load(this.#words, this.#at + EndWord.users + (slot >>> 5)) & (1 << (slot & 31))) !== 0;
  }

  /** Decides whether it is gone; if so, wakes those who wait at the other end. */
  #settle(): void {
    if (this.#inUse()) return;
    Atomics.store(this.#words, this.#at + EndWord.gone, 1);
    // Somebody who came meanwhile has set his bit before he cleared the word, so one of us sees the other.
    if (this.#inUse()) {
      Atomics.store(this.#words, this.#at + EndWord.gone, 0);
      return;
    }
    for (const ring of RING_OUT) new Ring(this.#pipe + ring).wakeAll();
  }

  #inUse(): boolean {
    const words = this.#words;
    const at = this.#at;
    for (;;) {
      const sent = Atomics.load(words, at + EndWord.sent);
      if (Atomics.load(words, at + EndWord.received) !== sent) return true;
      for (let i = 0; i < USER_WORDS; i++) if (Atomics.load(words, at + EndWord.users + i) !== 0) return true;
      // Had a user sent it and left between the looks, this would have moved.
      if (Atomics.load(words, at + EndWord.sent) === sent) return false;
    }
  }
}

/** A dead process uses nothing. */
function sweepEnds({ slot }: SlotOwner): void {
  const { words } = arena();
  forEachCell((id) => {
    if (words[cellWord(id) + CellHeader.kind] !== PIPE_CELL) return;
    for (const side of [0, 1]) {
      const end = new PipeEnd(payloadOffset(id) / 4, side);
      if (end.hasUser(slot)) end.leave(slot);
    }
  });
}

registerRings(PIPE_CELL, RING_OUT);
onSweep(sweepEnds);
