/**
 * imap: results as they come, of inputs that are taken only when there is room for their results. At most a window of inputs
 * is ahead of the consumer, so inputs can be endless, and memory stays flat.
 */

import { decodeError } from "../codec/index.ts";
import { mapStack } from "../capture/index.ts";
import { deferred, type Deferred } from "../core/deferred.ts";
import { AdaptiveChunk } from "./chunking.ts";
import type { ProgressReporter } from "./progress.ts";
import type { Task, TaskListener } from "./task.ts";

type Settled = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

/** What an imap needs of its pool. */
export interface ImapPool {
  readonly processes: number;
  /** Sends a chunk; throws if it cannot travel. */
  send(items: unknown[], index: number, listener: TaskListener): Task;
  cancel(task: Task): void;
}

export interface ImapOptions {
  readonly ordered: boolean;
  /** undefined: adapts to the time that items take. */
  readonly chunkSize: number | undefined;
  readonly progress: ProgressReporter;
}

/** An async iterator that goes on after an item that failed. */
export class Imap implements AsyncIterableIterator<unknown>, TaskListener {
  readonly #pool: ImapPool;
  readonly #ordered: boolean;
  readonly #fixed: number | undefined;
  readonly #adaptive = new AdaptiveChunk();
  readonly #progress: ProgressReporter;
  readonly #items: Iterator<unknown> | AsyncIterator<unknown>;
  readonly #isAsync: boolean;
  readonly #chunks = new Map<number, Settled[]>();
  readonly #underWay = new Map<number, Task>();
  readonly #ready: Settled[] = [];
  #readyHead = 0;
  readonly #waiting: Deferred<IteratorResult<unknown>>[] = [];
  #sent = 0;
  #nextChunk = 0;
  #taken = 0;
  #ahead = 0;
  #inputEnded = false;
  #inputError: { readonly error: unknown } | undefined;
  #feeding = false;
  #over = false;

  constructor(
    pool: ImapPool,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    { ordered, chunkSize, progress }: ImapOptions,
  ) {
    this.#pool = pool;
    this.#ordered = ordered;
    this.#fixed = chunkSize;
    this.#progress = progress;
    const asyncIterator = (items as AsyncIterable<unknown>)[Symbol.asyncIterator];
    this.#isAsync = typeof asyncIterator === "function";
    this.#items = this.#isAsync
      ? (asyncIterator as () => AsyncIterator<unknown>).call(items)
      : (items as Iterable<unknown>)[Symbol.iterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next result. Rejects for an item that failed; the call after gives the next one. */
  next(): Promise<IteratorResult<unknown>> {
    const waiting = deferred<IteratorResult<unknown>>();
    this.#waiting.push(waiting);
    this.#feed();
    this.#deliver();
    return waiting.promise;
  }

  /** Stops the feeding, and drops what is under way. */
  async return(): Promise<IteratorResult<unknown>> {
    this.#stop();
    if (!this.#inputEnded) {
      this.#inputEnded = true;
      await this.#items.return?.();
    }
    return { done: true, value: undefined };
  }

  /** Ends it with an error: the pool was terminated, or the signal aborted. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#ready.length = 0;
    this.#readyHead = 0;
    const waiting = this.#waiting.shift();
    this.#stop();
    if (waiting === undefined) {
      this.#over = false;
      this.#inputEnded = true;
      this.#inputError = { error };
    } else waiting.reject(error);
  }

  value(value: unknown, task: Task): void {
    const outcomes: Settled[] = (value as [boolean, unknown][]).map(([ok, each]) =>
      ok ? { ok, value: each } : { ok: false, error: decodeError(each as Uint8Array, mapStack) },
    );
    this.#arrived(task, outcomes);
  }

  error(error: unknown, task: Task): void {
    // The chunk as a whole: its worker died, say.
    this.#arrived(
      task,
      Array.from({ length: task.items }, () => ({ ok: false, error })),
    );
  }

  #arrived(task: Task, outcomes: Settled[]): void {
    this.#underWay.delete(task.index);
    if (task.duration !== undefined) this.#adaptive.measured(task.items, task.duration);
    if (this.#over) return;
    this.#progress.advance(task.items);
    if (this.#ordered) this.#chunks.set(task.index, outcomes);
    else this.#ready.push(...outcomes);
    for (
      let chunk = this.#chunks.get(this.#nextChunk);
      chunk !== undefined;
      chunk = this.#chunks.get(this.#nextChunk)
    ) {
      this.#chunks.delete(this.#nextChunk++);
      this.#ready.push(...chunk);
    }
    this.#deliver();
    if (this.#waiting.length > 0 || this.#taken > 0) this.#feed();
  }

  /** Gives what is ready to who waits. */
  #deliver(): void {
    while (this.#waiting.length > 0) {
      const outcome = this.#ready[this.#readyHead];
      if (outcome === undefined) break;
      this.#ready[this.#readyHead++] = undefined as never;
      if (this.#readyHead === this.#ready.length) {
        this.#ready.length = 0;
        this.#readyHead = 0;
      }
      const waiting = this.#waiting.shift() as Deferred<IteratorResult<unknown>>;
      this.#taken += 1;
      this.#ahead -= 1;
      if (outcome.ok) waiting.resolve({ done: false, value: outcome.value });
      else waiting.reject(outcome.error);
    }
    if (this.#waiting.length > 0) this.#feed();
    if (this.#waiting.length === 0 || this.#ready.length > 0 || this.#underWay.size > 0 || !this.#inputEnded) return;
    if (this.#inputError !== undefined) {
      const { error } = this.#inputError;
      this.#inputError = undefined;
      const first = this.#waiting.shift();
      first?.reject(error);
    }
    this.#stop();
  }

  #stop(): void {
    this.#over = true;
    for (const task of Array.from(this.#underWay.values())) this.#pool.cancel(task);
    this.#underWay.clear();
    this.#chunks.clear();
    this.#ready.length = 0;
    this.#readyHead = 0;
    this.#progress.end();
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ done: true, value: undefined });
  }

  get #chunkSize(): number {
    return this.#fixed ?? this.#adaptive.size;
  }

  /** Inputs that may be ahead of the consumer: two chunks for each worker. */
  get #window(): number {
    return 2 * this.#pool.processes * this.#chunkSize;
  }

