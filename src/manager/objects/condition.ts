import { Deadline, type WaitOptions } from "../../core/deadline.ts";
import { LockNotHeldError } from "../../core/errors.ts";
import { checkInteger } from "../../core/options.ts";
import { currentCall } from "../call-context.ts";
import { ManagedRLock, type Ownership } from "./lock.ts";
import { WaitList } from "./wait-list.ts";

/** A condition with its lock. */
export class ManagedCondition {
  readonly #ownership: Ownership;
  readonly #waiters = new WaitList<boolean>();

  /** @param lock The lock it uses; default: an RLock of its own. */
  constructor(lock: { readonly _ownership: Ownership } = new ManagedRLock()) {
    this.#ownership = lock._ownership;
  }

  /** Acquires its lock; gives false when the time ran out. */
  acquire(options?: WaitOptions): boolean | Promise<boolean> {
    return this.#ownership.acquire(currentCall().caller, Deadline.from(options));
  }

  /** Takes its lock if that needs no wait; gives whether it did. */
  tryAcquire(): boolean {
    return this.#ownership.acquire(currentCall().caller, Deadline.from({ timeout: 0 })) === true;
  }

  /** Releases its lock. @throws {LockNotHeldError} If this process does not hold it. */
  release(): void {
    this.#ownership.release(currentCall().caller, "the condition");
  }

  /** True while its lock is held. */
  locked(): boolean {
    return this.#ownership.owner !== undefined;
  }

  /** True from an acquire that followed the death of the holder until the release. */
  ownerDied(): boolean {
    return this.#ownership.ownerDied;
  }

  /**
   * Releases the lock, waits until notified, and takes the lock again; gives false when the time ran out.
   * @throws {LockNotHeldError} If this process does not hold the lock.
   */
  async wait(options?: WaitOptions): Promise<boolean> {
    const { caller } = currentCall();
    this.#assertHeld("wait for");
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    if (deadline.expired) return false;
    const depth = this.#ownership.giveUp();
    try {
      return await this.#waiters.wait(caller, deadline, false);
    } finally {
      if (!caller.gone) await this.#ownership.takeBack(caller, depth);
    }
  }

  /** Wakes up to `count` waiters. @throws {LockNotHeldError} If this process does not hold the lock. */
  notify(count = 1): void {
    checkInteger("count", count, 0);
    this.#assertHeld("notify");
    for (let i = 0; i < count && this.#waiters.wakeOne(true) !== undefined; i++);
  }

  /** Wakes all waiters. @throws {LockNotHeldError} If this process does not hold the lock. */
  notifyAll(): void {
    this.#assertHeld("notify");
    this.#waiters.wakeAll(true);
  }

  #assertHeld(action: string): void {
    const { caller } = currentCall();
    if (this.#ownership.owner === caller) return;
    throw new LockNotHeldError(`Cannot ${action} the condition: ${caller.name} does not hold its lock`);
  }
}
