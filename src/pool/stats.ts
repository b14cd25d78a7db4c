/** Counts and times of a pool. */

import { performance } from "../core/timers.ts";
import type { Task } from "./task.ts";

/** What `pool.stats()` gives. Times are in milliseconds. */
export interface StatsReport {
  /** The living workers: tasks done, tasks in hand, and the share of their life in which they were at work (0 to 1). */
  readonly workers: readonly WorkerStats[];
  /** Tasks that no worker has begun. */
  readonly queued: number;
  /** Tasks that have begun. */
  readonly running: number;
  /** Tasks that gave a result. A chunk of `map` is one task. */
  readonly completed: number;
  /** Tasks that threw. */
  readonly failed: number;
  /** Workers that ended and were not meant to, or that were replaced after their number of tasks. */
  readonly restarts: number;
  /** From the call to the result, of the last 1024 tasks. */
  readonly latency: Percentiles;
  /** How long tasks ran, of the last 1024 tasks. */
  readonly duration: Percentiles;
}

/** One worker of a pool. */
export interface WorkerStats {
  /** Its process id. */
  readonly pid: number;
  /** Tasks that it has ended. */
  readonly completed: number;
  /** Tasks that it has in hand: the one that runs, and those that were handed to it ahead. */
  readonly tasks: number;
  /** The share of its life in which it was at work, from 0 to 1. */
  readonly busy: number;
}

/** How times are spread, in milliseconds; all 0 as long as there are none. */
export interface Percentiles {
  /** Half of them were no longer than this. */
  readonly p50: number;
  /** 95 of 100. */
  readonly p95: number;
  /** 99 of 100. */
  readonly p99: number;
  /** The longest. */
  readonly max: number;
}

interface WorkerCounts {
  readonly pid: number;
  readonly done: number;
  readonly tasks: { readonly size: number };
  readonly busyMs: number;
  readonly startedAt: number;
}

const KEPT = 1024;

export class PoolStats {
  completed = 0;
  failed = 0;
  restarts = 0;
  readonly #latencies = new Float64Array(KEPT);
  readonly #durations = new Float64Array(KEPT);
  #count = 0;

  taskEnded(task: Task, duration: number, isError: boolean): void {
    if (isError) this.failed += 1;
    else this.completed += 1;
    const at = this.#count++ % KEPT;
    this.#latencies[at] = performance.now() - task.queuedAt;
    this.#durations[at] = duration;
  }

  report(workers: readonly WorkerCounts[], { queued, running }: { queued: number; running: number }): StatsReport {
    const now = performance.now();
    return {
      workers: workers.map(({ pid, done, tasks, busyMs, startedAt }) => ({
        pid,
        completed: done,
        tasks: tasks.size,
        busy: Math.min(1, busyMs / Math.max(now - startedAt, 1e-3)),
      })),
      queued,
      running,
      completed: this.completed,
      failed: this.failed,
      restarts: this.restarts,
      latency: this.#percentiles(this.#latencies),
      duration: this.#percentiles(this.#durations),
    };
  }

  #percentiles(values: Float64Array): Percentiles {
    const sorted = values.slice(0, Math.min(this.#count, KEPT)).sort();
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
  }
}
