/** Pool: the object that users hold. Source of its behaviour: CPython's `multiprocessing.Pool`. */

import { SerializationError, StateError } from "../core/errors.ts";
import { TO_HANDLE } from "../core/handle.ts";
import { onAbort } from "../core/on-abort.ts";
import { checkFunction, checkInteger } from "../core/options.ts";
import { isGeneratorFunction } from "../core/generators.ts";
import { cpuCount } from "../process/index.ts";
import type { AsyncResult } from "./async-result.ts";
import {
  APPLY_OPTIONS,
  type ApplyOptions,
  checkCallOptions,
  checkIterable,
  checkTuple,
  MAP_ASYNC_OPTIONS,
  MAP_OPTIONS,
  type MapAsyncOptions,
  type MapOptions,
} from "./call-options.ts";
import { ChunkedCall } from "./chunked-call.ts";
import { defaultChunkSize } from "./chunking.ts";
import { Imap } from "./imap.ts";
import { PendingResult } from "./pending-result.ts";
import { checkList, checkPoolOptions, MAX_WORKERS, type PoolOptions } from "./pool-options.ts";
import { ProgressReporter } from "./progress.ts";
import { Scheduler } from "./scheduler.ts";
import { SingleCall } from "./single-call.ts";
import type { StatsReport } from "./stats.ts";
import { contentsFor, makeTask } from "./task.ts";
import { Kind } from "./worker-cell.ts";

/**
 * What a worker can run: a function, or a class, of which it makes an instance. What is both (`Number`) is called as a function;
 * inference through an intersection comes second.
 */
export type TaskFunction<A extends unknown[], R> = ((...args: A) => R) | (new (...args: A) => R & object);

/** What a call gives for a function that returns R: what a promise resolves to; the items of a generator as they come. */
export type TaskResult<R> = R extends Generator<infer T> | AsyncGenerator<infer T>
  ? AsyncIterableIterator<T>
  : Awaited<R>;
/** In an `imap`: a generator's items come one by one. */
export type StreamedResult<R> = R extends Generator<infer T> | AsyncGenerator<infer T> ? T : Awaited<R>;
/** In a chunk of `map`: a generator's items are gathered. */
export type ItemResult<R> = R extends Generator<infer T> | AsyncGenerator<infer T> ? T[] : Awaited<R>;

/**
 * Pools that were collected without having been closed. What is under way ends as usual, then the workers do.
 * Nothing that a scheduler holds may lead to its pool, or it would never be collected.
 */
const dropped = new FinalizationRegistry<Scheduler>((scheduler) => scheduler.close());

/** Not a closure of the constructor, which would hold the pool as long as there is the signal. */
function terminateOnAbort(scheduler: Scheduler, signal: AbortSignal | undefined): void {
  if (signal !== undefined) scheduler.onEnd(onAbort(signal, () => scheduler.terminate()));
}

/**
 * Worker processes that run functions.
 *
 * - Any function can be a task: what it captures is copied at the call.
 * - Workers are started on demand, up to `processes`, and kept. A worker runs one task at a time, async ones too; generators that
 *   wait for their readers let others run.
 * - A worker that dies costs the task that it ran (`WorkerDiedError`), and is replaced.
 * - A pool that is never closed does not keep the program alive; tasks under way do. One that nobody refers to any more is
 *   closed when it is garbage-collected.
 *
 * @example
 * ```ts
 * import { Pool } from "multiproc";
 *
 * await using pool = new Pool(4);
 * console.log(await pool.map((n) => n * n, [1, 2, 3])); // [ 1, 4, 9 ]
 * ```
 */
export class Pool {
  readonly #scheduler: Scheduler;

