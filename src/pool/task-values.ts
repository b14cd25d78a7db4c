/** What a function of the user may give in place of a value: a promise, or a generator (see core/generators.ts). */

export type AnyFunction = (...args: unknown[]) => unknown;

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
