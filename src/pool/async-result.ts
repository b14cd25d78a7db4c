/** AsyncResult: what will come of a call. Source of its behaviour: CPython's `multiprocessing.pool.AsyncResult`. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { StateError, TimeoutError } from "../core/errors.ts";

type Outcome<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown };

/** How a result reaches its pool. */
export interface ResultSource {
  /** Ends the call's tasks. @returns false when there is nothing left to end. */
  cancel(): boolean;
  /** Blocks until something has happened in the pool, at most for a time. */
  waitSync(milliseconds: number): void;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

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
  #outcome: Outcome<R> | undefined;
  #waiting: ((outcome: Outcome<R>) => void)[] = [];

  /** Results are made by pools. */
  constructor(source: ResultSource, start: (settle: (outcome: Outcome<R>) => void) => void) {
    this.#source = source;
    start((outcome) => this.#settle(outcome));
  }

  /** True when the call has ended, well or not. */
  ready(): boolean {
    return this.#outcome !== undefined;
  }

  /** True when it ended well. @throws {StateError} If it has not ended. */
  successful(): boolean {
    if (this.#outcome === undefined)
      throw new StateError("Cannot say whether the call was successful: it has not ended");
    return this.#outcome.ok;
  }

  /**
   * The value. Rejects with the task's error, with TimeoutError when the time runs out (the task goes on), with the reason
   * when aborted (the task goes on).
   */
  async get(options?: WaitOptions): Promise<R> {
    const deadline = Deadline.from(options);
    const outcome = await this.#await(deadline);
    if (outcome === undefined) throw tooLate(options);
    if (outcome.ok) return outcome.value;
    throw outcome.error;
  }

  /** As `get`, blocking. */
  getSync(options?: WaitOptions): R {
    if (!this.waitSync(options)) throw tooLate(options);
    const outcome = this.#outcome as Outcome<R>;
    if (outcome.ok) return outcome.value;
    throw outcome.error;
  }

  /** Waits until the call has ended, well or not. @returns false when the time ran out. */
  async wait(options?: WaitOptions): Promise<boolean> {
    return (await this.#await(Deadline.from(options))) !== undefined;
  }

  /** As `wait`, blocking. */
  waitSync(options?: WaitOptions): boolean {
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    this.#source.waitSync(0);
    while (this.#outcome === undefined) {
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
    return this.#outcome === undefined && this.#source.cancel();
  }

  // oxlint-disable-next-line unicorn/no-thenable -- It is meant to be awaited.
  then<A = R, B = never>(
    onValue?: ((value: R) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.get().then(onValue, onError);
  }

  /** As that of a promise. */
  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<R | B> {
    return this.get().catch(onError);
  }

  /** As that of a promise. */
  finally(onEnd?: (() => void) | null): Promise<R> {
    return this.get().finally(onEnd);
  }

  #settle(outcome: Outcome<R>): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(outcome);
  }

  #await(deadline: Deadline): Promise<Outcome<R> | undefined> {
    const { signal } = deadline;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#outcome !== undefined) return Promise.resolve(this.#outcome);
    if (deadline.expired) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const left = deadline.remaining();
      const timer =
        left === Infinity ? undefined : setTimeout(() => end(undefined), Math.min(MAX_TIMER_MS, Math.ceil(left)));
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        this.#waiting = this.#waiting.filter((each) => each !== end);
      };
      const end = (outcome: Outcome<R> | undefined): void => {
        leave();
        resolve(outcome);
      };
      const abort = (): void => {
        leave();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push(end);
    });
  }
}

function tooLate(options: WaitOptions | undefined): TimeoutError {
  return new TimeoutError(`Cannot give the result: there is none after ${String(options?.timeout)} ms`);
}
