import { RemoteProxy } from "../remote-proxy.ts";

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>;

/** True for what a generator gives, and for other iterators that can be looped over. */
export function isIterator(value: unknown): value is AnyIterator {
  if (typeof value !== "object" || value === null || value instanceof RemoteProxy) return false;
  const { next } = value as { next?: unknown };
  return typeof next === "function" && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/** An iterator that lives in a manager; what a method that is a generator gives. */
export class ManagedIterator {
  readonly #iterator: AnyIterator;

  constructor(iterator: AnyIterator) {
    this.#iterator = iterator;
  }

  next(...args: [] | [unknown]): unknown {
    return this.#iterator.next(...args);
  }

  return(value?: unknown): unknown {
    return this.#iterator.return?.(value) ?? { done: true, value };
  }

  throw(error: unknown): unknown {
    if (this.#iterator.throw === undefined) throw error;
    return this.#iterator.throw(error);
  }
}
