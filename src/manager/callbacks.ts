/**
 * Functions that are called back: they stay in their process, and the manager gets something to call them by. For events:
 * `counter.on("tick", (n) => …)`.
 */

import { StateError } from "../core/errors.ts";
import { defineHandle, registerHandle } from "../core/handle.ts";

const TAG = "ManagerCallback";

type AnyFunction = (...args: never[]) => unknown;

/** What the manager is sent in place of a function. */
class Callback {
  readonly number: number;

  static {
    defineHandle(Callback, ({ number }) => ({ tag: TAG, data: number }));
  }

  constructor(number: number) {
    this.number = number;
  }
}

/** The functions of this process that one manager can call. */
export class Callbacks {
  readonly #numbers = new Map<AnyFunction, Callback>();
  readonly #functions = new Map<number, AnyFunction>();

  /** What to send in place of a function: the same each time, so that it can be removed again. */
  add(fn: AnyFunction): object {
    let callback = this.#numbers.get(fn);
    if (callback === undefined) {
      callback = new Callback(this.#numbers.size + 1);
      this.#numbers.set(fn, callback);
      this.#functions.set(callback.number, fn);
    }
    return callback;
  }

  /** Calls a function; in a turn of its own, so that what it throws is an uncaught exception as that of any listener. */
  call(number: number, args: readonly unknown[]): void {
    const fn = this.#functions.get(number);
    if (fn !== undefined) setImmediate(() => void fn(...(args as never[])));
  }
}

/** In the server: makes functions that call back. Set while a message of a client is read. */
let receiving: ((number: number) => AnyFunction) | undefined;

/** Reads a message of a client: callbacks in it become functions that `make` gives. */
export function receiveCallbacks<R>(make: (number: number) => AnyFunction, read: () => R): R {
  const before = receiving;
  receiving = make;
  try {
    return read();
  } finally {
    receiving = before;
  }
}

registerHandle(TAG, (number: number) => {
  if (receiving === undefined) throw new StateError("Cannot receive a callback: only managers call back");
  return receiving(number);
});
