/** Where an imap takes its items from: an iterable or an async iterable, read item by item and closed once. */

import type { Failure } from "./events.ts";

export class ItemSource {
  readonly isAsync: boolean;
  /** Items taken so far. */
  taken = 0;
  readonly #items: Iterator<unknown> | AsyncIterator<unknown>;
  #ended = false;
  #failure: Failure | undefined;

  constructor(items: Iterable<unknown> | AsyncIterable<unknown>) {
    const asyncIterator = (items as AsyncIterable<unknown>)[Symbol.asyncIterator];
    this.isAsync = typeof asyncIterator === "function";
    this.#items = this.isAsync
      ? (asyncIterator as () => AsyncIterator<unknown>).call(items)
      : (items as Iterable<unknown>)[Symbol.iterator]();
  }

  /** True when there is no more to take. */
  get ended(): boolean {
    return this.#ended;
  }

  /** True when it has thrown, and nobody has been told. */
  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** What it has thrown. Told once. */
  takeFailure(): Failure | undefined {
    const failure = this.#failure;
    this.#failure = undefined;
    return failure;
  }

  /** Nothing more is taken, and whoever asks for its failure gets this error. */
  fail(error: unknown): void {
    this.#ended = true;
    this.#failure = { error };
  }

  /** Up to `size` items; fewer at the end, and of those before an error. */
  take(size: number): unknown[] {
    const chunk: unknown[] = [];
    try {
      while (chunk.length < size && this.#add(chunk, (this.#items as Iterator<unknown>).next()));
    } catch (error) {
      this.fail(error);
    }
    return chunk;
  }

  /** As `take`, of an async iterable. What comes after it was closed, or made to fail, is left. */
  async takeAsync(size: number): Promise<unknown[]> {
    const chunk: unknown[] = [];
    try {
      while (chunk.length < size) {
        const result = await this.#items.next();
        if (this.#ended) return [];
        if (!this.#add(chunk, result)) break;
      }
    } catch (error) {
      if (!this.#ended) this.fail(error);
    }
    return chunk;
  }

  /** Tells the iterator that nobody wants more. Rejects with what it throws then. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#items.return?.();
  }

  #add(chunk: unknown[], result: IteratorResult<unknown>): boolean {
    // As the loops of the language do it.
    if (typeof result !== "object" || result === null)
      throw new TypeError(`The items cannot be iterated: next() gave ${String(result)}, which is no object`);
    if (result.done === true) this.#ended = true;
    else {
      chunk.push(result.value);
      this.taken += 1;
    }
    return !this.#ended;
  }
}