  /**
   * @param processes How many workers there may be. Default: `cpuCount()`.
   * @throws {TypeError | RangeError} If an argument is wrong.
   */
  constructor(processes?: number | PoolOptions, options: PoolOptions = {}) {
    const settings = typeof processes === "object" && processes !== null ? processes : options;
    const count = settings === processes || processes === undefined ? cpuCount() : processes;
    checkInteger("processes", count, 1, MAX_WORKERS);
    const checked = checkPoolOptions(settings);
    checked.signal?.throwIfAborted();
    this.#scheduler = new Scheduler(count as number, checked);
    terminateOnAbort(this.#scheduler, checked.signal);
    dropped.register(this, this.#scheduler, this.#scheduler);
  }

  /** For errors. */
  get name(): string {
    return this.#scheduler.options.name;
  }

  /** How many workers there may be. */
  get processes(): number {
    return this.#scheduler.processes;
  }

  /** Calls a function in a worker. Rejects with its error, or WorkerDiedError, TimeoutError, CancelledError. */
  apply<A extends unknown[], R>(fn: TaskFunction<A, R>, args?: Readonly<A>): Promise<TaskResult<R>> {
    // Not an async function: its promise around this one would cost three turns of the microtask queue for each task.
    return new Promise((resolve, error) => {
      const settler = { value: resolve as (value: unknown) => void, error };
      const call = new SingleCall(this.#scheduler, { fn, args: this.#checkedArgs(fn, args) }, settler);
      if (isGeneratorFunction(fn)) call.streamAtOnce();
    });
  }

  /** As `apply`, with the arguments one by one. */
  submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Promise<TaskResult<R>> {
    return this.apply(fn, args);
  }

  /**
   * Calls a function in a worker.
   * @throws {StateError} If the pool was closed. @throws {SerializationError} If function or arguments cannot travel.
   */
  applyAsync<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    args?: Readonly<A>,
    options?: ApplyOptions<TaskResult<R>>,
  ): AsyncResult<TaskResult<R>> {
    const call = { fn, args: this.#checkedArgs(fn, args), timeout: options?.timeout };
    if (options !== undefined) checkCallOptions("applyAsync", options, APPLY_OPTIONS);
    const pending = new PendingResult<TaskResult<R>>(this.#scheduler, options);
    return pending.follow(new SingleCall(this.#scheduler, call, pending));
  }

  /** Calls a function for each item; the results are in the order of the items. Rejects with the first error in that order, when all chunks have ended. */
  async map<T, R>(fn: TaskFunction<[T], R>, items: Iterable<T>, options: MapOptions = {}): Promise<ItemResult<R>[]> {
    return this.#chunked<R>("map", Kind.map, fn, items, options, MAP_OPTIONS).get();
  }

  /** As `map`, and gives an AsyncResult at once. Wrong arguments, and what cannot travel, are thrown. */
  mapAsync<T, R>(
    fn: TaskFunction<[T], R>,
    items: Iterable<T>,
    options: MapAsyncOptions<ItemResult<R>> = {},
  ): AsyncResult<ItemResult<R>[]> {
    return this.#chunked<R>("mapAsync", Kind.map, fn, items, options, MAP_ASYNC_OPTIONS);
  }

  /** As `map`, for functions of several parameters: each item is an array of arguments. */
  async starmap<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    argTuples: Iterable<Readonly<A>>,
    options: MapOptions = {},
  ): Promise<ItemResult<R>[]> {
    return this.#chunked<R>("starmap", Kind.starmap, fn, argTuples, options, MAP_OPTIONS).get();
  }

  /** As `starmap`, and gives an AsyncResult at once. */
  starmapAsync<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    argTuples: Iterable<Readonly<A>>,
    options: MapAsyncOptions<ItemResult<R>> = {},
  ): AsyncResult<ItemResult<R>[]> {
    return this.#chunked<R>("starmapAsync", Kind.starmap, fn, argTuples, options, MAP_ASYNC_OPTIONS);
  }

  /**
   * Calls a function for each item, lazily: results in order as they come, inputs taken a small window ahead of the consumer.
   * Endless and async inputs work. The items of a generator come as it yields them, those of the first input first; it is at
   * most a small window ahead of the consumer, and ended when the consumer leaves. `next()` rejects for an item that failed and goes on with the one after.
   */
  imap<T, R>(
    fn: TaskFunction<[T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions = {},
  ): AsyncIterableIterator<StreamedResult<R>> {
    return this.#imap("imap", true, fn, items, options) as AsyncIterableIterator<StreamedResult<R>>;
  }

  /** As `imap`, results in the order in which they come. */
  imapUnordered<T, R>(
    fn: TaskFunction<[T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options: MapOptions = {},
  ): AsyncIterableIterator<StreamedResult<R>> {
    return this.#imap("imapUnordered", false, fn, items, options) as AsyncIterableIterator<StreamedResult<R>>;
  }

  /** Takes no more tasks; workers end when all is done. */
  close(): void {
    dropped.unregister(this.#scheduler);
    this.#scheduler.close();
  }

  /** Ends the workers at once; what has not ended rejects with CancelledError. */
  terminate(): void {
    dropped.unregister(this.#scheduler);
    this.#scheduler.terminate();
  }

  /** Waits until all workers have ended. @throws {StateError} If the pool is open. */
  async join(): Promise<void> {
    if (this.#scheduler.state === "open")
      throw new StateError(`Cannot join pool "${this.name}": it is open; call close() or terminate() first`);
    await this.#scheduler.join();
  }

  /** Counts and times. */
  stats(): StatsReport {
    return this.#scheduler.stats();
  }

  /** Closes, and waits until all is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#scheduler.join();
  }

  /** Terminates. */
  [Symbol.dispose](): void {
    this.terminate();
  }

  /** Checks a call. @returns the arguments as an array. */
  #checkedArgs(fn: unknown, args: unknown): readonly unknown[] {
    checkFunction("fn", fn);
    const list = args === undefined || args === null ? [] : checkList("args", args);
    this.#scheduler.assertOpen("give a task to");
    return list;
  }

  #chunked<R>(
    method: string,
    kind: number,
    fn: Function,
    items: Iterable<unknown>,
    options: MapAsyncOptions<ItemResult<R>>,
    known: readonly string[],
  ): AsyncResult<ItemResult<R>[]> {
    checkFunction("fn", fn);
    checkCallOptions(method, options, known);
    const scheduler = this.#scheduler;
    scheduler.assertOpen("give tasks to");
    const list = checkList("items", items);
    if (kind === Kind.starmap) list.forEach((args, i) => checkTuple(`argTuples[${i}]`, args));
    const { chunkSize = defaultChunkSize(list.length, scheduler.processes), progress, timeout } = options;
    const pending = new PendingResult<ItemResult<R>[]>(scheduler, options);
    const reporter = new ProgressReporter(progress, list.length, this.name);
    return pending.follow(new ChunkedCall(scheduler, { fn, kind, items: list, chunkSize, timeout }, reporter, pending));
  }

  #imap(method: string, ordered: boolean, fn: Function, items: unknown, options: MapOptions): Imap {
    checkFunction("fn", fn);
    checkCallOptions(method, options, MAP_OPTIONS);
    checkIterable(items);
    const scheduler = this.#scheduler;
    scheduler.assertOpen("give tasks to");
    const { chunkSize, progress, signal, timeout } = options;
    signal?.throwIfAborted();
    // A function that cannot travel is refused at the call; what it captures is read again when its chunks are sent.
    scheduler.book(fn);
    const total = Array.isArray(items) ? items.length : undefined;
    let sent = 0;
    const imap = new Imap(
      {
        processes: scheduler.processes,
        send: (chunk, index, listener) => {
          // Named by the pool, so that it is not collected as long as there is its iterator.
          const booked = this.#scheduler.book(fn);
          const contents = contentsFor(booked, fn, chunk);
          const place = { index, items: chunk.length, firstItem: sent };
          const task = makeTask(scheduler.options, {
            fn: booked,
            kind: Kind.settle,
            contents,
            listener,
            timeout,
            ...place,
          });
          sent += chunk.length;
          scheduler.submit(task);
          return task;
        },
        get termination() {
          return scheduler.termination;
        },
        drop: (task) => scheduler.drop(task),
        cancel: (tasks, error) => scheduler.cancelAll(tasks, error),
        consumed: (task) => scheduler.streamConsumed(task),
        setAwaited: (task, isAwaited) => scheduler.setAwaited(task, isAwaited),
      },
      items as Iterable<unknown> | AsyncIterable<unknown>,
      { ordered, chunkSize, progress: new ProgressReporter(progress, total, this.name) },
    );
    if (signal !== undefined) imap.onEnd(onAbort(signal, () => imap.fail(signal.reason)));
    return imap;
  }
}

Object.defineProperty(Pool.prototype, TO_HANDLE, {
  value(this: Pool): never {
    throw new SerializationError(
      `Cannot send the pool "${this.name}": only the process that made it can use it; a task can make a pool of its own`,
    );
  },
});
