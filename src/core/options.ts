/** Checks of arguments: one function per kind; each error names the argument, what was expected and what came. */

import { inspect } from "node:util";
import { isPromise } from "./is-promise.ts";

function withCode<E extends Error>(error: E, code: string): E {
  return Object.assign(error, { code });
}

function show(value: unknown): string {
  return inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 40 });
}

/** The error for an argument of the wrong type. */
export function typeError(name: string, expected: string, value: unknown): TypeError {
  return withCode(new TypeError(`${name} must be ${expected}, not ${show(value)}`), "ERR_INVALID_ARG_TYPE");
}

/** The error for an argument of the right type whose value makes no sense. */
export function rangeError(name: string, expected: string, value: unknown): RangeError {
  return withCode(new RangeError(`${name} must be ${expected}, not ${show(value)}`), "ERR_OUT_OF_RANGE");
}

export function checkFunction(name: string, value: unknown): asserts value is (...args: never[]) => unknown {
  if (typeof value !== "function") throw typeError(name, "a function", value);
}

/** Refuses what a function gave that should have been done when it returned. @returns it otherwise. */
export function checkNoPromise<T>(name: string, result: T): T {
  if (!isPromise(result)) return result;
  // Who is told here that a promise is no good does not see it reject.
  Promise.resolve(result).catch(() => {});
  throw typeError(name, "a function that returns no promise", result);
}

export function checkBoolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== "boolean") throw typeError(name, "true or false", value);
}

export function checkString(name: string, value: unknown): asserts value is string {
  if (typeof value !== "string") throw typeError(name, "a string", value);
}

export function checkObject(name: string, value: unknown): asserts value is object {
  if (typeof value !== "object" || value === null) throw typeError(name, "an object", value);
}

/** An object of named values, whatever its class; a Map, a Date or an array is not meant where one is asked for. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return Object.prototype.toString.call(value) === "[object Object]";
}

export function checkInteger(
  name: string,
  value: unknown,
  min: number,
  max: number = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== "number") throw typeError(name, "an integer", value);
  if (!Number.isInteger(value) || value < min || value > max) {
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw rangeError(name, `an integer ${range}`, value);
  }
}

/** Refuses option names that nobody reads: a typo must not be silent. */
export function checkKnownOptions(name: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw withCode(
        new TypeError(`${name} has no option "${key}"; it knows ${known.join(", ")}`),
        "ERR_UNKNOWN_OPTION",
      );
    }
  }
}
