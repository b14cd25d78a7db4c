/** A call for many items in chunks, gathered in their order. Waits for all chunks; the first error in order is the call's. */

import type { ProgressReporter } from "./progress.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Settler } from "./settler.ts";
import { contentsFor, makeTask, type Task, type TaskListener } from "./task.ts";

export interface ChunkedCallOptions {
  readonly fn: Function;
  readonly kind: number;
  readonly items: readonly unknown[];
  readonly chunkSize: number;
  readonly timeout?: number | undefined;
}

export class ChunkedCall implements TaskListener {
  readonly #scheduler: Scheduler;
  readonly #chunks: unknown[][] = [];
  readonly #tasks: Task[] = [];
  readonly #progress: ProgressReporter;
  readonly #settler: Settler;
  #left: number;
  #failure: { readonly index: number; readonly error: unknown } | undefined;

  /** Gives the tasks to the pool. @throws {SerializationError} If function or items cannot travel; nothing runs on then. */
  constructor(scheduler: Scheduler, options: ChunkedCallOptions, progress: ProgressReporter, settler: Settler) {
    this.#scheduler = scheduler;
    this.#progress = progress;
    this.#settler = settler;
    this.#left = Math.ceil(options.items.length / options.chunkSize);
    if (this.#left === 0) this.#end();
    else this.#submitAll(options);
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

  #submitAll({ fn, kind, items, chunkSize, timeout }: ChunkedCallOptions): void {
    const booked = this.#scheduler.book(fn);
    for (let index = 0, start = 0; start < items.length; index++, start += chunkSize) {
      const chunk = items.slice(start, start + chunkSize);
      const contents = contentsFor(booked, fn, chunk);
      const parts = {
        fn: booked,
        kind,
        contents,
        listener: this,
        index,
        items: chunk.length,
        firstItem: start,
        timeout,
      };
      const task = makeTask(this.#scheduler.options, parts);
      try {
        this.#scheduler.submit(task);
      } catch (error) {
        this.cancel(error);
        throw error;
      }
      this.#tasks.push(task);
    }
  }

  #done(items: number): void {
    this.#progress.advance(items);
    if (--this.#left === 0) this.#end();
  }

  #end(): void {
    this.#progress.end();
    if (this.#failure !== undefined) return this.#settler.error(this.#failure.error);
    if (this.#chunks.length === 1) return this.#settler.value(this.#chunks[0]);
    this.#settler.value(joined(this.#chunks));
  }
}

/** Arrays that are arguments of one call: the stack holds some 100,000. */
const MAX_ARGUMENTS = 10_000;

function joined(chunks: readonly unknown[][]): unknown[] {
  if (chunks.length <= MAX_ARGUMENTS) return ([] as unknown[]).concat(...chunks);
  const groups: unknown[][] = [];
  for (let start = 0; start < chunks.length; start += MAX_ARGUMENTS)
    groups.push(joined(chunks.slice(start, start + MAX_ARGUMENTS)));
  return joined(groups);
}
