/** Ends tasks that run longer than they may. One timer for all tasks of a pool, set for the first that may be over its time. */

import { clearTimeout, performance, setTimeout } from "../core/timers.ts";
import type { Task } from "./task.ts";

/** Longest time that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Worker {
  readonly tasks: Iterable<Task>;
  read(): number;
  /** Milliseconds since a task began; 0 for one that has not. */
  ranMs(task: Task): number;
}

/** The pool, as far as time goes. */
export interface TimedPool {
  readonly workers: readonly Worker[];
  /** The tasks that no worker has. */
  readonly queue: Iterable<Task>;
  /** The task has run longer than it may. */
  overrun(task: Task): void;
}

export class TimeLimits {
  readonly #pool: TimedPool;
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Infinity;

  constructor(pool: TimedPool) {
    this.#pool = pool;
  }

  /** A task was given to a worker. Its time counts from when it begins, which is not before now. */
  watch({ timeout }: Task): void {
    if (timeout !== Infinity) this.#checkIn(timeout);
  }

  /** No task is left. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAt = Infinity;
  }

  /** For who blocks, so that timers do not fire: ends what is over its time. */
  checkIfDue(): void {
    if (performance.now() < this.#dueAt) return;
    this.stop();
    this.#check();
  }

  /** Unless they are checked sooner. */
  #checkIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#dueAt <= at) return;
    this.stop();
    this.#dueAt = at;
    this.#timer = setTimeout(
      () => {
        this.stop();
        this.#check();
      },
      Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(ms))),
    );
  }

  #check(): void {
    let next = Infinity;
    for (const worker of this.#pool.workers.slice()) {
      worker.read();
      for (const task of Array.from(worker.tasks)) {
        if (task.ended || task.timeout === Infinity) continue;
        const left = task.timeout - worker.ranMs(task);
        if (left > 0) next = Math.min(next, left);
        else this.#pool.overrun(task);
      }
    }
    for (const task of this.#pool.queue) next = Math.min(next, task.timeout);
    if (next !== Infinity) this.#checkIn(next);
  }
}
