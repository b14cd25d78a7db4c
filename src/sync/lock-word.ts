/**
 * How a lock changes hands; its words are in lock-layout.ts. Lock and RLock are made of this.
 *
 * An uncontended acquire is one compare-and-exchange, a release one exchange. Who finds the lock held spins while spinning
 * pays, then parks. Barging: a released lock goes to whoever comes first, since handing it to a sleeper each time would make
 * every change of hands as slow as a wake-up. Fairness: a waiter that has waited longer than FAIR_MS is handed the lock
 * directly, so nobody starves. Source: F. Pizlo, "Locking in WebKit" (2016), eventual fairness.
 */

import { Deadline } from "../core/deadline.ts";
import { dateNow } from "../core/timers.ts";
import {
  aliveOrSwept,
  arena,
  CellHeader,
  cellWord,
  forEachCell,
  onSweep,
  payloadOffset,
  type SlotOwner,
} from "../memory/index.ts";
import { AdaptiveSpin, NOT_PARKED, type ParkOptions, TIMED_OUT, WaitQueue } from "../wait/index.ts";
import { callSite } from "./call-site.ts";
import { DeadlockWatch } from "./deadlock-watch.ts";
import { GIVES_WAY, LockField, LockFlag, OWNER_MASK, writeSite } from "./lock-layout.ts";
import { SyncKind } from "./primitive.ts";
import { lockResource } from "./waits-for.ts";

const { count: COUNT, queue: QUEUE, turn: TURN, waiting: WAITING } = LockField;

const DIED = 1 << 16;
const HANDED = 1;
const FAIR_MS = 5;
const CLOCK_MASK = 0x3fff_ffff;

/** Of how many acquires the site is recorded: of a process's first ones, and of those after a wait. */
const FIRST_TRACES = 16;
const TRACES_AFTER_WAIT = 4;
const ALWAYS = -1;

const spin = new AdaptiveSpin();

export class LockWord {
  readonly #words: Int32Array;
  readonly #word: number;
  readonly #me: number;
  readonly #id: number;
  readonly #queue: WaitQueue;
  readonly #detects: boolean;
  /** Of how many more acquires the site is recorded; ALWAYS for all. */
  #traces: number;

  /**
   * @param id The lock's cell.
   * @param me The slot of this process, + 1.
   */
  constructor(words: Int32Array, id: number, me: number) {
    this.#words = words;
    this.#id = id;
    this.#word = payloadOffset(id) / 4;
    this.#me = me;
    this.#queue = new WaitQueue(this.#word + QUEUE);
    this.#detects = ((words[this.#word + LockField.flags] as number) & LockFlag.detect) !== 0;
    this.#traces = this.#detects ? ALWAYS : FIRST_TRACES;
  }

