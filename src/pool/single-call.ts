/** One call of a function: its task, and the stream of its items if it is a generator. */

import type { Scheduler } from "./scheduler.ts";
import type { Settler } from "./settler.ts";
import { contentsFor, makeTask, type Task, type TaskListener } from "./task.ts";
import { TaskStream } from "./task-stream.ts";
import { Kind } from "./worker-cell.ts";

export class SingleCall implements TaskListener {
  readonly #scheduler: Scheduler;
  readonly #settler: Settler;
  readonly #task: Task;
  #stream: TaskStream | undefined;

  /** Gives the task to the pool. @throws {SerializationError} If function or arguments cannot travel. */
  constructor(
    scheduler: Scheduler,
    { fn, args, timeout }: { fn: Function; args: readonly unknown[]; timeout?: number | undefined },
    settler: Settler,
  ) {
    this.#scheduler = scheduler;
    this.#settler = settler;
    const booked = scheduler.book(fn);
    const contents = contentsFor(booked, fn, args);
    this.#task = makeTask(scheduler.options, { fn: booked, kind: Kind.call, contents, listener: this, timeout });
    scheduler.submit(this.#task);
  }

  cancel(error: unknown): boolean {
    return this.#scheduler.cancel(this.#task, error);
  }

  value(value: unknown): void {
    if (this.#stream === undefined) this.#settler.value(value);
    else this.#stream.end();
  }

  error(error: unknown): void {
    if (this.#stream === undefined) this.#settler.error(error);
    else this.#stream.fail(error);
  }

  /**
   * Gives the stream before the task begins: who waits for several before he reads any would wait until those before it have waited
   * for him for a while.
   */
  streamAtOnce(): void {
    this.stream(this.#task);
  }

  stream(task: Task): void {
    if (this.#stream !== undefined) return;
    this.#stream = new TaskStream({
      consumed: () => this.#scheduler.streamConsumed(task),
      stop: () => this.#scheduler.drop(task),
      setAwaited: (isAwaited) => this.#scheduler.setAwaited(task, isAwaited),
    });
    this.#settler.value(this.#stream);
  }

  item(item: unknown): void {
    this.#stream?.push(item);
  }
}
