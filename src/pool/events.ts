/**
 * What `node:diagnostics_channel` tells of pools, for whoever listens:
 *
 * - `multiproc:pool:task:start` `{ pool, pid, task }`: a task was given to a worker
 * - `multiproc:pool:task:end` `{ pool, pid, task, duration }`: it gave a value
 * - `multiproc:pool:task:error` `{ pool, pid, task, duration }`: it threw
 * - `multiproc:pool:worker:restart` `{ pool, pid, exitCode, signal }`: a worker has ended and is replaced when needed
 */

import { channel } from "node:diagnostics_channel";
import type { Exit } from "../process/child-link.ts";
import type { Task } from "./task.ts";

const start = channel("multiproc:pool:task:start");
const end = channel("multiproc:pool:task:end");
const error = channel("multiproc:pool:task:error");
const restart = channel("multiproc:pool:worker:restart");

export const events = {
  /** True when somebody listens to the start of tasks. */
  get wanted(): boolean {
    return start.hasSubscribers;
  },

  started(pool: string, pid: number, task: Task): void {
    start.publish({ pool, pid, task: task.fn.name });
  },

  ended(pool: string, pid: number, task: Task, duration: number, isError: boolean): void {
    const to = isError ? error : end;
    if (to.hasSubscribers) to.publish({ pool, pid, task: task.fn.name, duration });
  },

  restarted(pool: string, pid: number, { exitCode, signal }: Exit): void {
    if (restart.hasSubscribers) restart.publish({ pool, pid, exitCode, signal });
  },
};