  /** Takes the lock if it is free. */
  tryAcquire(): boolean {
    if (!this.#take()) return false;
    if (this.#traces !== 0) this.#trace(callSite());
    return true;
  }

  #take(): boolean {
    const words = this.#words;
    const got =
      Atomics.compareExchange(words, this.#word, 0, this.#me) === 0 ||
      Atomics.compareExchange(words, this.#word, DIED, this.#me | DIED) === DIED;
    if (got) words[this.#word + COUNT] = 1;
    return got;
  }

  /** Records where the lock, which this process has just got, was acquired. */
  #trace(site: string | undefined): void {
    if (this.#traces > 0) this.#traces -= 1;
    if (site !== undefined) writeSite(this.#word, site);
  }

  /** Releases it, whoever holds it. @returns false when nobody does. */
  release(): boolean {
    const words = this.#words;
    // Plain reads: the holder is known to who releases, and the look at the waiters is repeated below. An atomic one is a call.
    if (((words[this.#word] as number) & OWNER_MASK) === 0) return false;
    // Who holds the lock writes it alone.
    words[this.#word + TURN] = ((words[this.#word + TURN] as number) + 1) | 0;
    if (words[this.#word + WAITING] === 0) {
      Atomics.store(words, this.#word, 0);
      // Somebody may have begun to wait between the look and the release.
      if (Atomics.load(words, this.#word + WAITING) !== 0) this.#queue.unparkOne();
    } else this.#releaseToWaiter();
    return true;
  }

  #releaseToWaiter(): void {
    this.#queue.unparkOne((found, _more, owner, since) => {
      const handOver = found && ((now() - since) & CLOCK_MASK) > FAIR_MS;
      // From now on the waiter's process has it, also before the task that waited knows: others of its tasks may come first.
      if (handOver) this.#words[this.#word + COUNT] = 1;
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

  /** How many times its owner holds it, once after it has got it; only the owner may write it. */
  get count(): number {
    return this.#words[this.#word + COUNT] as number;
  }

  set count(count: number) {
    this.#words[this.#word + COUNT] = count;
  }

  /**
   * @param givesWay False: no DeadlockError. For who was promised that he holds the lock afterwards.
   * @returns false when the time ran out.
   */
  acquireSync(deadline: Deadline, givesWay: boolean = this.#detects): boolean {
    const got =
      this.#take() || (!deadline.expired && spin.until(this.#takeWhenFree)) || this.#waitSync(deadline, givesWay);
    if (got && this.#traces !== 0) this.#trace(callSite());
    return got;
  }

  #waitSync(deadline: Deadline, givesWay: boolean): boolean {
    const since = now() | (givesWay ? GIVES_WAY : 0);
    const watch = this.#watch(deadline, true, since);
    for (;;) {
      if (deadline.expired) return this.#timedOut(watch);
      const token = this.#queue.parkSync(deadline, this.#parkOptions(since, watch));
      this.#traceNext();
      if (token === HANDED || token === NOT_PARKED) return true;
      if (token === TIMED_OUT) return this.#timedOut(watch);
    }
  }

  async acquire(deadline: Deadline, givesWay: boolean = this.#detects): Promise<boolean> {
    deadline.throwIfAborted();
    // Now, since after a wait nothing says who called.
    const site = this.#traces === 0 ? undefined : callSite();
    const got = this.#take() || (await this.#wait(deadline, givesWay));
    if (got && this.#traces !== 0) this.#trace(site);
    return got;
  }

  async #wait(deadline: Deadline, givesWay: boolean): Promise<boolean> {
    const since = now() | (givesWay ? GIVES_WAY : 0);
    const watch = this.#watch(deadline, false, since);
    for (;;) {
      if (deadline.expired) return this.#timedOut(watch);
      const token = await this.#queue.park(deadline, this.#parkOptions(since, watch));
      this.#traceNext();
      if (token === HANDED || token === NOT_PARKED) return true;
      if (token === TIMED_OUT) return this.#timedOut(watch);
      // Also after an abort: the wake-up was for one, and nobody else was woken for it.
      if (this.#take()) return true;
    }
  }

  #timedOut(watch: DeadlockWatch | undefined): boolean {
    if (this.#take()) return true;
    watch?.timedOut();
    return false;
  }

  /** What is waited for is what deadlocks are made of. */
  #traceNext(): void {
    if (this.#traces >= 0 && this.#traces < TRACES_AFTER_WAIT) this.#traces = TRACES_AFTER_WAIT;
  }

  #watch(deadline: Deadline, blocking: boolean, since: number): DeadlockWatch | undefined {
    // Without a time to wait there is no wait, and without a limit nobody is told.
    if ((since & GIVES_WAY) === 0 && (deadline.at === Infinity || deadline.at === 0)) return undefined;
    return new DeadlockWatch(lockResource(this.#id), blocking, since);
  }

  /** A look before the exchange: spinners that only read leave the line to the owner. */
  readonly #takeWhenFree = (): boolean => this.owner === 0 && this.#take();

  #parkOptions(since: number, watch: DeadlockWatch | undefined): ParkOptions {
    const onSlice = (): void => {
      this.checkOwner();
      watch?.look();
    };
    return { validate: () => !this.#take(), onSlice, data: since };
  }

  /** Asks whether the holder lives; a dead one is swept, which passes the lock on. */
  checkOwner(): void {
    const { owner } = this;
    if (owner !== 0) aliveOrSwept(owner - 1);
  }
}

function now(): number {
  return dateNow() & CLOCK_MASK;
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
      words[word + TURN] = ((words[word + TURN] as number) + 1) | 0;
      if (Atomics.compareExchange(words, word, held, DIED) !== held) return;
    } else if (owner !== 0) return;
    new WaitQueue(word + QUEUE).unparkOne();
  });
}

onSweep(passOn);
