/** Other processes: are they the ones we mean, and are they alive? */

import { readFileSync } from "node:fs";
import { checked, libc } from "./libc.ts";

const SYS_PIDFD_OPEN = 434;

/**
 * What /proc says of a living process; undefined when there is none, or only its zombie.
 * @throws whatever else keeps /proc from being read (EMFILE, say): who is not seen must not be taken for dead.
 */
export function startTimeOf(pid: number): bigint | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
  // The name in parentheses may contain anything, so count from its end: state is the first field after it, start time the 20th.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const state = fields[0];
  if (state === "Z" || state === "X") return undefined;
  return BigInt(fields[19] as string);
}

/** A descriptor that becomes readable when the process ends (also as a zombie). Source: pidfd_open(2). */
export function openPidFd(pid: number): number {
  return checked("pidfd_open", libc().syscall(SYS_PIDFD_OPEN, pid, 0, 0, null, null, 0), `process ${pid}`);
}

/** Lets others run: for a spin that waits for somebody on the same processor. */
export function yieldProcessor(): void {
  libc().sched_yield();
}
