/** An iterator that lives in a manager, looped over from another process. */

import { RemoteProxy, refOf } from "./remote-proxy.ts";

/** The proxy of the iterator, as an async iterator; started by the first `next`. Can be awaited, too. */
export function remoteIterator(start: Promise<unknown>): AsyncIterableIterator<unknown> & PromiseLike<unknown> {
  // Whoever only awaits or loops sees the error; nobody at all is no reason to end the program.
  start.catch(() => {});
  const ask = async (name: string, ...args: unknown[]): Promise<IteratorResult<unknown>> => {
    const ref = refOf(await start);
    const result = (await ref.call(name, args)) as IteratorResult<unknown>;
    if (result.done === true) ref.release();
    return result;
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

/** The proxy of the iterator as a blocking one. */
export function syncIterator(proxy: unknown): IterableIterator<unknown> {
  const ref = refOf(proxy);
  const ask = (name: string, ...args: unknown[]): IteratorResult<unknown> => {
    const result = ref.callSync(name, args) as IteratorResult<unknown>;
    if (result.done === true) ref.release();
    return result;
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
  return RemoteProxy.refOf(value)?.surface.kind === "iterator";
}
