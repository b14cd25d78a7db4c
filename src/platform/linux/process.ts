/** Other processes: are they the ones we mean, and are they alive? */

import { readFileSync } from "node:fs";
import { EINTR, ECHILD } from "../errno.ts";
import { checked, errno, libc } from "./libc.ts";
import { ownedByThread } from "./thread-owned.ts";

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
  const fd = libc().syscall(SYS_PIDFD_OPEN, pid, 0, 0, null, null, 0);
  return ownedByThread(checked("pidfd_open", fd, `process ${pid}`));
}

/** Lets others run: for a spin that waits for somebody on the same processor. */
export function yieldProcessor(): void {
  libc().sched_yield();
}

/** How a process ended: its exit code, or the number of the signal that ended it. */
export interface ExitStatus {
  readonly code: number | null;
  readonly signal: number | null;
}

const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const CLD_EXITED = 1;

/**
 * How a child of this process ended, without reaping it (libuv does that). undefined while it lives; "reaped" when libuv
 * has done so already and its event is still to come. Source: waitid(2); siginfo has code, pid and status in words 2, 4, 6.
 */
export function peekExit(pid: number): ExitStatus | "reaped" | undefined {
  return askExit(pid, WEXITED | WNOHANG | WNOWAIT);
}

/** As `peekExit`, and reaps it: its pid may be given to another process from then on. @param wait Blocks until it has ended. */
export function reapExit(pid: number, { wait = false }: { wait?: boolean } = {}): ExitStatus | "reaped" | undefined {
  return askExit(pid, WEXITED | (wait ? 0 : WNOHANG));
}

function askExit(pid: number, options: number): ExitStatus | "reaped" | undefined {
  const info = new Int32Array(32);
  while (libc().waitid(P_PID, pid, info, options) === -1) {
    if (errno() === ECHILD) return "reaped";
    if (errno() !== EINTR) checked("waitid", -1);
  }
  if (info[4] !== pid) return undefined;
  const status = info[6] as number;
  return info[2] === CLD_EXITED ? { code: status, signal: null } : { code: null, signal: status };
}
