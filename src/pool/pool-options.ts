/** The options of a pool and of its calls, checked at once. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import {
  checkFunction,
  checkInteger,
  checkKnownOptions,
  checkObject,
  checkString,
  rangeError,
  typeError,
} from "../core/options.ts";
import { checkStartMethod, type StartMethod } from "../process/index.ts";

/** How a pool is made. */
export interface PoolOptions {
  /** Called once in each worker, before its first task; may be async. If it throws, waiting tasks reject with its error. */
  readonly initializer?: (...args: never[]) => unknown;
  /** Arguments of the initializer. */
  readonly initArgs?: Iterable<unknown>;
  /** A worker is replaced after this many tasks; a chunk counts as one. Default: never. */
  readonly maxTasksPerChild?: number;
  /** Milliseconds that a task may run, from its beginning; then its worker is replaced, and it rejects with TimeoutError. Default: no limit. */
  readonly taskTimeout?: number;
  /** How often a task is begun again whose worker died. Default: 0. */
  readonly retries?: number;
  /** Limit of each worker's JavaScript heap, in bytes. Default: node's. */
  readonly maxMemory?: number;
  /** For errors, and for the names of the workers. Default: `Pool-1`, `Pool-2` … */
  readonly name?: string;
  /** Aborting it terminates the pool. */
  readonly signal?: AbortSignal;
  /** How workers are started. Default: what `setStartMethod` says. */
  readonly method?: StartMethod;
}

export interface CheckedPoolOptions {
  readonly initializer: Function | undefined;
  readonly initArgs: readonly unknown[];
  readonly maxTasksPerChild: number;
  readonly taskTimeout: number;
  readonly retries: number;
  readonly maxMemory: number | undefined;
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  readonly method: StartMethod | undefined;
}

const KNOWN: readonly string[] = [
  "initializer",
  "initArgs",
  "maxTasksPerChild",
  "taskTimeout",
  "retries",
  "maxMemory",
  "name",
  "signal",
  "method",
];
const MIN_MEMORY = 8 * 2 ** 20;
export const MAX_WORKERS = 1000;

let made = 0;

export function checkPoolOptions(options: PoolOptions): CheckedPoolOptions {
  checkObject("options", options);
  checkKnownOptions("Pool", options, KNOWN);
  const { initializer, initArgs, maxTasksPerChild, taskTimeout, retries, maxMemory, name, signal, method } = options;
  if (initializer !== undefined) checkFunction("initializer", initializer);
  if (maxTasksPerChild !== undefined) checkInteger("maxTasksPerChild", maxTasksPerChild, 1);
  if (retries !== undefined) checkInteger("retries", retries, 0);
  if (maxMemory !== undefined) checkInteger("maxMemory", maxMemory, MIN_MEMORY);
  if (name !== undefined) checkString("name", name);
  if (method !== undefined) checkStartMethod("method", method);
  checkSignal("signal", signal);
  return {
    initializer,
    initArgs: initArgs === undefined ? [] : checkList("initArgs", initArgs),
    maxTasksPerChild: maxTasksPerChild ?? Infinity,
    taskTimeout: taskTimeout === undefined ? Infinity : checkDuration("taskTimeout", taskTimeout),
    retries: retries ?? 0,
    maxMemory,
    name: name ?? `Pool-${++made}`,
    signal,
    method,
  };
}

/** A time that a task is given: more than nothing. */
export function checkDuration(name: string, value: unknown): number {
  if (typeof value !== "number") throw typeError(name, "a number of milliseconds", value);
  if (!(value > 0)) throw rangeError(name, "a number of milliseconds above 0", value);
  return value;
}

export function checkSignal(name: string, signal: unknown): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  Deadline.from({ signal: signal as AbortSignal });
  if (typeof (signal as AbortSignal).throwIfAborted !== "function") throw typeError(name, "an AbortSignal", signal);
}

/** An array of what an iterable gives. The characters of a string are never meant. */
export function checkList(name: string, value: unknown): unknown[] {
  if (Array.isArray(value)) return value as unknown[];
  const iterator = (value as Iterable<unknown> | null | undefined)?.[Symbol.iterator];
  if (typeof iterator !== "function" || typeof value === "string")
    throw typeError(name, "an array or another iterable", value);
  return [...(value as Iterable<unknown>)];
}

export type { WaitOptions };
