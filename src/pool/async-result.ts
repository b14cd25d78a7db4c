/** AsyncResult: what will come of a call. Source of its behaviour: CPython's `multiprocessing.pool.AsyncResult`. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { deferred, type Deferred } from "../core/deferred.ts";
import { StateError, TimeoutError } from "../core/errors.ts";
import { onAbort } from "../core/on-abort.ts";
import { clearTimeout, setTimeout } from "../core/timers.ts";

/** How a result reaches its pool. */
export interface ResultSource {
  /** Ends the call's tasks. @returns false when there is nothing left to end. */
  cancel(): boolean;
  /** Blocks until something has happened in the pool, at most for a time. */
  waitSync(milliseconds: number): void;
}

type State = "pending" | "fulfilled" | "rejected";

const MAX_TIMER_MS = 2 ** 31 - 1;

/** For who makes a result: says what came of it. The first time counts. */
export let settle: <R>(result: AsyncResult<R>, state: "fulfilled" | "rejected", value: unknown) => void;

/**
 * The result of a call that is under way. It can be awaited; nobody has to: an error that nobody asks for stays here.
 *
 * @example
 * ```ts
 * import { Pool } from "multiproc";
 *
 * await using pool = new Pool(2);
 * const result = pool.applyAsync((n: number) => n * 2, [21]);
 * console.log(await result.get({ timeout: 10_000 })); // 42
 * ```
 */
export class AsyncResult<R> implements PromiseLike<R> {
  readonly #source: ResultSource;
  #state: State = "pending";
  /** What was returned or thrown. */
  #value: unknown;
  /** One for all who wait without a limit; made when the first does, so that what nobody asks for is no unhandled rejection. */
  #deferred: Deferred<R> | undefined;
  #waiting: (() => void)[] | undefined;

  static {
    settle = (result, state, value) => result.#settle(state, value);
  }

  /** Results are made by pools. @internal */
  constructor(source: ResultSource) {
    this.#source = source;
  }

  /** True when the call has ended, well or not. */
  ready(): boolean {
    return this.#state !== "pending";
  }

  /** True when it ended well. @throws {StateError} If it has not ended. */
  successful(): boolean {
    if (this.#state === "pending") throw new StateError("Cannot say whether the call was successful: it has not ended");
    return this.#state === "fulfilled";
  }

  /**
   * The value. Rejects with the task's error, with TimeoutError when the time runs out (the task goes on), with the reason
   * when aborted (the task goes on).
   */
  get(options?: WaitOptions): Promise<R> {
    return options === undefined ? this.#promise() : this.#getWithin(options);
  }

  /** As `get`, blocking. */
  getSync(options?: WaitOptions): R {
    if (!this.waitSync(options)) throw tooLate(options);
    if (this.#state === "rejected") throw this.#value;
    return this.#value as R;
  }

  /** Waits until the call has ended, well or not. @returns false when the time ran out. */
  async wait(options?: WaitOptions): Promise<boolean> {
    return this.#await(Deadline.from(options));
  }

  /** As `wait`, blocking. */
  waitSync(options?: WaitOptions): boolean {
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    this.#source.waitSync(0);
    while (this.#state === "pending") {
      if (deadline.expired) return false;
      this.#source.waitSync(deadline.remaining());
    }
    return true;
  }

  /**
   * Ends the call with CancelledError. A task that runs is stopped: its worker is asked to end (SIGTERM), then killed, and
   * replaced. Other tasks go on.
   * @returns false when it had ended already.
   */
  cancel(): boolean {
    return this.#state === "pending" && this.#source.cancel();
  }

  // oxlint-disable-next-line unicorn/no-thenable -- It is meant to be awaited.
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onValue, onError);
  }

  /** As that of a promise. */
  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.#promise().catch(onError);
  }

  /** As that of a promise. */
  finally(onEnd?: (() => void) | null): Promise<R> {
    return this.#promise().finally(onEnd);
  }

  #settle(state: State, value: unknown): void {
    if (this.#state !== "pending") return;
    this.#state = state;
    this.#value = value;
    if (this.#deferred !== undefined) this.#tell(this.#deferred);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) for (const tell of waiting) tell();
  }

  #promise(): Promise<R> {
    if (this.#deferred === undefined) {
      this.#deferred = deferred<R>();
      if (this.#state !== "pending") this.#tell(this.#deferred);
    }
    return this.#deferred.promise;
  }

  #tell({ resolve, reject }: Deferred<R>): void {
    if (this.#state === "fulfilled") resolve(this.#value as R);
    else reject(this.#value);
  }

  async #getWithin(options: WaitOptions): Promise<R> {
    if (!(await this.#await(Deadline.from(options)))) throw tooLate(options);
    return this.#promise();
  }

  /** @returns false when the time ran out. */
  #await(deadline: Deadline): Promise<boolean> {
    const { signal } = deadline;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#state !== "pending") return Promise.resolve(true);
    if (deadline.expired) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      const left = deadline.remaining();
      const leave = (): void => {
        clearTimeout(timer);
        stopListening?.();
        this.#waiting = this.#waiting?.filter((each) => each !== end);
      };
      const end = (): void => {
        leave();
        resolve(this.#state !== "pending");
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      const timer = left === Infinity ? undefined : setTimeout(end, Math.min(MAX_TIMER_MS, Math.ceil(left)));
      const stopListening = signal === undefined ? undefined : onAbort(signal, abort);
      (this.#waiting ??= []).push(end);
    });
  }
}

function tooLate(options: WaitOptions | undefined): TimeoutError {
  return new TimeoutError(`Cannot give the result: there is none after ${String(options?.timeout)} ms`);
}
