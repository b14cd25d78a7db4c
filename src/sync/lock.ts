/** Lock: mutual exclusion between processes, and between the tasks of one. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { LockNotHeldError } from "../core/errors.ts";
import { defineHandle } from "../core/handle.ts";
import { selfSlot } from "../memory/index.ts";
import { ACQUIRED, LockLike } from "./lock-like.ts";
import { LOCK_BYTES } from "./lock-layout.ts";
import { checkLockOptions, type LockOptions, writeLockOptions } from "./lock-options.ts";
import { LockWord } from "./lock-word.ts";
import { Existing, registerPrimitive, SyncKind } from "./primitive.ts";

const TAG = "Lock";

/**
 * A lock that one task of one process holds at a time.
 *
 * - Not reentrant: who acquires it twice waits for himself. Another process may release it, as in Python.
 * - If the process that holds it ends, in whatever way, the next acquirer gets it and `ownerDied` is true until it is released.
 * - Fair in the long run: a released lock goes to whoever comes first, but who has waited longer than some milliseconds is
 *   handed it directly.
 *
 * @example
 * ```ts
 * import { Lock, Process, Value } from "multiproc";
 *
 * const lock = new Lock();
 * const total = new Value("int32", 0);
 * const add = () => lock.use(() => void (total.value = total.value + 1));
 * const children = [1, 2, 3].map(() => new Process(add).start());
 * for (const child of children) await child.join();
 * console.log(total.value); // 3
 * ```
 */
export class Lock extends LockLike {
  static {
    defineHandle(Lock, (lock) => lock.transfer(TAG, undefined));
    registerPrimitive(TAG, (existing) => new Lock(existing as never));
  }

  readonly #lock: LockWord;

  /** @param options `detectDeadlock`, `name`. */
  constructor(options?: LockOptions);
  constructor(first: LockOptions | Existing = {}) {
    if (!(first instanceof Existing)) checkLockOptions("Lock", first);
    super(first instanceof Existing ? first : undefined, LOCK_BYTES, SyncKind.lock);
    if (!(first instanceof Existing)) writeLockOptions(this.word, first, false);
    this.#lock = new LockWord(this.words, this.cell.id, selfSlot() + 1);
  }

  /** True while somebody holds it. */
  get locked(): boolean {
    return this.#lock.owner !== 0;
  }

  /** True from an acquire that followed the death of the holder until the release. */
  get ownerDied(): boolean {
    return this.#lock.ownerDied;
  }

  /** Takes it if it is free. @returns whether it did. */
  tryAcquire(): boolean {
    return this.#lock.tryAcquire();
  }

  /** Waits for it and takes it. @returns false when the time ran out. Rejects with `signal.reason` when aborted. */
  acquire(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && this.#lock.tryAcquire()) return ACQUIRED;
    return this.#acquire(options);
  }

  async #acquire(options: WaitOptions | undefined): Promise<boolean> {
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    return this.#lock.tryAcquire() || this.#lock.acquire(deadline);
  }

  /** As `acquire`, blocking. */
  acquireSync(options?: WaitOptions): boolean {
    if (options === undefined && this.#lock.tryAcquire()) return true;
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    return this.#lock.acquireSync(deadline);
  }

  /** For Condition, which promises that it is held after a wait: acquires it, whatever `detectDeadlock` says. @internal */
  async reacquire(): Promise<void> {
    if (this.#lock.tryAcquire()) return;
    await this.#lock.acquire(Deadline.never, false);
  }

  /** As `reacquire`, blocking. @internal */
  reacquireSync(): void {
    if (this.#lock.tryAcquire()) return;
    this.#lock.acquireSync(Deadline.never, false);
  }

  /** Releases it. @throws {LockNotHeldError} If nobody holds it. */
  release(): void {
    if (!this.#lock.release()) throw new LockNotHeldError("Cannot release the lock: nobody holds it");
  }
}
