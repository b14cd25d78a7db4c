/**
 * Whether a process lives, asked of the kernel.
 *
 * /proc says it of any process, but in a processor that was asleep it takes 0.2 ms, three times as long as the wake-up itself. So who
 * asks again and again (a waiter, whether the holder of its lock lives) keeps a descriptor of the process (a pidfd), which says it in
 * 5 µs. They are few, and given up some seconds after their last use.
 */

import { closeSync } from "node:fs";
import { IdleTimer } from "../core/idle-timer.ts";
import { performance } from "../core/timers.ts";
import { openPidFd, pollReadable, startTimeOf } from "../platform/index.ts";

/** Descriptors that are kept at a time. */
const MOST = 8;
/** Who is asked about for a second time within this time will be asked about again. */
const AGAIN_MS = 6000;
const IDLE_MS = 2000;

interface Asked {
  readonly startTime: bigint;
  /** Of the process; undefined when it was asked about once only, or none could be had. */
  fd: number | undefined;
  at: number;
}

/** By pid. */
const asked = new Map<number, Asked>();

/** Whether the process with that pid and start time lives; a zombie does not. Throws if the system does not say. */
export function lives(pid: number, startTime: bigint): boolean {
  const now = performance.now();
  const known = asked.get(pid);
  if (known?.startTime === startTime && known.fd !== undefined) {
    known.at = now;
    if (pollReadable([known.fd], 0).length === 0) return true;
    forget(pid);
    return false;
  }
  const isAgain = known?.startTime === startTime && now - known.at < AGAIN_MS;
  forget(pid);
  return isAgain ? keep(pid, startTime, now) : note(pid, startTime, now);
}

function note(pid: number, startTime: bigint, now: number): boolean {
  if (startTimeOf(pid) !== startTime) return false;
  if (asked.size >= MOST) forgetOld(now);
  if (asked.size < MOST) asked.set(pid, { startTime, fd: undefined, at: now });
  return true;
}

function keep(pid: number, startTime: bigint, now: number): boolean {
  const fd = descriptorOf(pid);
  // After it is open, so that it is that of this process and not of a later one with the same pid.
  const isAlive = aliveOrClose(fd, () => startTimeOf(pid) === startTime);
  if (!isAlive) return false;
  asked.set(pid, { startTime, fd, at: now });
  idle.start();
  return true;
}

function aliveOrClose(fd: number | undefined, isAlive: () => boolean): boolean {
  let alive = false;
  try {
    alive = isAlive();
  } finally {
    if (!alive && fd !== undefined) closeSync(fd);
  }
  return alive;
}

/** Who has no descriptor left goes on with /proc; the process may also be gone. */
function descriptorOf(pid: number): number | undefined {
  try {
    return openPidFd(pid);
  } catch {
    return undefined;
  }
}

function forget(pid: number): void {
  const fd = asked.get(pid)?.fd;
  asked.delete(pid);
  if (fd !== undefined) closeSync(fd);
}

function forgetOld(now: number): void {
  for (const [pid, { at }] of asked) if (now - at > AGAIN_MS) forget(pid);
}

const idle = new IdleTimer(IDLE_MS, () => {
  forgetOld(performance.now());
  return asked.size > 0;
});
