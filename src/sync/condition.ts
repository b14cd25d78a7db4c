/** Condition: waiting for a state that others change under the same lock. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { LockNotHeldError, type ProcessDiedError } from "../core/errors.ts";
import { defineHandle } from "../core/handle.ts";
import { checkFunction, checkInteger, typeError } from "../core/options.ts";
import { AdaptiveSpin, TIMED_OUT, WaitQueue } from "../wait/index.ts";
import { abandoned, ABANDONED, AbandonWatch, readNote } from "./abandonment.ts";
import { LockLike } from "./lock-like.ts";
import { Lock } from "./lock.ts";
import { Existing, registerPrimitive, SyncKind } from "./primitive.ts";
import { RLock } from "./rlock.ts";

const TAG = "Condition";
/** Words 0–3 are the wait queue, 4 and 5 the note of a lost holder. */
const BYTES = 24;
const NOTE = 4;

/**
 * A condition with its lock: `wait` releases the lock, waits for a `notify`, and takes the lock again.
 *
 * Waiters are woken first come, first served. One that times out, is aborted or dies eats no `notify`.
 *
 * @example
 * ```ts
 * import { Condition, Process, Value } from "multiproc";
 *
 * const ready = new Condition();
 * const n = new Value("int32", 0);
 * const child = new Process(() => ready.use(() => ((n.value = 4), ready.notify()))).start();
 * await ready.use(() => ready.waitFor(() => n.value === 4));
 * console.log(n.value); // 4
 * await child.join();
 * ```
 */
export class Condition extends LockLike {
  static {
    defineHandle(Condition, (condition) => condition.transfer(TAG, condition.#lock));
    registerPrimitive(TAG, (existing) => new Condition(existing as never));
  }

  readonly #lock: Lock | RLock;
  readonly #queue: WaitQueue;

  /** @param lock A Lock or RLock; default: an RLock of its own. */
  constructor(lock?: Lock | RLock);
  constructor(first?: Lock | RLock | Existing) {
    const existing = first instanceof Existing ? first : undefined;
    const lock = existing === undefined ? (first ?? new RLock()) : existing.options;
    if (!(lock instanceof Lock) && !(lock instanceof RLock)) throw typeError("lock", "a Lock or an RLock", lock);
    super(existing, BYTES, SyncKind.condition);
    this.#lock = lock;
    this.#queue = new WaitQueue(this.word);
  }

  /** Acquires its lock: see Lock. */
  acquire(options?: WaitOptions): Promise<boolean> {
    return this.#lock.acquire(options);
  }

  /** As `acquire`, blocking. */
  acquireSync(options?: WaitOptions): boolean {
    return this.#lock.acquireSync(options);
  }

  /** Takes its lock if that needs no wait. @returns whether it did. */
  tryAcquire(): boolean {
    return this.#lock.tryAcquire();
  }

  /** Releases its lock. @throws {LockNotHeldError} If it is not held. */
  release(): void {
    this.#lock.release();
  }

  /** True while its lock is held. */
  get locked(): boolean {
    return this.#lock.locked;
  }

  /** See Lock. */
  get ownerDied(): boolean {
    return this.#lock.ownerDied;
  }

  /**
   * Releases the lock, waits for a `notify`, and takes the lock again. Of an RLock it gives up one hold; the others are those
   * of other tasks of this process, which must let go, too. (`waitSync` gives up all: no other task can run meanwhile.)
   * @returns false when the time ran out; the lock is held again in any case, also when it rejects with `signal.reason`.
   * @throws {LockNotHeldError} If the lock is not held.
   * @throws {ProcessDiedError} If a process that held the condition died, and all who are left wait for it themselves.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    this.#checkHeld("wait");
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    if (deadline.expired) return false;
    // One hold: an RLock belongs to the process, and its other holds are those of other tasks.
    const onSlice = this.#abandonCheck(deadline, false);
    const parked = this.#queue.park(deadline, { validate: always, onParked: () => this.#lock.release(), onSlice });
    try {
      return this.#wasNotified(await parked);
    } finally {
      await this.#lock.reacquire();
    }
  }

  /** As `wait`, blocking. */
  waitSync(options?: WaitOptions): boolean {
    this.#checkHeld("waitSync");
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    if (deadline.expired) return false;
    let count = 0;
    try {
      const onParked = (): void => void (count = this.#releaseLock());
      const onSlice = this.#abandonCheck(deadline, true);
      return this.#wasNotified(this.#queue.parkSync(deadline, { validate: always, onParked, spin, onSlice }));
    } finally {
      this.#lock.reacquireSync();
      this.#restoreLock(count);
    }
  }

  #wasNotified(token: number): boolean {
    if (token === ABANDONED) throw this.#abandoned();
    return token !== TIMED_OUT;
  }

  /** Ends the waits of all when nobody is left who could notify. */
  #abandonCheck(deadline: Deadline, blocking: boolean): () => void {
    let watch: AbandonWatch | undefined;
    return () => {
      watch ??= new AbandonWatch(this.cell.id, SyncKind.condition, this.word, blocking);
      watch.check(deadline, () => this.#abandoned());
    };
  }

  #abandoned(): ProcessDiedError {
    return abandoned("wait for the condition", "notify", readNote(this.word + NOTE));
  }

  /** Waits until `predicate` gives something true, asked under the lock. @returns its last value, also when the time ran out. */
  async waitFor<T>(predicate: () => T, options?: WaitOptions): Promise<T> {
    checkFunction("predicate", predicate);
    const deadline = Deadline.from(options);
    for (;;) {
      const value = predicate();
      if (value || deadline.expired) return value;
      await this.wait(remaining(deadline));
    }
  }

  /** As `waitFor`, blocking. */
  waitForSync<T>(predicate: () => T, options?: WaitOptions): T {
    checkFunction("predicate", predicate);
    const deadline = Deadline.from(options);
    for (;;) {
      const value = predicate();
      if (value || deadline.expired) return value;
      this.waitSync(remaining(deadline));
    }
  }

  /** Wakes up to `count` waiters. @throws {LockNotHeldError} If the lock is not held. */
  notify(count: number = 1): void {
    checkInteger("count", count, 1);
    this.#checkHeld("notify");
    this.#queue.unpark(count);
  }

  /** Wakes all waiters. @throws {LockNotHeldError} If the lock is not held. */
  notifyAll(): void {
    this.#checkHeld("notifyAll");
    this.#queue.unpark();
  }

  #checkHeld(action: string): void {
    this.checkOpen();
    const held = this.#lock instanceof RLock ? this.#lock.isMine : this.#lock.locked;
    if (!held) throw new LockNotHeldError(`Cannot ${action}: the condition's lock is not held`);
  }

  #releaseLock(): number {
    if (this.#lock instanceof RLock) return this.#lock.releaseAll();
    this.#lock.release();
    return 1;
  }

  #restoreLock(count: number): void {
    if (this.#lock instanceof RLock && count > 1) this.#lock.restore(count);
  }
}

const spin = new AdaptiveSpin();
const always = (): boolean => true;

function remaining(deadline: Deadline): WaitOptions {
  const timeout = deadline.remaining();
  return { signal: deadline.signal, ...(timeout === Infinity ? {} : { timeout }) };
}
