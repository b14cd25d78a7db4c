import { type Feed, FedItems, type Want } from "./fed-items.ts";
import type { ApplyOptions, MapOptions, Pool, PoolOptions, StatsReport } from "../../pool/index.ts";

type AnyFunction = (...args: never[]) => unknown;

/** A pool whose workers are children of the manager. Functions go to the manager, and from there to the workers. */
export class ManagedPool {
  readonly #processes: number | undefined;
  readonly #options: PoolOptions;
  #pool: Promise<Pool> | undefined;
  /** Items that come from other processes, by what these are asked by. */
  readonly #fed = new WeakMap<Want, FedItems>();

  constructor(processes?: number, options: PoolOptions = {}) {
    this.#processes = processes;
    this.#options = options;
  }

  async apply(fn: AnyFunction, args: readonly unknown[] = [], options?: ApplyOptions<unknown>): Promise<unknown> {
    return (await this.#open()).applyAsync(fn as () => unknown, args as [], options);
  }

  async submit(fn: AnyFunction, ...args: unknown[]): Promise<unknown> {
    return (await this.#open()).apply(fn as () => unknown, args as []);
  }

  async map(fn: AnyFunction, items: Iterable<unknown>, options?: MapOptions): Promise<unknown[]> {
    return (await this.#open()).map(fn as (item: unknown) => unknown, items, options);
  }

  async starmap(fn: AnyFunction, items: Iterable<readonly unknown[]>, options?: MapOptions): Promise<unknown[]> {
    return (await this.#open()).starmap(fn as (...args: unknown[]) => unknown, items as Iterable<unknown[]>, options);
  }

  /** The results one after the other, in order. */
  async imap(fn: AnyFunction, items: unknown[] | Want, options?: MapOptions): Promise<AsyncIterator<unknown>> {
    const pool = await this.#open();
    const list = this.#itemsOf(items);
    return endedByThrow((signal) => pool.imap(fn as (item: unknown) => unknown, list, { ...options, signal }));
  }

  /** The results as they come. */
  async imapUnordered(fn: AnyFunction, items: unknown[] | Want, options?: MapOptions): Promise<AsyncIterator<unknown>> {
    const pool = await this.#open();
    const list = this.#itemsOf(items);
    return endedByThrow((signal) => pool.imapUnordered(fn as (item: unknown) => unknown, list, { ...options, signal }));
  }

  /** Items that an imap has asked for by `want`. */
  feed(want: Want, feed: Feed): void {
    this.#fed.get(want)?.feed(feed);
  }

  async stats(): Promise<StatsReport> {
    return (await this.#open()).stats();
  }

  async close(): Promise<void> {
    (await this.#open()).close();
  }

  async terminate(): Promise<void> {
    (await this.#open()).terminate();
  }

  /** Waits until all workers have ended. @throws {StateError} Before `close` or `terminate`. */
  async join(): Promise<void> {
    await (await this.#open()).join();
  }

  #itemsOf(items: unknown[] | Want): unknown[] | FedItems {
    if (typeof items !== "function") return items;
    const fed = new FedItems(items);
    this.#fed.set(items, fed);
    return fed;
  }

  /** Pools are loaded by the first manager that has one. */
  #open(): Promise<Pool> {
    return (this.#pool ??= import("../../pool/index.ts").then(({ Pool }) => new Pool(this.#processes, this.#options)));
  }
}

/** An iterator whose `throw` ends it with that error, and its tasks: how a signal of another process gets there. */
function endedByThrow(start: (signal: AbortSignal) => AsyncIterableIterator<unknown>): AsyncIterableIterator<unknown> {
  const ending = new AbortController();
  const results = start(ending.signal);
  return {
    next: () => results.next(),
    return: async () => (await results.return?.()) ?? { done: true, value: undefined },
    async throw(error) {
      ending.abort(error);
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
