/** Semaphore and BoundedSemaphore: a number of permits. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { ProcessDiedError } from "../core/errors.ts";
import { defineHandle } from "../core/handle.ts";
import { checkInteger } from "../core/options.ts";
import { dateNow } from "../core/timers.ts";
import { AdaptiveSpin, NOT_PARKED, type ParkOptions, TIMED_OUT, WaitQueue } from "../wait/index.ts";
import { selfSlot } from "../memory/index.ts";
import { ACQUIRED, LockLike } from "./lock-like.ts";
import { abandoned, ABANDONED, AbandonWatch, readNote } from "./abandonment.ts";
import {
  hasHolders,
  lostPermits,
  noteAcquired,
  noteReleased,
  SEMAPHORE_BYTES,
  SemaphoreWord,
  sweepHolders,
} from "./permit-holders.ts";
import { Existing, registerPrimitive, SyncKind } from "./primitive.ts";

const TAG = "Semaphore";
const BOUNDED_TAG = "BoundedSemaphore";
const MAX_PERMITS = 2 ** 30;
const HANDED = 1;
const FAIR_MS = 5;
const CLOCK_MASK = 0x3fff_ffff;

const spin = new AdaptiveSpin();

/**
 * Permits that processes and tasks take and give back; whoever finds none waits. Anybody may release, so the number may grow
 * above its start, as in Python.
 *
 * Waiting rejects with ProcessDiedError when all permits were taken by processes that died without giving them back, or when a
 * process that held the semaphore died and all who are left wait for it themselves.
 *
 * @example
 * ```ts
 * import { Process, Semaphore } from "multiproc";
 *
 * const twoAtOnce = new Semaphore(2);
 * const download = (n: number) => twoAtOnce.use(async () => n * 10);
 * const children = [1, 2, 3, 4].map((n) => new Process(download, n).start());
 * console.log((await Promise.all(children.map((child) => child.result()))).join(" ")); // 10 20 30 40
 * ```
 */
export class Semaphore extends LockLike {
  static {
    defineHandle(Semaphore, (semaphore) => semaphore.transfer(semaphore.tag, undefined));
    registerPrimitive(TAG, (existing) => new Semaphore(existing as never));
  }

  readonly #queue: WaitQueue;
  readonly #slot: number = selfSlot();

  /** @param permits How many there are at the start; default 1. @throws {RangeError} If negative or no integer. */
  constructor(permits?: number);
  constructor(first: number | Existing = 1) {
    if (!(first instanceof Existing)) checkInteger("permits", first, 0, MAX_PERMITS);
    super(first instanceof Existing ? first : undefined, SEMAPHORE_BYTES, SyncKind.semaphore);
    if (!(first instanceof Existing)) {
      this.words[this.word + SemaphoreWord.limit] = MAX_PERMITS;
      Atomics.store(this.words, this.word + SemaphoreWord.permits, first);
    }
    this.#queue = new WaitQueue(this.word + SemaphoreWord.queue);
  }

  protected get tag(): string {
    return TAG;
  }

  /** How many permits are free just now. */
  get value(): number {
    return Atomics.load(this.words, this.word + SemaphoreWord.permits);
  }

  /** True when no permit is free. */
  get locked(): boolean {
    return this.value === 0;
  }

  /** Takes a permit if there is one. */
  tryAcquire(): boolean {
    const { words, word } = this;
    const at = word + SemaphoreWord.permits;
    if (Atomics.load(words, at) === 0) return false;
    // Noted before: a process that dies in between must not take a permit along that nobody knows of.
    noteAcquired(words, word, this.#slot);
    for (let permits = Atomics.load(words, at); permits > 0; permits = Atomics.load(words, at)) {
      if (Atomics.compareExchange(words, at, permits, permits - 1) === permits) return true;
    }
    noteReleased(words, word, this.#slot);
    return false;
  }

  /** Waits for a permit and takes it. @returns false when the time ran out. Rejects with `signal.reason` when aborted. */
  acquire(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && this.tryAcquire()) return ACQUIRED;
    return this.#acquire(options);
  }

  async #acquire(options: WaitOptions | undefined): Promise<boolean> {
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    if (this.tryAcquire()) return true;
    for (const since = now(); !deadline.expired;) {
      const token = await this.#queue.park(deadline, this.#parkOptions(deadline, since, false));
      if (token === NOT_PARKED || token === HANDED) return true;
      if (token === ABANDONED) throw this.#abandoned();
      // Also after an abort: the wake-up was for one, and nobody else was woken for it.
      if (this.tryAcquire()) return true;
      if (token === TIMED_OUT) return false;
    }
    return this.tryAcquire();
  }

