/** The options of a pool's calls, and what they are given. Checked at once. */

import { checkFunction, checkInteger, checkKnownOptions, checkObject, typeError } from "../core/options.ts";
import type { Callbacks } from "./pending-result.ts";
import { checkDuration, checkSignal } from "./pool-options.ts";
import { checkProgress, type ProgressOption } from "./progress.ts";

/** Options of `applyAsync`. */
export interface ApplyOptions<R> extends Callbacks<R> {
  /** Milliseconds that the task may run, from its beginning. Default: the pool's `taskTimeout`. */
  readonly timeout?: number;
  /** Aborting it ends the call with `signal.reason`; a task that runs is stopped. */
  readonly signal?: AbortSignal;
}

/** Options of `map`, `starmap`, `imap` and `imapUnordered`. */
export interface MapOptions {
  /** Items in a task. Default: as Python's, four tasks for each worker; of `imap`: by the time that items take. */
  readonly chunkSize?: number;
  /** `true` draws a bar on a terminal; a function gets the counts. */
  readonly progress?: ProgressOption;
  /** Aborting it ends the call with `signal.reason`; tasks that run are stopped. */
  readonly signal?: AbortSignal;
  /** Milliseconds that a task (a chunk) may run, from its beginning. Default: the pool's `taskTimeout`. */
  readonly timeout?: number;
}

/** Options of `mapAsync` and `starmapAsync`. */
export type MapAsyncOptions<R> = MapOptions & Callbacks<R[]>;

const CALLBACKS = ["callback", "errorCallback"];
export const APPLY_OPTIONS: readonly string[] = ["timeout", "signal", ...CALLBACKS];
export const MAP_OPTIONS: readonly string[] = ["chunkSize", "progress", "signal", "timeout"];
export const MAP_ASYNC_OPTIONS: readonly string[] = [...MAP_OPTIONS, ...CALLBACKS];

/** @param known The options of the method. @throws {TypeError | RangeError} */
export function checkCallOptions(method: string, options: unknown, known: readonly string[]): void {
  checkObject("options", options);
  checkKnownOptions(method, options, known);
  const { chunkSize, progress, signal, timeout, callback, errorCallback } = options as MapAsyncOptions<unknown>;
  if (chunkSize !== undefined) checkInteger("options.chunkSize", chunkSize, 1);
  if (timeout !== undefined) checkDuration("options.timeout", timeout);
  if (callback !== undefined) checkFunction("options.callback", callback);
  if (errorCallback !== undefined) checkFunction("options.errorCallback", errorCallback);
  checkProgress(progress);
  checkSignal("options.signal", signal);
}

export function checkTuple(name: string, args: unknown): void {
  if (!Array.isArray(args)) throw typeError(name, "an array of arguments", args);
}

export function checkIterable(items: unknown): void {
  const { [Symbol.iterator]: iterator, [Symbol.asyncIterator]: asyncIterator } = (items ?? {}) as Iterable<unknown> &
    AsyncIterable<unknown>;
  if ((typeof iterator !== "function" && typeof asyncIterator !== "function") || typeof items === "string")
    throw typeError("items", "an array, or another iterable or async iterable", items);
}
