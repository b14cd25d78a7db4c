import { Deadline, type WaitOptions } from "../../core/deadline.ts";
import { checkInteger } from "../../core/options.ts";
import { type Caller, currentCall } from "../call-context.ts";
import { WaitList } from "./wait-list.ts";

interface Holder {
  count: number;
  readonly forget: () => void;
}

/** A semaphore. Permits that a process has acquired and not released when it dies are given back. */
export class ManagedSemaphore {
  readonly #waiters = new WaitList<boolean>();
  readonly #holders = new Map<Caller, Holder>();
  #value: number;

  /** @param value Permits at the start; default 1. */
  constructor(value = 1) {
    checkInteger("value", value, 0);
    this.#value = value;
  }

  /** Takes a permit; waits for one if there is none, and gives false when the time ran out. */
  acquire(options?: WaitOptions): boolean | Promise<boolean> {
    const { caller } = currentCall();
    const deadline = Deadline.from(options);
    if (this.#value === 0) return this.#waiters.wait(caller, deadline, false);
    this.#value -= 1;
    this.#credit(caller);
    return true;
  }

  /** Takes a permit if there is one. */
  tryAcquire(): boolean {
    if (this.#value === 0) return false;
    this.#value -= 1;
    this.#credit(currentCall().caller);
    return true;
  }

  /** Gives permits. */
  release(count = 1): void {
    checkInteger("count", count, 1);
    const { caller } = currentCall();
    for (let i = 0; i < count; i++) {
      this.#debit(caller);
      this._give();
    }
  }

  /** Permits that are free. */
  value(): number {
    return this.#value;
  }

  _give(): void {
    const next = this.#waiters.wakeOne(true);
    if (next === undefined) this.#value += 1;
    else this.#credit(next);
  }

  #credit(caller: Caller): void {
    const holder = this.#holders.get(caller);
    if (holder !== undefined) holder.count += 1;
    else this.#holders.set(caller, { count: 1, forget: caller.onGone(() => this.#takeBack(caller)) });
  }

  #debit(caller: Caller): void {
    const holder = this.#holders.get(caller);
    if (holder === undefined || --holder.count > 0) return;
    holder.forget();
    this.#holders.delete(caller);
  }

  #takeBack(caller: Caller): void {
    const count = this.#holders.get(caller)?.count ?? 0;
    this.#holders.delete(caller);
    for (let i = 0; i < count; i++) this._give();
  }
}

/** A semaphore that refuses more releases than acquires. */
export class ManagedBoundedSemaphore extends ManagedSemaphore {
  readonly #limit: number;

  constructor(value = 1) {
    super(value);
    this.#limit = value;
  }

  /** Gives permits back. @throws {RangeError} If there would be more permits than at the start. */
  override release(count = 1): void {
    checkInteger("count", count, 1);
    if (this.value() + count > this.#limit) {
      throw Object.assign(
        new RangeError(
          `Cannot release the bounded semaphore: it has ${this.#limit} permits, and ${this.value()} are free`,
        ),
        { code: "ERR_OUT_OF_RANGE" },
      );
    }
    super.release(count);
  }
}
