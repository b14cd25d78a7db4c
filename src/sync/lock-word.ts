/**
 * The words of a lock, and how they change hands. Lock and RLock are made of this.
 *
 * | word | holds                                                                | written by            |
 * |------|----------------------------------------------------------------------|-----------------------|
 * | 0    | 0 when free; owner's slot + 1, with DIED if the one before died;     | acquirers, releasers, |
 * |      | DIED alone when free after a death                                   | sweepers              |
 * | 1    | how many times its owner holds it                                    | owner                 |
 * | 4–7  | the wait queue                                                       | see WaitQueue         |
 *
 * An uncontended acquire is one compare-and-exchange, a release one exchange. Who finds the lock held spins while spinning
 * pays, then parks. Barging: a released lock goes to whoever comes first, since handing it to a sleeper each time would make
 * every change of hands as slow as a wake-up. Fairness: a waiter that has waited longer than FAIR_MS is handed the lock
 * directly, so nobody starves. Source: F. Pizlo, "Locking in WebKit" (2016), eventual fairness.
 */

import { Deadline } from "../core/deadline.ts";
import {
  aliveOrSwept,
  CellHeader,
  cellWord,
  forEachCell,
  onSweep,
  payloadOffset,
  type SlotOwner,
} from "../memory/index.ts";
import { arena } from "../memory/index.ts";
import { AdaptiveSpin, NOT_PARKED, TIMED_OUT, WaitQueue } from "../wait/index.ts";
import { SyncKind } from "./primitive.ts";

export const LOCK_BYTES = 64;

const COUNT = 1;
const QUEUE = 4;
const WAITING = QUEUE + 3;

const OWNER_MASK = 0xffff;
const DIED = 1 << 16;
const HANDED = 1;
const FAIR_MS = 5;
const CLOCK_MASK = 0x3fff_ffff;

const spin = new AdaptiveSpin();

export class LockWord {
  readonly #words: Int32Array;
  readonly #word: number;
  readonly #me: number;
  readonly #queue: WaitQueue;

  /** @param me The slot of this process, + 1. */
  constructor(words: Int32Array, word: number, me: number) {
    this.#words = words;
    this.#word = word;
    this.#me = me;
    this.#queue = new WaitQueue(word + QUEUE);
  }

  /** Takes the lock if it is free. */
  tryAcquire(): boolean {
    const words = this.#words;
    if (Atomics.compareExchange(words, this.#word, 0, this.#me) === 0) return true;
    return Atomics.compareExchange(words, this.#word, DIED, this.#me | DIED) === DIED;
  }

  /** Releases it, whoever holds it. @returns false when nobody does. */
  release(): boolean {
    const words = this.#words;
    if ((Atomics.load(words, this.#word) & OWNER_MASK) === 0) return false;
    if (Atomics.load(words, this.#word + WAITING) === 0) {
      Atomics.store(words, this.#word, 0);
      // Somebody may have begun to wait between the look and the release.
      if (Atomics.load(words, this.#word + WAITING) !== 0) this.#queue.unparkOne();
    } else this.#releaseToWaiter();
    return true;
  }

  #releaseToWaiter(): void {
    this.#queue.unparkOne((found, _more, owner, since) => {
      const handOver = found && ((now() - since) & CLOCK_MASK) > FAIR_MS;
      Atomics.store(this.#words, this.#word, handOver ? owner + 1 : 0);
      return handOver ? HANDED : 0;
    });
  }

  /** Slot of the holder, + 1; 0 when it is free. */
  get owner(): number {
    return Atomics.load(this.#words, this.#word) & OWNER_MASK;
  }

  get isMine(): boolean {
    return this.owner === this.#me;
  }

  get ownerDied(): boolean {
    return (Atomics.load(this.#words, this.#word) & DIED) !== 0;
  }

  /** How many times its owner holds it; only the owner may write it. */
  get count(): number {
    return this.#words[this.#word + COUNT] as number;
  }

  set count(count: number) {
    this.#words[this.#word + COUNT] = count;
  }

  acquireSync(deadline: Deadline): boolean {
    if (this.tryAcquire() || (!deadline.expired && spin.until(this.#tryWhenFree))) return true;
    for (const since = now(); ;) {
      if (deadline.expired) return this.tryAcquire();
      const token = this.#queue.parkSync(deadline, this.#parkOptions(since));
      if (token === HANDED || token === NOT_PARKED) return true;
      if (token === TIMED_OUT) return this.tryAcquire();
    }
  }

  async acquire(deadline: Deadline): Promise<boolean> {
    deadline.throwIfAborted();
    for (const since = now(); ;) {
      // Also after an abort: the wake-up was for one, and nobody else was woken for it.
      if (this.tryAcquire()) return true;
      if (deadline.expired) return false;
      const token = await this.#queue.park(deadline, this.#parkOptions(since));
      if (token === HANDED || token === NOT_PARKED) return true;
      if (token === TIMED_OUT) return this.tryAcquire();
    }
  }

  /** A look before the exchange: spinners that only read leave the line to the owner. */
  readonly #tryWhenFree = (): boolean => this.owner === 0 && this.tryAcquire();

  #parkOptions(since: number): { validate: () => boolean; onSlice: () => void; data: number } {
    return { validate: () => !this.tryAcquire(), onSlice: () => this.checkOwner(), data: since };
  }

  /** Asks whether the holder lives; a dead one is swept, which passes the lock on. */
  checkOwner(): void {
    const { owner } = this;
    if (owner !== 0) aliveOrSwept(owner - 1);
  }
}

function now(): number {
  return Date.now() & CLOCK_MASK;
}

/**
 * Makes the locks of a dead process free, and wakes a waiter of each. Of free locks too: it may have died after it released
 * one, and before it woke the next.
 */
function passOn({ slot }: SlotOwner): void {
  const { words } = arena();
  forEachCell((id) => {
    if (words[cellWord(id) + CellHeader.kind] !== SyncKind.lock) return;
    const word = payloadOffset(id) / 4;
    const held = Atomics.load(words, word);
    const owner = held & OWNER_MASK;
    if (owner === slot + 1) {
      words[word + COUNT] = 0;
      if (Atomics.compareExchange(words, word, held, DIED) !== held) return;
    } else if (owner !== 0) return;
    new WaitQueue(word + QUEUE).unparkOne();
  });
}

onSweep(passOn);
