/** The pool's side of an AsyncResult: settles it, tells the callbacks, and ends the call when its signal is aborted. */

import { CancelledError } from "../core/errors.ts";
import { onAbort } from "../core/on-abort.ts";
import { AsyncResult, type ResultSource, settle } from "./async-result.ts";
import { callBack } from "./callbacks.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Settler } from "./settler.ts";
import { waitForPools } from "./wait-for-pools.ts";

/** What calls with callbacks have in common. */
export interface Callbacks<R> {
  /** Called with the value. One that throws, or rejects, becomes a process warning. */
  readonly callback?: ((value: R) => unknown) | undefined;
  /** Called with the error. */
  readonly errorCallback?: ((error: unknown) => unknown) | undefined;
}

interface ResultOptions<R> extends Callbacks<R> {
  readonly signal?: AbortSignal | undefined;
}

/** A call, as it can be ended from outside. */
export interface Cancellable {
  /** @returns false when it has ended already. */
  cancel(error: unknown): boolean;
}

export class PendingResult<R> implements Settler, ResultSource {
  readonly result: AsyncResult<R>;
  readonly #scheduler: Scheduler;
  readonly #options: ResultOptions<R> | undefined;
  #call: Cancellable | undefined;
  #stopListening: (() => void) | undefined;

  /** @throws The signal's reason, if it is aborted. */
  constructor(scheduler: Scheduler, options: ResultOptions<R> | undefined) {
    options?.signal?.throwIfAborted();
    this.#scheduler = scheduler;
    this.#options = options;
    this.result = new AsyncResult<R>(this);
  }

  /** The call has begun. */
  follow(call: Cancellable): AsyncResult<R> {
    this.#call = call;
    const signal = this.#options?.signal;
    if (signal !== undefined && !this.result.ready())
      this.#stopListening = onAbort(signal, () => void call.cancel(signal.reason));
    return this.result;
  }

  value(value: unknown): void {
    this.#stopListening?.();
    settle(this.result, "fulfilled", value);
    callBack("result", this.#options?.callback, value as R);
  }

  error(error: unknown): void {
    this.#stopListening?.();
    settle(this.result, "rejected", error);
    callBack("error", this.#options?.errorCallback, error);
  }

  cancel(): boolean {
    return this.#call?.cancel(new CancelledError("The task was cancelled")) ?? false;
  }

  waitSync(milliseconds: number): void {
    waitForPools(this.#scheduler, milliseconds);
  }
}
