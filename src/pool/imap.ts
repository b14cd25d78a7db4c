/**
 * imap: results as they come, of inputs that are taken only when there is room for their results. At most a window of inputs
 * is ahead of the consumer, so inputs can be endless, and memory stays flat.
 */

import { deferred, type Deferred } from "../core/deferred.ts";
import { queueMicrotask } from "../core/timers.ts";
import { AdaptiveChunk } from "./chunking.ts";
import { ItemSource } from "./item-source.ts";
import { OutcomeOrder, type Settled, settledOf } from "./outcome-order.ts";
import type { ProgressReporter } from "./progress.ts";
import type { Task, TaskListener } from "./task.ts";

/** What an imap needs of its pool. */
export interface ImapPool {
  readonly processes: number;
  /** Sends a chunk; throws if it cannot travel. */
  send(items: unknown[], index: number, listener: TaskListener): Task;
  /** Why its tasks are cancelled, once it was terminated. */
  readonly termination: Error | undefined;
  /** Nobody wants what comes of a task; one that runs may go on. */
  drop(task: Task): void;
  /** Ends tasks, running ones, too. */
  cancel(tasks: readonly Task[], error: unknown): void;
  /** An item of a generator was taken. */
  consumed(task: Task): void;
  /** Whether its consumer waits for what comes of a task. */
  setAwaited(task: Task, isAwaited: boolean): void;
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
  readonly #fixed: number | undefined;
  readonly #adaptive = new AdaptiveChunk();
  readonly #progress: ProgressReporter;
  readonly #source: ItemSource;
  readonly #outcomes: OutcomeOrder;
  readonly #underWay = new Map<number, Task>();
  readonly #waiting: Deferred<IteratorResult<unknown>>[] = [];
  #sent = 0;
  #taken = 0;
  #ahead = 0;
  #feeding = false;
  #over = false;
  /** The last that the consumer got was an error, and it has not asked again. */
  #leftAtError = false;
  /** Its tasks are generators, which wait for the consumer. */
  #hasStreams = false;
  #isAwaited = true;
  readonly #onEnd: (() => void)[] = [];

