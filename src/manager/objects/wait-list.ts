/** Those who wait in the server for something that another call will bring, first come first served. */

import { type Deadline, MAX_TIMER_MS } from "../../core/deadline.ts";
import { clearTimeout, setTimeout } from "../../core/timers.ts";
import { type Caller, currentCall } from "../call-context.ts";

interface Waiter<T> {
  readonly caller: Caller;
  readonly finish: (value: T) => void;
}

export class WaitList<T> {
  readonly #waiters = new Set<Waiter<T>>();

  get size(): number {
    return this.#waiters.size;
  }

  /**
   * Waits until woken.
   * @param late What it gives when the time runs out, or when the caller is gone (then nobody hears it).
   * Rejects with the signal's reason when aborted, and if the call that is being served must not wait.
   */
  wait(caller: Caller, deadline: Deadline, late: T): Promise<T> {
    if (caller.gone || deadline.expired) return Promise.resolve(late);
    if (deadline.signal?.aborted === true) return Promise.reject(deadline.signal.reason as Error);
    const refusal = currentCall().mustNotWait?.();
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const left = deadline.remaining();
      const leave = (): void => {
        this.#waiters.delete(waiter);
        clearTimeout(timer);
        deadline.signal?.removeEventListener("abort", abort);
        forget();
      };
      const finish = (value: T): void => {
        leave();
        resolve(value);
      };
      const abort = (): void => {
        leave();
        reject(deadline.signal?.reason as Error);
      };
      const time = Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(left)));
      const timer = left === Infinity ? undefined : setTimeout(() => finish(late), time);
      const forget = caller.onGone(() => finish(late));
      const waiter: Waiter<T> = { caller, finish };
      deadline.signal?.addEventListener("abort", abort, { once: true });
      this.#waiters.add(waiter);
    });
  }

  /** Wakes the first waiter. @returns whose it is; undefined when there is none. */
  wakeOne(value: T): Caller | undefined {
    for (const waiter of this.#waiters) {
      waiter.finish(value);
      return waiter.caller;
    }
    return undefined;
  }

  wakeAll(value: T): void {
    // Only those who wait now: who is woken may wait again.
    const waiting = Array.from(this.#waiters);
    for (const waiter of waiting) waiter.finish(value);
  }
}