  get #mayFeed(): boolean {
    return !this.#over && !this.#inputEnded && this.#ahead + this.#chunkSize <= this.#window;
  }

  /** Takes inputs as long as there is room. */
  #feed(): void {
    if (this.#feeding || !this.#mayFeed) return;
    this.#feeding = true;
    if (this.#isAsync) return void this.#feedAsync();
    while (this.#mayFeed) {
      const chunk: unknown[] = [];
      const size = this.#chunkSize;
      try {
        while (chunk.length < size && this.#add(chunk, (this.#items as Iterator<unknown>).next()));
      } catch (error) {
        this.#inputFailed(error);
      }
      this.#sendChunk(chunk);
    }
    this.#feeding = false;
  }

  async #feedAsync(): Promise<void> {
    while (this.#mayFeed) {
      const chunk: unknown[] = [];
      // A slow input is not waited for to fill a chunk.
      const size = this.#fixed ?? 1;
      try {
        while (chunk.length < size && !this.#over) if (!this.#add(chunk, await this.#items.next())) break;
      } catch (error) {
        this.#inputFailed(error);
      }
      if (!this.#over) this.#sendChunk(chunk);
    }
    this.#feeding = false;
    this.#deliver();
  }

  #add(chunk: unknown[], { done, value }: IteratorResult<unknown>): boolean {
    if (done === true) {
      this.#inputEnded = true;
      this.#progress.setTotal(this.#sentItems + chunk.length);
      return false;
    }
    chunk.push(value);
    return true;
  }

  #sentItems = 0;

  #sendChunk(chunk: unknown[]): void {
    if (chunk.length === 0) return;
    const index = this.#sent++;
    this.#sentItems += chunk.length;
    this.#ahead += chunk.length;
    try {
      const task = this.#pool.send(chunk, index, this);
      if (!task.ended) this.#underWay.set(index, task);
    } catch (error) {
      // An item that cannot travel fails alone.
      if (chunk.length > 1) {
        this.#sent -= 1;
        this.#sentItems -= chunk.length;
        this.#ahead -= chunk.length;
        for (const item of chunk) this.#sendChunk([item]);
      } else this.#notSent(index, error);
    }
  }

  #notSent(index: number, error: unknown): void {
    if (this.#ordered) this.#chunks.set(index, [{ ok: false, error }]);
    else this.#ready.push({ ok: false, error });
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    for (
      let chunk = this.#chunks.get(this.#nextChunk);
      chunk !== undefined;
      chunk = this.#chunks.get(this.#nextChunk)
    ) {
      this.#chunks.delete(this.#nextChunk++);
      this.#ready.push(...chunk);
    }
    this.#deliver();
  }

  /** What was taken before is delivered first. */
  #inputFailed(error: unknown): void {
    this.#inputEnded = true;
    this.#inputError = { error };
    queueMicrotask(() => this.#deliver());
  }
}
