/** An iterator that lives in a manager, looped over from another process. */

import { RemoteProxy, refOf } from "./remote-proxy.ts";
import type { RemoteRef } from "./remote-ref.ts";

type Asked = "next" | "return" | "throw";

/**
 * The proxy of the iterator, as an async iterator; started by the first `next`. Can be awaited, too.
 * @param endsByError It is a generator: one that has thrown gives nothing more. @param onEnd Called when it has given all, or was ended; what it throws is thrown to who asked.
 */
export function remoteIterator(
  start: Promise<unknown>,
  endsByError: boolean,
  onEnd?: () => Promise<void>,
): AsyncIterableIterator<unknown> & PromiseLike<unknown> {
  // Whoever only awaits or loops sees the error; nobody at all is no reason to end the program.
  start.catch(() => {});
  const ask = async (name: Asked, ...args: unknown[]): Promise<IteratorResult<unknown>> => {
    const ref = refOf(await start);
    if (ref.released) return ended(name, args[0]);
    try {
      const result = released(ref, (await ref.call(name, args)) as IteratorResult<unknown>);
      if (result.done === true) await onEnd?.();
      return result;
    } catch (error) {
      if (endsByError) ref.release();
      throw error;
    }
  };
  const iterator: AsyncIterableIterator<unknown> = {
    next: (...args) => ask("next", ...args),
    return: (value) => ask("return", value),
    throw: (error) => ask("throw", error),
    [Symbol.asyncIterator]() {
      return iterator;
    },
  };
  // oxlint-disable-next-line unicorn/no-thenable -- it is both: looped over at once, or awaited first
  return { ...iterator, then: (yes, no) => start.then(() => iterator).then(yes, no) };
}

/** The proxy of the iterator as a blocking one. @param endsByError As for `remoteIterator`. */
export function syncIterator(proxy: unknown, endsByError: boolean): IterableIterator<unknown> {
  const ref = refOf(proxy);
  const ask = (name: Asked, ...args: unknown[]): IteratorResult<unknown> => {
    if (ref.released) return ended(name, args[0]);
    try {
      return released(ref, ref.callSync(name, args) as IteratorResult<unknown>);
    } catch (error) {
      if (endsByError) ref.release();
      throw error;
    }
  };
  return {
    next: (...args) => ask("next", ...args),
    return: (value?: unknown) => ask("return", value),
    throw: (error?: unknown) => ask("throw", error),
    [Symbol.iterator]() {
      return this;
    },
  };
}

/** True for the proxy of an iterator. */
export function isRemoteIterator(value: unknown): boolean {
  return RemoteProxy.refOf(value)?.surface.builtIn === "iterator";
}

/** Lets go of an iterator that has given all. */
function released(ref: RemoteRef, result: IteratorResult<unknown>): IteratorResult<unknown> {
  if (result.done === true) ref.release();
  return result;
}

/** What an iterator that has given all answers. */
function ended(asked: Asked, value: unknown): IteratorResult<unknown> {
  if (asked === "throw") throw value;
  return { done: true, value: asked === "return" ? value : undefined };
}
