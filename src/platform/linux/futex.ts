/**
 * Sleeping on a word of shared memory. Source: futex(2).
 *
 * Callers sleep in bounded slices: an unbounded futex wait keeps signal handlers, `process.exit()` and the termination of
 * worker threads from running.
 */

import { ETIMEDOUT } from "../errno.ts";
import { errno, libc } from "./libc.ts";

const SYS_FUTEX = process.arch === "arm64" ? 98 : 202;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;

const timespec = new BigInt64Array(2);

/**
 * Sleeps while the word at `address` is `expected`, for at most `timeoutMs`.
 * @returns false when the time ran out; true when woken, when the word differs, or on a signal: look again.
 */
export function futexWait(address: number, expected: number, timeoutMs: number): boolean {
  const seconds = Math.floor(timeoutMs / 1000);
  timespec[0] = BigInt(seconds);
  timespec[1] = BigInt(Math.max(0, Math.floor((timeoutMs - seconds * 1000) * 1e6)));
  const result = libc().syscall(SYS_FUTEX, address, FUTEX_WAIT, expected, timespec, null, 0);
  return !(result === -1 && errno() === ETIMEDOUT);
}

/** Wakes up to `count` sleepers of the word at `address`; gives how many there were. */
export function futexWake(address: number, count: number): number {
  return libc().syscall(SYS_FUTEX, address, FUTEX_WAKE, count, null, null, 0);
}
