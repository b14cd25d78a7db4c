/** The processes of one run, known by a variable of their environment; others are never touched. */

import { readdirSync, readFileSync } from "node:fs";

const NAME = "MULTIPROC_SOAK";

/** Marks all that this process starts from now on. */
export function markChildren(): void {
  process.env[NAME] = String(process.pid);
}

export function isMarked(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${NAME}=${process.pid}`);
  } catch {
    return false;
  }
}

export function markedProcesses(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isMarked(pid));
}
