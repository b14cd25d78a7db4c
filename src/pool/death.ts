/** What is said of workers that died. */

import { WorkerDiedError } from "../core/errors.ts";
import type { Exit } from "../process/child-link.ts";
import type { Task } from "./task.ts";

interface Dead {
  readonly pid: number;
}

/** A worker died in the middle of a task. */
export function diedError(worker: Dead, task: Task, exit: Exit, maxMemory: number | undefined): WorkerDiedError {
  const { exitCode, signal } = exit;
  const isMemory = signal === "SIGABRT" || signal === "SIGTRAP" || exitCode === 134 || exitCode === 133;
  const hint = isMemory
    ? `; it ran out of heap memory${maxMemory === undefined ? "" : ` (maxMemory is ${maxMemory} bytes)`}, or aborted for a reason that it printed`
    : "";
  const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
  return new WorkerDiedError(`Worker ${worker.pid} ${how} while it ran the task ${task.fn.name}${hint}`, {
    pid: worker.pid,
    exitCode,
    signal,
  });
}

/** Workers die before they take tasks. */
export function cannotStartError(name: string, { pid }: Dead, { exitCode, signal }: Exit): WorkerDiedError {
  const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
  return new WorkerDiedError(`Cannot start workers of pool "${name}": worker ${pid} ${how} before it was ready`, {
    pid,
    exitCode,
    signal,
  });
}
