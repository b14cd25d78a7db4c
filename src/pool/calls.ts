/** Calls of a pool: what becomes of their tasks, and what the caller sees. */

import { CancelledError } from "../core/errors.ts";
import { doorbellFd, hearDoorbell } from "../wait/index.ts";
import { pollReadable } from "../platform/index.ts";
import { AsyncResult, type ResultSource } from "./async-result.ts";
import type { BookedFunction } from "./function-book.ts";
import { poll } from "./polling.ts";
import { type ProgressReporter, warnOfCallback } from "./progress.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Task, TaskListener } from "./task.ts";
import { TaskStream } from "./task-stream.ts";
import { Kind } from "./worker-cell.ts";

/** Longest sleep in one go: signal handlers do not run meanwhile. */
const SLICE_MS = 20;

/** What calls with callbacks have in common. */
export interface Callbacks<R> {
  readonly callback?: ((value: R) => void) | undefined;
  readonly errorCallback?: ((error: unknown) => void) | undefined;
}

export function makeTask(
  scheduler: Scheduler,
  fn: BookedFunction,
  kind: number,
  contents: unknown,
  listener: TaskListener,
  { index = 0, items = 1, timeout }: { index?: number; items?: number; timeout?: number | undefined } = {},
): Task {
  return {
    kind,
    fn,
    contents,
    bytes: undefined,
    taken: undefined,
    written: undefined,
    listener,
    index,
    items,
    timeout: timeout ?? scheduler.options.taskTimeout,
    retries: scheduler.options.retries,
    queuedAt: performance.now(),
    ended: false,
  };
}

/** A function that holds handles travels with its arguments. */
export function contentsFor(booked: BookedFunction, fn: Function, args: readonly unknown[]): unknown {
  return booked.id === 0 ? [fn, args] : args;
}

/** Runs one call. */
export function callOnce(
  scheduler: Scheduler,
  fn: Function,
  args: readonly unknown[],
  resolve: (value: unknown) => void,
  reject: (error: unknown) => void,
): void {
  const booked = scheduler.book.book(fn);
  const listener = new SingleCall(scheduler, resolve, reject);
  scheduler.submit(makeTask(scheduler, booked, Kind.call, contentsFor(booked, fn, args), listener));
}

/** Listens to the task of one call. */
export class SingleCall implements TaskListener {
  readonly #scheduler: Scheduler;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #stream: TaskStream | undefined;

  constructor(scheduler: Scheduler, resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.#scheduler = scheduler;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  value(value: unknown): void {
    if (this.#stream === undefined) this.#resolve(value);
    else this.#stream.end();
  }

  error(error: unknown): void {
    if (this.#stream === undefined) this.#reject(error);
    else this.#stream.fail(error);
  }

  stream(task: Task): void {
    this.#stream = new TaskStream({
      consumed: () => this.#scheduler.streamConsumed(task),
      stop: () => this.#scheduler.stopStream(task),
    });
    this.#resolve(this.#stream);
  }

  item(item: unknown): void {
    this.#stream?.push(item);
  }
}

/** Blocks until something has happened in the pools of this process. */
function waitForPools(scheduler: Scheduler, milliseconds: number): void {
  poll();
  if (milliseconds <= 0 || scheduler.hasResults) return;
  for (const worker of scheduler.workers) worker.polled = false;
  if (!scheduler.hasResults) pollReadable([doorbellFd()], Math.min(SLICE_MS, milliseconds));
  hearDoorbell();
  scheduler.noticeDeaths();
  scheduler.dispatch();
}

/** A result with callbacks. */
export function resultOf<R>(
  scheduler: Scheduler,
  { callback, errorCallback }: Callbacks<R>,
  signal: AbortSignal | undefined,
  start: (resolve: (value: R) => void, reject: (error: unknown) => void) => { cancel(error: unknown): boolean },
): AsyncResult<R> {
  let call: { cancel(error: unknown): boolean } | undefined;
  const source: ResultSource = {
    cancel: () => call?.cancel(new CancelledError("The task was cancelled")) ?? false,
    waitSync: (milliseconds) => waitForPools(scheduler, milliseconds),
  };
  return new AsyncResult<R>(source, (settle) => {
    const abort = (): void => void call?.cancel(signal?.reason);
    const end = (): void => signal?.removeEventListener("abort", abort);
    signal?.throwIfAborted();
    signal?.addEventListener("abort", abort, { once: true });
    try {
      call = start(
        (value) => {
          end();
          settle({ ok: true, value });
          guarded("result", callback, value);
        },
        (error) => {
          end();
          settle({ ok: false, error });
          guarded("error", errorCallback, error);
        },
      );
    } catch (error) {
      end();
      throw error;
    }
  });
}

function guarded<T>(name: string, callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (error) {
    warnOfCallback(name, error);
  }
}

/** Items in chunks, gathered in their order. Waits for all chunks; the first error in order is the call's. */
export class ChunkedCall implements TaskListener {
  readonly #scheduler: Scheduler;
  readonly #chunks: unknown[][] = [];
  readonly #tasks: Task[] = [];
  readonly #progress: ProgressReporter;
  readonly #resolve: (values: unknown[]) => void;
  readonly #reject: (error: unknown) => void;
  #left: number;
  #failure: { readonly index: number; readonly error: unknown } | undefined;

  constructor(
    scheduler: Scheduler,
    {
      fn,
      kind,
      items,
      chunkSize,
      timeout,
    }: { fn: Function; kind: number; items: readonly unknown[]; chunkSize: number; timeout?: number | undefined },
    progress: ProgressReporter,
    resolve: (values: unknown[]) => void,
    reject: (error: unknown) => void,
  ) {
    this.#scheduler = scheduler;
    this.#progress = progress;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#left = Math.ceil(items.length / chunkSize);
    if (this.#left === 0) {
      this.#end();
      return;
    }
    const booked = scheduler.book.book(fn);
    for (let index = 0, start = 0; start < items.length; index++, start += chunkSize) {
      const chunk = items.slice(start, start + chunkSize);
      const task = makeTask(scheduler, booked, kind, contentsFor(booked, fn, chunk), this, {
        index,
        items: chunk.length,
        timeout,
      });
      this.#tasks.push(task);
      try {
        scheduler.submit(task);
      } catch (error) {
        this.#tasks.pop();
        this.cancel(error);
        throw error;
      }
    }
  }

  value(values: unknown, { index, items }: Task): void {
    this.#chunks[index] = values as unknown[];
    this.#done(items);
  }

  error(error: unknown, { index, items }: Task): void {
    if (this.#failure === undefined || index < this.#failure.index) this.#failure = { index, error };
    this.#done(items);
  }

  /** Ends all that has not ended. */
  cancel(error: unknown): boolean {
    if (this.#left === 0) return false;
    this.#failure = { index: -1, error };
    this.#scheduler.cancelAll(this.#tasks, error);
    return true;
  }

  #done(items: number): void {
    this.#progress.advance(items);
    if (--this.#left === 0) this.#end();
  }

  #end(): void {
    this.#progress.end();
    if (this.#failure !== undefined) return this.#reject(this.#failure.error);
    if (this.#chunks.length === 1) return this.#resolve(this.#chunks[0] as unknown[]);
    this.#resolve(([] as unknown[]).concat(...this.#chunks));
  }
}