  constructor(
    pool: ImapPool,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    { ordered, chunkSize, progress }: ImapOptions,
  ) {
    this.#pool = pool;
    this.#fixed = chunkSize;
    this.#progress = progress;
    this.#source = new ItemSource(items);
    this.#outcomes = new OutcomeOrder(ordered);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** The next result. Rejects for an item that failed; the call after gives the next one. */
  next(): Promise<IteratorResult<unknown>> {
    this.#endWithPool();
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
    await this.#source.close();
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
    this.#source.close().catch(() => {});
    this.#pool.cancel(tasks, error);
    if (waiting !== undefined) return waiting.reject(error);
    this.#over = false;
    this.#source.fail(error);
  }

  /** With its pool ends what needs the pool to go on. If no task of it was under way then, nobody has told it. */
  #endWithPool(): void {
    const { termination } = this.#pool;
    if (termination !== undefined && !this.#source.ended) this.fail(termination);
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
    if (this.#pool.termination !== undefined) return this.fail(error);
    // The chunk as a whole: its worker died, say. A stream breaks off once, whatever was to follow.
    if (task.isStream === true) this.#ended(task, [{ ok: false, error, stream: task }]);
    else
      this.#ended(
        task,
        Array.from({ length: task.items }, () => ({ ok: false, error })),
      );
  }

  stream(): void {
    this.#hasStreams = true;
    this.#tellAwaited();
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
    // A consumer that has enough needs no more at a time.
    if (task.duration !== undefined) this.#adaptive.measured(task.items, task.duration, this.#waiting.length > 0);
    if (this.#over) return;
    this.#progress.advance(task.items);
    if (task.isStream === true) outcomes.push({ ok: undefined, stream: task });
    this.#came(task, outcomes, true);
    if (this.#waiting.length > 0 || this.#taken > 0) this.#feed();
  }

  #came({ index }: Task, outcomes: readonly Settled[], isEnd: boolean): void {
    if (this.#over) return;
    this.#outcomes.add(index, outcomes, isEnd);
    this.#deliver();
  }

  /** Gives what is ready to who waits. */
  #deliver(): void {
    while (this.#waiting.length > 0) {
      const outcome = this.#outcomes.shift();
      if (outcome === undefined) break;
      this.#hand(outcome);
    }
    if (this.#waiting.length > 0) this.#feed();
    this.#tellAwaited();
    if (this.#waiting.length === 0 || !this.#isAtEnd) return;
    const failure = this.#source.takeFailure();
    if (failure !== undefined) this.#waiting.shift()?.reject(failure.error);
    this.#stop();
  }

  #tellAwaited(): void {
    const isAwaited = !this.#hasStreams || this.#waiting.length > 0;
    if (isAwaited === this.#isAwaited) return;
    this.#isAwaited = isAwaited;
    for (const task of this.#underWay.values()) this.#pool.setAwaited(task, isAwaited);
  }

  get #isAtEnd(): boolean {
    return this.#source.ended && this.#outcomes.isEmpty && this.#underWay.size === 0;
  }

  /** Gives an outcome to the first who waits. */
  #hand(outcome: Settled): void {
    if (outcome.ok === undefined) {
      this.#ahead -= outcome.stream.items;
      return;
    }
    const waiting = this.#waiting.shift() as Deferred<IteratorResult<unknown>>;
    this.#taken += 1;
    if (outcome.stream === undefined) this.#ahead -= 1;
    else if (outcome.isItem === true) this.#pool.consumed(outcome.stream);
    if (outcome.ok) waiting.resolve({ done: false, value: outcome.value });
    else this.#rejectOne(waiting, outcome.error);
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
    this.#outcomes.clear();
    this.#progress.end();
    for (const listener of this.#onEnd.splice(0)) listener();
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
    return !this.#over && !this.#source.ended && this.#ahead + this.#chunkSize <= this.#window;
  }

  /** Takes inputs as long as there is room. */
  #feed(): void {
    if (this.#feeding || !this.#mayFeed) return;
    this.#feeding = true;
    if (this.#source.isAsync) return void this.#feedAsync();
    while (this.#mayFeed) this.#sendTaken(this.#source.take(this.#chunkSize));
    this.#feeding = false;
  }

  async #feedAsync(): Promise<void> {
    // A slow input is not waited for to fill a chunk.
    const size = this.#fixed ?? 1;
    while (this.#mayFeed) {
      const chunk = await this.#source.takeAsync(size);
      if (!this.#over) this.#sendTaken(chunk);
    }
    this.#feeding = false;
    this.#deliver();
  }

  #sendTaken(chunk: unknown[]): void {
    this.#sendChunk(chunk);
    if (!this.#source.ended) return;
    if (!this.#source.hasFailed) this.#progress.setTotal(this.#source.taken);
    // Not before who feeds is done: what was taken before is delivered first.
    queueMicrotask(() => this.#deliver());
  }

  #sendChunk(chunk: unknown[]): void {
    if (chunk.length === 0) return;
    const index = this.#sent++;
    this.#ahead += chunk.length;
    try {
      const task = this.#pool.send(chunk, index, this);
      if (!task.ended) this.#underWay.set(index, task);
      this.#pool.setAwaited(task, this.#isAwaited);
    } catch (error) {
      // An item that cannot travel fails alone.
      if (chunk.length > 1) {
        this.#sent -= 1;
        this.#ahead -= chunk.length;
        for (const item of chunk) this.#sendChunk([item]);
      } else this.#notSent(index, error);
    }
  }

  #notSent(index: number, error: unknown): void {
    this.#outcomes.add(index, [{ ok: false, error }], true);
    this.#progress.advance(1);
    queueMicrotask(() => this.#deliver());
  }
}
