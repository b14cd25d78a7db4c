/** Takes tasks that have not begun from the fullest lane, for workers that would stand idle. */

import type { PoolWorker } from "./pool-worker.ts";
import type { Task } from "./task.ts";
import type { WorkerSet } from "./worker-set.ts";

/** A lane in which nothing has moved for so long is worth taking from. */
const STEAL_AFTER_MS = 0.5;

/** What it takes from its pool. */
export interface StealingPool {
  /** Gives a task to a worker, or to the queue when that cannot take it. */
  giveOrQueue(worker: PoolWorker, task: Task): void;
  dispatch(): void;
}

export class Stealing {
  readonly #workers: WorkerSet;
  readonly #pool: StealingPool;
  #timer: NodeJS.Timeout | undefined;

  constructor(workers: WorkerSet, pool: StealingPool) {
    this.#workers = workers;
    this.#pool = pool;
  }

  /** Until no worker is idle, or nothing is left to be taken. */
  share(): void {
    for (let idle = this.#workers.idle(); idle.length > 0; idle = this.#workers.idle()) {
      const victim = this.#workers.fullest();
      if (victim === undefined) return;
      if (victim.stillMs < STEAL_AFTER_MS && victim.ready) return this.#shareSoon();
      this.#shareTasks(victim, idle);
    }
  }

  /** Among the idle ones and their owner, which will go on soon. */
  #shareTasks(victim: PoolWorker, idle: readonly PoolWorker[]): void {
    // The eldest first, whatever deaths have done to the order: an ordered stream may wait for it.
    const tasks = victim.takeBack().toSorted((a, b) => a.queuedAt - b.queuedAt);
    const lanes = [...idle, victim];
    tasks.forEach((task, i) => this.#pool.giveOrQueue(lanes[i % lanes.length] as PoolWorker, task));
  }

  #shareSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pool.dispatch();
    }, 1);
  }
}
