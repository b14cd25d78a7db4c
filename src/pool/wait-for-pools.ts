/** Blocking until something happens in a pool. */

import { pollReadable } from "../platform/index.ts";
import { doorbellFd, hearDoorbell } from "../wait/index.ts";
import { poll } from "./polling.ts";
import type { Scheduler } from "./scheduler.ts";

/** Longest sleep in one go: signal handlers do not run meanwhile. */
const SLICE_MS = 20;

/** Blocks until something has happened in the pools of this process, at most for a time. */
export function waitForPools(scheduler: Scheduler, milliseconds: number): void {
  poll();
  if (milliseconds <= 0 || scheduler.hasResults) return;
  for (const worker of scheduler.workers) worker.polled = false;
  if (!scheduler.hasResults) pollReadable([doorbellFd()], Math.min(SLICE_MS, milliseconds));
  hearDoorbell();
  scheduler.noticeDeaths();
  scheduler.checkTimeLimits();
  scheduler.dispatch();
}
