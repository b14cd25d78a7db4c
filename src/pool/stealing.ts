/** Takes tasks that have not begun from the fullest lane, or from workers that do not move, for workers that would stand idle. */

import { setTimeout } from "../core/timers.ts";
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
  #rescueTimer: NodeJS.Timeout | undefined;

  constructor(workers: WorkerSet, pool: StealingPool) {
    this.#workers = workers;
    this.#pool = pool;
  }

  /** Until no worker is idle, or nothing is left to be taken. */
  share(): void {
    for (let idle = this.#workers.idle(); idle.length > 0; idle = this.#workers.idle()) {
      const victim = this.#workers.fullest();
      if (victim === undefined) return this.#rescue(idle);
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

  /** Takes a task from a worker that does not begin it though it does nothing else: it was stopped, say. */
  #rescue(idle: readonly PoolWorker[]): void {
    let soonest = Infinity;
    for (const worker of this.#workers.list) {
      const task = worker.ready ? worker.next : undefined;
      if (task === undefined) continue;
      const left = task.patienceMs - worker.stillMs;
      soonest = Math.min(soonest, Math.max(left, 1));
      if (left > 0) continue;
      // Should all be slow, it is not handed round.
      task.patienceMs *= 2;
      worker.setStuck();
      this.#shareTasks(worker, idle);
      idle = this.#workers.idle();
      if (idle.length === 0) return;
    }
    if (soonest < Infinity) this.#rescueIn(soonest);
  }

  #rescueIn(ms: number): void {
    if (this.#rescueTimer !== undefined) return;
    this.#rescueTimer = setTimeout(() => {
      this.#rescueTimer = undefined;
      this.#pool.dispatch();
    }, ms).unref();
  }

  #shareSoon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#pool.dispatch();
    }, 1);
  }
}
