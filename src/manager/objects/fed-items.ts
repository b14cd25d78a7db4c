/** The items of an imap of a pool in a manager, when they come from another process. */

import { deferred, type Deferred } from "../../core/deferred.ts";
import { performance } from "../../core/timers.ts";

/** Asks the process that has the items for some more; with 0 it says that no more are wanted. */
export type Want = (count: number) => void;

/** What comes of a question: items, whether they were the last ones, and what the iterable threw after them. */
export interface Feed {
  readonly items: readonly unknown[];
  readonly ended: boolean;
  readonly failure?: { readonly error: unknown } | undefined;
}

/** Items asked for at a time, at most. */
const MOST = 64;
/** Who needs more sooner than this after it got some is asked for more at a time. */
const SOON_MS = 20;

/** Items of another process, which are asked for when they are needed; many at a time by who takes them fast. */
export class FedItems implements AsyncIterableIterator<unknown> {
  readonly #want: Want;
  #items: readonly unknown[] = [];
  #next = 0;
  #ended = false;
  #failure: Feed["failure"];
  #waiting: Deferred<IteratorResult<unknown>> | undefined;
  #count = 1;
  #fedAt = 0;

  constructor(want: Want) {
    this.#want = want;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One at a time: not called again before it has given what it was asked for. */
  async next(): Promise<IteratorResult<unknown>> {
    if (this.#next < this.#items.length) return { done: false, value: this.#items[this.#next++] };
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
    if (this.#ended) return { done: true, value: undefined };
    const isSoon = performance.now() - this.#fedAt < SOON_MS;
    this.#count = isSoon ? Math.min(MOST, 2 * this.#count) : 1;
    this.#waiting = deferred();
    this.#want(this.#count);
    return await this.#waiting.promise;
  }

  /** The answer to a question. */
  feed({ items, ended, failure }: Feed): void {
    if (this.#ended) return;
    this.#items = items;
    this.#next = 0;
    this.#ended = ended;
    this.#failure = failure;
    this.#fedAt = performance.now();
    this.#goOn();
  }

  async return(): Promise<IteratorResult<unknown>> {
    if (!this.#ended) this.#want(0);
    this.#ended = true;
    this.#items = [];
    this.#goOn();
    return { done: true, value: undefined };
  }

  #goOn(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(this.next());
  }
}
