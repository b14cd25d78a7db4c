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

/** What `next` gives or rejects with, or the end of a chunk that came bit by bit. `stream`: the task of such a chunk. */
type Settled =
  | { readonly ok: true; readonly value: unknown; readonly stream?: Task; readonly isItem?: true }
  | { readonly ok: false; readonly error: unknown; readonly stream?: Task; readonly isItem?: undefined }
  | { readonly ok: undefined; readonly stream: Task };

/** What has come of a chunk that is not the next one to deliver. */
interface Chunk {
  readonly list: Settled[];
  ended: boolean;
}

/** What an imap needs of its pool. */
export interface ImapPool {
  readonly processes: number;
  /** Sends a chunk; throws if it cannot travel. */
  send(items: unknown[], index: number, listener: TaskListener): Task;
  readonly isTerminated: boolean;
  /** Nobody wants what comes of a task; one that runs may go on. */
  drop(task: Task): void;
  /** Ends tasks, running ones, too. */
  cancel(tasks: readonly Task[], error: unknown): void;
  /** An item of a generator was taken. */
  consumed(task: Task): void;
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
  readonly #chunks = new Map<number, Chunk>();
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
  /** The last that the consumer got was an error, and it has not asked again. */
  #leftAtError = false;
  #onEnd: (() => void)[] = [];

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
    this.#leftAtError = false;
    this.#feed();
    this.#deliver();
    return waiting.promise;
  }

  /** Stops the feeding, and drops what is under way. */
  async return(): Promise<IteratorResult<unknown>> {
    this.#stop();
    await this.#closeInput();
    return { done: true, value: undefined };
  }

  /** Ends it with an error, and the tasks that run: the pool was terminated, or the signal aborted. */
  fail(error: unknown): void {
    if (this.#over) return;
    const tasks = [...this.#underWay.values()];
    this.#underWay.clear();
    const waiting = this.#waiting.shift();
    this.#stop();
    // Nobody is there to be told what becomes of the input.
    this.#closeInput().catch(() => {});
    this.#pool.cancel(tasks, error);
    if (waiting !== undefined) return waiting.reject(error);
    this.#over = false;
    this.#inputError = { error };
  }

  /** Calls back once, when it has ended. */
  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  /**
   * Somebody waits for the end of all tasks. A loop that was left at an error has not said that it wants no more (`for await` does
   * not then): a generator under way would wait for it for ever.
   */
  poolIsJoined(): void {
    if (this.#leftAtError && this.#waiting.length === 0) this.return().catch(() => {});
  }

  value(value: unknown, task: Task): void {
    this.#ended(task, settledOf(value, task.isStream === true ? task : undefined));
  }

  error(error: unknown, task: Task): void {
    if (this.#pool.isTerminated) return this.fail(error);
    // The chunk as a whole: its worker died, say. A stream breaks off once, whatever was to follow.
    if (task.isStream === true) this.#ended(task, [{ ok: false, error, stream: task }]);
    else
      this.#ended(
        task,
        Array.from({ length: task.items }, () => ({ ok: false, error })),
      );
  }

  /** An item of a generator. Its input counts as ahead of the consumer until its chunk has ended. */
  item(value: unknown, task: Task): void {
    this.#came(task, [{ ok: true, value, stream: task, isItem: true }], false);
  }

  part(outcomes: unknown, task: Task): void {
    this.#came(task, settledOf(outcomes, task), false);
  }

  #ended(task: Task, outcomes: Settled[]): void {
    this.#underWay.delete(task.index);
    if (task.duration !== undefined) this.#adaptive.measured(task.items, task.duration);
    if (this.#over) return;
    this.#progress.advance(task.items);
    if (task.isStream === true) outcomes.push({ ok: undefined, stream: task });
    this.#came(task, outcomes, true);
    if (this.#waiting.length > 0 || this.#taken > 0) this.#feed();
  }

  #came(task: Task, outcomes: Settled[], isEnd: boolean): void {
    if (this.#over) return;
    this.#keep(task.index, outcomes, isEnd);
    this.#flush();
  }

  #keep(index: number, outcomes: Settled[], isEnd: boolean): void {
    if (!this.#ordered) return void this.#ready.push(...outcomes);
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) return void this.#chunks.set(index, { list: outcomes, ended: isEnd });
    chunk.list.push(...outcomes);
    chunk.ended = isEnd;
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
      if (outcome.ok === undefined) {
        this.#ahead -= outcome.stream.items;
        continue;
      }
      const waiting = this.#waiting.shift() as Deferred<IteratorResult<unknown>>;
      this.#taken += 1;
      if (outcome.stream === undefined) this.#ahead -= 1;
      else if (outcome.isItem === true) this.#pool.consumed(outcome.stream);
      if (outcome.ok) waiting.resolve({ done: false, value: outcome.value });
      else this.#rejectOne(waiting, outcome.error);
    }
    if (this.#waiting.length > 0) this.#feed();
    if (this.#waiting.length === 0 || this.#ready.length > 0 || this.#underWay.size > 0 || !this.#inputEnded) return;
    if (this.#inputError !== undefined) {
      const { error } = this.#inputError;
      this.#inputError = undefined;
      this.#waiting.shift()?.reject(error);
    }
    this.#stop();
  }

  #rejectOne(waiting: Deferred<IteratorResult<unknown>>, error: unknown): void {
    this.#leftAtError = this.#waiting.length === 0;
    waiting.reject(error);
  }

  #stop(): void {
    this.#over = true;
    // The last first: a worker whose generator is ended would begin what is behind it.
    for (const task of Array.from(this.#underWay.values()).toReversed()) this.#pool.drop(task);
    this.#underWay.clear();
    this.#chunks.clear();
    this.#ready.length = 0;
    this.#readyHead = 0;
    this.#progress.end();
    for (const listener of this.#onEnd.splice(0)) listener();
    for (const waiting of this.#waiting.splice(0)) waiting.resolve({ done: true, value: undefined });
  }

  async #closeInput(): Promise<void> {
    if (this.#inputEnded) return;
    this.#inputEnded = true;
    await this.#items.return?.();
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
    this.#keep(index, [{ ok: false, error }], true);
    queueMicrotask(() => this.#flush());
  }

  /** What has come of the next chunk is ready; of the one after it, when that has ended. */
  #flush(): void {
    for (let chunk = this.#chunks.get(this.#nextChunk); chunk !== undefined;) {
      this.#ready.push(...chunk.list);
      chunk.list.length = 0;
      if (!chunk.ended) break;
      this.#chunks.delete(this.#nextChunk++);
      chunk = this.#chunks.get(this.#nextChunk);
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

function settledOf(outcomes: unknown, stream: Task | undefined): Settled[] {
  return (outcomes as [boolean, unknown][]).map(([ok, each]) => {
    const settled = ok
      ? ({ ok, value: each } as const)
      : ({ ok, error: decodeError(each as Uint8Array, mapStack) } as const);
    return stream === undefined ? settled : { ...settled, stream };
  });
}