  /** As `acquire`, blocking. */
  acquireSync(options?: WaitOptions): boolean {
    if (options === undefined && this.tryAcquire()) return true;
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    if (this.tryAcquire()) return true;
    if (!deadline.expired && spin.until(() => this.value > 0 && this.tryAcquire())) return true;
    for (const since = now(); !deadline.expired;) {
      const token = this.#queue.parkSync(deadline, this.#parkOptions(deadline, since, true));
      if (token === NOT_PARKED || token === HANDED) return true;
      if (token === ABANDONED) throw this.#abandoned();
      if (token === TIMED_OUT) break;
    }
    return this.tryAcquire();
  }

  #parkOptions(deadline: Deadline, since: number, blocking: boolean): ParkOptions {
    let watch: AbandonWatch | undefined;
    const onSlice = (): void => {
      this.#checkHolders();
      watch ??= new AbandonWatch(this.cell.id, SyncKind.semaphore, this.word + SemaphoreWord.queue, blocking);
      // Where promises wait, another task of the process that has a permit will give it back.
      if (this.value > 0 || (!blocking && hasHolders(this.words, this.word))) return;
      watch.check(deadline, () => this.#abandoned());
    };
    return { validate: () => !this.tryAcquire(), onSlice, data: since };
  }

  #abandoned(): ProcessDiedError {
    return abandoned("acquire the semaphore", "release it", readNote(this.word + SemaphoreWord.note));
  }

  /** Dead holders give nothing back: if nobody else holds a permit, waiting would be for ever. */
  #checkHolders(): void {
    sweepHolders(this.words, this.word);
    const lost = lostPermits(this.words, this.word);
    if (lost === undefined || this.value > 0) return;
    throw new ProcessDiedError(`Cannot acquire the semaphore: process ${lost.pid} died with the last of its permits`, {
      pid: lost.pid,
    });
  }

  /** Gives permits back. @param count How many; default 1. */
  release(count: number = 1): void {
    checkInteger("count", count, 1, MAX_PERMITS);
    // All or none of them: what is refused changes nothing.
    if (this.value + count > (this.words[this.word + SemaphoreWord.limit] as number)) this.#refuse();
    for (let left = count; left > 0; left--) this.#releaseOne();
  }

  #releaseOne(): void {
    Atomics.add(this.words, this.word + SemaphoreWord.turn, 1);
    if (this.#queue.waiting > 0) return this.#releaseToWaiter();
    if (!this.#tryAdd()) this.#refuse();
    noteReleased(this.words, this.word, this.#slot);
    if (this.#queue.waiting > 0) this.#queue.unparkOne();
  }

  #releaseToWaiter(): void {
    const { words, word } = this;
    let overflow = false;
    this.#queue.unparkOne((found, _more, owner, since) => {
      const handOver = found && ((now() - since) & CLOCK_MASK) > FAIR_MS;
      // Noted for the waiter, which may die before it learns of its permit.
      if (handOver) noteAcquired(words, word, owner);
      else overflow = !this.#tryAdd();
      return handOver ? HANDED : 0;
    });
    if (overflow) this.#refuse();
    noteReleased(words, word, this.#slot);
  }

  #tryAdd(): boolean {
    const { words, word } = this;
    const limit = words[word + SemaphoreWord.limit] as number;
    for (;;) {
      const permits = Atomics.load(words, word + SemaphoreWord.permits);
      if (permits >= limit) return false;
      if (Atomics.compareExchange(words, word + SemaphoreWord.permits, permits, permits + 1) === permits) return true;
    }
  }

  #refuse(): never {
    const { value } = this;
    const limit = this.words[this.word + SemaphoreWord.limit] as number;
    const why = value === limit ? "all of its permits are free" : `${value} of its ${limit} permits are free`;
    const error = new RangeError(`Cannot release the semaphore: ${why}`);
    throw Object.assign(error, { code: "ERR_OUT_OF_RANGE" });
  }
}

/**
 * A semaphore that refuses more releases than acquires, with a RangeError.
 *
 * @example
 * ```ts
 * import { BoundedSemaphore } from "multiproc";
 *
 * const seats = new BoundedSemaphore(1);
 * await seats.acquire();
 * seats.release();
 * try {
 *   seats.release();
 * } catch (error) {
 *   console.log(error instanceof RangeError); // true
 * }
 * ```
 */
export class BoundedSemaphore extends Semaphore {
  static {
    registerPrimitive(BOUNDED_TAG, (existing) => new BoundedSemaphore(existing as never));
  }

  /** @param permits How many there are, at the start and at most; default 1. */
  constructor(permits: number = 1) {
    super(permits);
    if (typeof permits === "number") this.words[this.word + SemaphoreWord.limit] = permits;
  }

  protected override get tag(): string {
    return BOUNDED_TAG;
  }
}

function now(): number {
  return dateNow() & CLOCK_MASK;
}
