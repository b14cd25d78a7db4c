/** Locks that live in a manager. They belong to the process that acquired them, and are passed on when it dies. */

import { Deadline, type WaitOptions } from "../../core/deadline.ts";
import { LockNotHeldError } from "../../core/errors.ts";
import { type Caller, currentCall } from "../call-context.ts";
import { WaitList } from "./wait-list.ts";

/** Who holds a lock and who waits for it; under both kinds of lock and under conditions. */
export class Ownership {
  readonly #waiters = new WaitList<boolean>();
  readonly #reentrant: boolean;
  #owner: Caller | undefined;
  #depth = 0;
  #ownerDied = false;
  #forget: (() => void) | undefined;

  constructor(reentrant: boolean) {
    this.#reentrant = reentrant;
  }

  get owner(): Caller | undefined {
    return this.#owner;
  }

  get ownerDied(): boolean {
    return this.#ownerDied;
  }

  acquire(caller: Caller, deadline: Deadline): boolean | Promise<boolean> {
    if (this.#reentrant && this.#owner === caller) {
      this.#depth += 1;
      return true;
    }
    if (this.#owner === undefined) {
      this.#take(caller, 1);
      return true;
    }
    return this.#waiters.wait(caller, deadline, false);
  }

  release(caller: Caller, what: string): void {
    if (this.#owner === undefined) throw new LockNotHeldError(`Cannot release ${what}: nobody holds it`);
    if (this.#reentrant && this.#owner !== caller) {
      throw new LockNotHeldError(`Cannot release ${what}: ${this.#owner.name} holds it, not ${caller.name}`);
    }
    this.#depth -= 1;
    if (this.#depth === 0) this.#passOn(false);
  }

  /** Lets go entirely, however often it was acquired. @returns how often, for `takeBack`. */
  giveUp(): number {
    const depth = this.#depth;
    this.#passOn(false);
    return depth;
  }

  /** Waits for it and holds it as often as before `giveUp`. */
  async takeBack(caller: Caller, depth: number): Promise<void> {
    if (await this.acquire(caller, Deadline.never)) this.#depth = depth;
  }

  #take(caller: Caller, depth: number): void {
    this.#owner = caller;
    this.#depth = depth;
    this.#forget = caller.onGone(() => this.#passOn(true));
  }

  #passOn(ownerDied: boolean): void {
    this.#forget?.();
    this.#owner = undefined;
    this.#depth = 0;
    this.#ownerDied = ownerDied;
    const next = this.#waiters.wakeOne(true);
    if (next !== undefined) this.#take(next, 1);
  }
}

/** What both kinds of lock expose. */
abstract class ManagedLockBase {
  /** Not exposed; for conditions. */
  readonly _ownership: Ownership;
  readonly #what: string;

  constructor(reentrant: boolean, what: string) {
    this._ownership = new Ownership(reentrant);
    this.#what = what;
  }

  /** Waits until this process has it; gives false when the time ran out. */
  acquire(options?: WaitOptions): boolean | Promise<boolean> {
    return this._ownership.acquire(currentCall().caller, Deadline.from(options));
  }

  /** Takes it if that is possible at once. */
  tryAcquire(): boolean {
    return this._ownership.acquire(currentCall().caller, Deadline.from({ timeout: 0 })) === true;
  }

  /** Releases it. @throws {LockNotHeldError} If nobody holds it; for an RLock also if another process does. */
  release(): void {
    this._ownership.release(currentCall().caller, this.#what);
  }

  /** True while somebody holds it. */
  locked(): boolean {
    return this._ownership.owner !== undefined;
  }

  /** True from the death of a holder until the next one has released it. */
  ownerDied(): boolean {
    return this._ownership.ownerDied;
  }
}

/** A lock; any process may release it. */
export class ManagedLock extends ManagedLockBase {
  constructor() {
    super(false, "the lock");
  }
}

/** A lock that its holder may acquire again, and that only the holder's process may release. */
export class ManagedRLock extends ManagedLockBase {
  constructor() {
    super(true, "the RLock");
  }
}
