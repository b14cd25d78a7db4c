/** The items of a task that is a generator, as they come. */

import { deferred, type Deferred } from "../core/deferred.ts";

export interface StreamSource {
  /** An item was taken: the worker may send another one. */
  consumed(): void;
  /** Nobody wants more. */
  stop(): void;
  /** Whether its consumer waits for the next item. */
  setAwaited(isAwaited: boolean): void;
}

/** An async iterable over what a generator in a worker yields. The generator is at most a small window ahead. */
export class TaskStream implements AsyncIterableIterator<unknown> {
  readonly #source: StreamSource;
  readonly #items: unknown[] = [];
  readonly #waiting: Deferred<IteratorResult<unknown>>[] = [];
  #ended = false;
  #isAwaited = true;
  #failure: { readonly error: unknown } | undefined;

  constructor(source: StreamSource) {
    this.#source = source;
    this.#tellAwaited();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown>> {
    const waiting = deferred<IteratorResult<unknown>>();
    this.#waiting.push(waiting);
    this.#deliver();
    return waiting.promise;
  }

  /** Ends the generator: its `finally` runs in the worker. */
  return(): Promise<IteratorResult<unknown>> {
    if (!this.#ended) this.#source.stop();
    this.#ended = true;
    this.#failure = undefined;
    for (const _ of this.#items.splice(0)) this.#source.consumed();
    this.#deliver();
    return Promise.resolve({ done: true, value: undefined });
  }

  push(item: unknown): void {
    if (this.#ended) return this.#source.consumed();
    this.#items.push(item);
    this.#deliver();
  }

  end(): void {
    this.#ended = true;
    this.#deliver();
  }

  fail(error: unknown): void {
    if (!this.#ended) this.#failure = { error };
    this.end();
  }

  #deliver(): void {
    this.#settleWaiting();
    this.#tellAwaited();
  }

  #tellAwaited(): void {
    const isAwaited = this.#ended || this.#waiting.length > 0;
    if (isAwaited === this.#isAwaited) return;
    this.#isAwaited = isAwaited;
    this.#source.setAwaited(isAwaited);
  }

  #settleWaiting(): void {
    while (this.#waiting.length > 0) {
      if (this.#items.length > 0) {
        (this.#waiting.shift() as Deferred<IteratorResult<unknown>>).resolve({
          done: false,
          value: this.#items.shift(),
        });
        this.#source.consumed();
      } else if (this.#failure !== undefined) {
        const { error } = this.#failure;
        this.#failure = undefined;
        (this.#waiting.shift() as Deferred<IteratorResult<unknown>>).reject(error);
      } else if (this.#ended) {
        (this.#waiting.shift() as Deferred<IteratorResult<unknown>>).resolve({ done: true, value: undefined });
      } else return;
    }
  }
}
