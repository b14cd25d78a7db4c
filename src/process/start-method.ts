/** How processes are started, and which way is the current one. */

import { inheritance } from "../core/inheritance.ts";
import { rangeError, typeError } from "../core/options.ts";

/**
 * - `"spare"`: taken from a few processes that are kept warm; the default.
 * - `"spawn"`: a fresh process.
 * - `"forkserver"`: another name for `"spare"`.
 *
 * The guarantees are the same.
 */
export type StartMethod = "spare" | "spawn" | "forkserver";

const METHODS: readonly string[] = ["spare", "spawn", "forkserver"];

/** @throws {TypeError | RangeError} If there is no such start method; `"fork"` is refused with the reason. */
export function checkStartMethod(name: string, method: unknown): asserts method is StartMethod {
  if (typeof method !== "string") throw typeError(name, 'one of "spare", "spawn" and "forkserver"', method);
  if (method === "fork") {
    const error = new RangeError(
      `${name} "fork" is not offered: the copy of a running V8 crashes or hangs, and every copy gives the same random numbers; use "spare", which starts as fast`,
    );
    throw Object.assign(error, { code: "ERR_OUT_OF_RANGE" });
  }
  if (!METHODS.includes(method)) throw rangeError(name, 'one of "spare", "spawn" and "forkserver"', method);
}

/**
 * Sets how this process and its future children start processes.
 *
 * Differs from Python: it can be called again.
 * @throws {TypeError | RangeError} If there is no such start method.
 * @example
 * ```ts
 * import { Process, setStartMethod } from "multiproc";
 *
 * setStartMethod("spawn");
 * console.log(await new Process(() => "fresh").start().result()); // fresh
 * ```
 */
export function setStartMethod(method: StartMethod): void {
  checkStartMethod("method", method);
  inheritance.startMethod = method;
}

/**
 * How processes are started; a child starts as its parent does.
 *
 * @example
 * ```ts
 * import { getStartMethod } from "multiproc";
 *
 * console.log(getStartMethod()); // spare
 * ```
 */
export function getStartMethod(): StartMethod {
  return (inheritance.startMethod ?? "spare") as StartMethod;
}

/**
 * All start methods; the default comes first.
 *
 * @example
 * ```ts
 * import { getAllStartMethods } from "multiproc";
 *
 * console.log(getAllStartMethods().join(" ")); // spare spawn forkserver
 * ```
 */
export function getAllStartMethods(): StartMethod[] {
  return [...METHODS] as StartMethod[];
}
