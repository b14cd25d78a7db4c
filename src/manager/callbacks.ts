/**
 * Functions that are called back: they stay in their process, and the manager gets something to call them by. For events:
 * `counter.on("tick", (n) => …)`.
 */

import { StateError } from "../core/errors.ts";
import { defineHandle, registerHandle } from "../core/handle.ts";
import { queueMicrotask } from "../core/timers.ts";

const TAG = "ManagerCallback";

type AnyFunction = (...args: never[]) => unknown;

/** What the manager is sent in place of a function. */
class Callback {
  readonly number: number;
  readonly fn: AnyFunction;
  /** How often the manager was sent it, and has not yet said that it forgot it. */
  uses = 0;
  readonly #onUse: (callback: Callback, change: number) => void;

  static {
    defineHandle(Callback, (callback) => {
      callback.#onUse(callback, 1);
      return { tag: TAG, data: callback.number, abort: () => callback.#onUse(callback, -1) };
    });
  }

  constructor(number: number, fn: AnyFunction, onUse: (callback: Callback, change: number) => void) {
    this.number = number;
    this.fn = fn;
    this.#onUse = onUse;
  }
}

/** The functions of this process that one manager can call: those that it was sent and may still hold. */
export class Callbacks {
  readonly #known = new WeakMap<AnyFunction, Callback>();
  readonly #used = new Map<number, Callback>();
  #last = 0;

  /** How many functions the manager can call. */
  get size(): number {
    return this.#used.size;
  }

  /** What to send in place of a function: the same each time, so that it can be removed again. */
  add(fn: AnyFunction): object {
    let callback = this.#known.get(fn);
    if (callback === undefined) {
      callback = new Callback(++this.#last, fn, (each, change) => this.#use(each, change));
      this.#known.set(fn, callback);
    }
    return callback;
  }

  /** Calls a function: on its own, so that what it throws is an uncaught exception as that of any listener, but before what replies bring that come later. */
  call(number: number, args: readonly unknown[]): void {
    const fn = this.#used.get(number)?.fn;
    if (fn !== undefined) queueMicrotask(() => void fn(...(args as never[])));
  }

  /** The manager does not hold a function any more that it was sent `times` times. */
  forget(number: number, times: number): void {
    const callback = this.#used.get(number);
    if (callback !== undefined) this.#use(callback, -times);
  }

  #use(callback: Callback, change: number): void {
    callback.uses += change;
    if (callback.uses > 0) this.#used.set(callback.number, callback);
    else this.#used.delete(callback.number);
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
