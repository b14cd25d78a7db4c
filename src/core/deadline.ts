/** Time-out and AbortSignal of a wait, as one object. */

import { rangeError, typeError } from "./options.ts";
import { performance } from "./timers.ts";

/** What Node's timers can do; a longer time would end at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** What every call that waits takes. */
export interface WaitOptions {
  /** Milliseconds; 0 or less asks once and does not wait. Default: no limit. */
  timeout?: number | undefined;
  /** Aborting it rejects the wait with `signal.reason`. */
  signal?: AbortSignal | undefined;
}

/** When a wait ends without having got what it waited for. */
export class Deadline {
  static readonly never: Deadline = new Deadline(Infinity, undefined);

  /** On the clock of `performance.now()`; Infinity for no limit. */
  readonly at: number;
  readonly signal: AbortSignal | undefined;

  private constructor(at: number, signal: AbortSignal | undefined) {
    this.at = at;
    this.signal = signal;
  }

  /** Checks the options and starts the clock. */
  static from(options: WaitOptions | undefined): Deadline {
    if (options === undefined) return Deadline.never;
    if (typeof options !== "object" || options === null)
      throw typeError("options", "an object such as { timeout: 100 }", options);
    const { timeout, signal } = options;
    if (signal !== undefined && !isAbortSignal(signal)) throw typeError("options.signal", "an AbortSignal", signal);
    if (timeout === undefined) return signal === undefined ? Deadline.never : new Deadline(Infinity, signal);
    if (typeof timeout !== "number") throw typeError("options.timeout", "a number of milliseconds", timeout);
    if (Number.isNaN(timeout)) throw rangeError("options.timeout", "a number of milliseconds", timeout);
    return new Deadline(timeout <= 0 ? 0 : performance.now() + timeout, signal);
  }

  /** Milliseconds left, never negative; Infinity without a limit. */
  remaining(): number {
    if (this.at === Infinity) return Infinity;
    return this.at === 0 ? 0 : Math.max(0, this.at - performance.now());
  }

  /** True when there is nothing to wait for: asked once, that is all. */
  get expired(): boolean {
    return this.remaining() === 0;
  }

  /** True when the wait may end without having got what it waited for. */
  get isLimited(): boolean {
    return this.at !== Infinity || this.signal !== undefined;
  }

  /** Throws the reason if the signal is aborted already. */
  throwIfAborted(): void {
    this.signal?.throwIfAborted();
  }
}

function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === "object" && value !== null && typeof (value as AbortSignal).throwIfAborted === "function";
}
