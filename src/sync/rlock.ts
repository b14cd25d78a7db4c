/** RLock: a lock that its owner may acquire again. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { LockNotHeldError } from "../core/errors.ts";
import { defineHandle } from "../core/handle.ts";
import { selfSlot } from "../memory/index.ts";
import { ACQUIRED, LockLike } from "./lock-like.ts";
import { LOCK_BYTES } from "./lock-layout.ts";
import { checkLockOptions, type LockOptions, writeLockOptions } from "./lock-options.ts";
import { LockWord } from "./lock-word.ts";
import { Existing, registerPrimitive, SyncKind } from "./primitive.ts";

const TAG = "RLock";

/**
 * A lock that belongs to a process, which may acquire it again while it holds it, and must release it as often.
 *
 * If the process that holds it ends, the next acquirer gets it and `ownerDied` is true until it is released.
 *
 * @example
 * ```ts
 * import { RLock } from "multiproc";
 *
 * const lock = new RLock();
 * const inner = () => lock.use(() => "both hold it");
 * console.log(await lock.use(inner)); // both hold it
 * ```
 */
export class RLock extends LockLike {
  static {
    defineHandle(RLock, (lock) => lock.transfer(TAG, undefined));
    registerPrimitive(TAG, (existing) => new RLock(existing as never));
  }

  readonly #lock: LockWord;

  /** @param options `detectDeadlock`, `name`. */
  constructor(options?: LockOptions);
  constructor(first: LockOptions | Existing = {}) {
    if (!(first instanceof Existing)) checkLockOptions("RLock", first);
    super(first instanceof Existing ? first : undefined, LOCK_BYTES, SyncKind.lock);
    if (!(first instanceof Existing)) writeLockOptions(this.word, first, true);
    this.#lock = new LockWord(this.words, this.cell.id, selfSlot() + 1);
  }

  /** True while a process holds it. */
  get locked(): boolean {
    return this.#lock.owner !== 0;
  }

  /** True while this process holds it. */
  get isMine(): boolean {
    return this.#lock.isMine;
  }

  /** True from an acquire that followed the death of the holder until the last release. */
  get ownerDied(): boolean {
    return this.#lock.ownerDied;
  }

  /** Takes it if it is free or this process's. @returns whether it did. */
  tryAcquire(): boolean {
    const lock = this.#lock;
    if (!lock.isMine) return lock.tryAcquire();
    lock.count += 1;
    return true;
  }

  /** Waits for it and takes it. @returns false when the time ran out. Rejects with `signal.reason` when aborted. */
  acquire(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && this.tryAcquire()) return ACQUIRED;
    return this.#acquire(options);
  }

  async #acquire(options: WaitOptions | undefined): Promise<boolean> {
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    return this.tryAcquire() || this.#lock.acquire(deadline);
  }

  /** As `acquire`, blocking. */
  acquireSync(options?: WaitOptions): boolean {
    if (options === undefined && this.tryAcquire()) return true;
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    return this.tryAcquire() || this.#lock.acquireSync(deadline);
  }

  /** For Condition, which promises that it is held after a wait: acquires it, whatever `detectDeadlock` says. @internal */
  async reacquire(): Promise<void> {
    if (this.tryAcquire()) return;
    await this.#lock.acquire(Deadline.never, false);
  }

  /** As `reacquire`, blocking. @internal */
  reacquireSync(): void {
    if (this.tryAcquire()) return;
    this.#lock.acquireSync(Deadline.never, false);
  }

  /** Releases it once. @throws {LockNotHeldError} If this process does not hold it. */
  release(): void {
    const lock = this.#lock;
    if (!lock.isMine) {
      const whose = lock.owner === 0 ? "nobody holds it" : "another process holds it";
      throw new LockNotHeldError(`Cannot release the lock: ${whose}`);
    }
    lock.count -= 1;
    if (lock.count <= 0) {
      lock.count = 0;
      lock.release();
    }
  }

  /** Releases it wholly. @returns how often it was held, for `restore`. @internal */
  releaseAll(): number {
    const { count } = this.#lock;
    this.#lock.count = 0;
    this.#lock.release();
    return count;
  }

  /**
   * After an acquire: makes it held as often as before `releaseAll`, beside what other tasks of this process hold by now.
   * @internal
   */
  restore(count: number): void {
    this.#lock.count += count - 1;
  }
}
