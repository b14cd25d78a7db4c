/** What a function of the user may give in place of a value: a promise, or a generator. */

export type AnyFunction = (...args: unknown[]) => unknown;
export type AnyGenerator = AsyncIterable<unknown> | Iterable<unknown>;

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

export function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== "object" || value === null) return false;
  const tag: unknown = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return tag === "Generator" || tag === "AsyncGenerator";
}
