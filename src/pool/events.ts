/**
 * What `node:diagnostics_channel` tells of pools, for whoever listens:
 *
 * - `multiproc:pool:task:start` `{ pool, pid, task, id }`: a task was given to a worker. Once for each task, also when it is moved to
 *   another worker before it begins, or begun again.
 * - `multiproc:pool:task:end` `{ pool, pid, task, id, duration }`: it gave a value
 * - `multiproc:pool:task:error` `{ pool, pid, task, id, duration, error }`: it threw, or was ended (then `duration` is undefined)
 * - `multiproc:pool:worker:restart` `{ pool, pid, exitCode, signal }`: a worker has ended and is replaced when needed
 *
 * Each start is followed by either an end or an error with the same `id`.
 */

import { channel } from "node:diagnostics_channel";
import type { Exit } from "../process/child-link.ts";
import type { Task } from "./task.ts";

const start = channel("multiproc:pool:task:start");
const end = channel("multiproc:pool:task:end");
const error = channel("multiproc:pool:task:error");
const restart = channel("multiproc:pool:worker:restart");

/** How a task has ended that gave no value. */
export interface Failure {
  readonly error: unknown;
}

export const events = {
  /** A task was given to a worker. */
  given(pool: string, pid: number, task: Task): void {
    const isFirst = task.pid === 0;
    task.pid = pid;
    if (isFirst && start.hasSubscribers) start.publish({ pool, pid, task: task.fn.name, id: task.id });
  },

  /** A task that was given has ended by itself. */
  ended(pool: string, { pid, fn, id, duration }: Task, failure: Failure | undefined): void {
    if (failure !== undefined) {
      if (error.hasSubscribers) error.publish({ pool, pid, task: fn.name, id, duration, error: failure.error });
    } else if (end.hasSubscribers) end.publish({ pool, pid, task: fn.name, id, duration });
  },

  /** A task was ended from outside, or with its worker. One that no worker has had has not started. */
  stopped(pool: string, { pid, fn, id }: Task, reason: unknown): void {
    if (pid === 0 || !error.hasSubscribers) return;
    error.publish({ pool, pid, task: fn.name, id, duration: undefined, error: reason });
  },

  restarted(pool: string, pid: number, { exitCode, signal }: Exit): void {
    if (restart.hasSubscribers) restart.publish({ pool, pid, exitCode, signal });
  },
};
