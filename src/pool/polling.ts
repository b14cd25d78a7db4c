/**
 * Looking for results. While results keep coming the event loop looks in every turn, and workers need not ring; after a
 * short time without any it sleeps until rung. So under load no system call is made for a result.
 */

import { performance, setImmediate } from "../core/timers.ts";
import { onDoorbell } from "../wait/index.ts";

/** A pool, as it is looked at. */
export interface Polled {
  readonly pending: number;
  readonly hasResults: boolean;
  readonly workers: readonly { polled: boolean }[];
  read(): number;
}

/** How long to look after the last result, in milliseconds: about what a sleep and a wake-up cost. */
const LINGER_MS = 0.06;

const pools = new Set<Polled>();
let listening = false;
let scheduled = false;
let lastResult = 0;

/** From now on the pool is read when the doorbell rings. */
export function register(pool: Polled): void {
  pools.add(pool);
  if (listening) return;
  listening = true;
  onDoorbell(poll);
}

export function unregister(pool: Polled): void {
  pools.delete(pool);
}

/** A task was given: looks for its result for a while. @param now `performance.now()`, which is not free. */
export function pollLater(now: number): void {
  lastResult = now;
  if (scheduled) return;
  scheduled = true;
  setImmediate(turn);
}

/** Reads all pools. */
export function poll(): void {
  let count = 0;
  for (const pool of pools) count += pool.read();
  if (count > 0) lastResult = performance.now();
  schedule();
}

function turn(): void {
  scheduled = false;
  poll();
}

function schedule(): void {
  if (scheduled) return;
  let pending = 0;
  for (const pool of pools) pending += pool.pending;
  if (pending > 0 && performance.now() - lastResult < LINGER_MS) {
    setPolled(true);
    scheduled = true;
    setImmediate(turn);
    return;
  }
  // From now on workers ring. What was published before they could know is looked for once more.
  setPolled(false);
  for (const pool of pools) if (pool.hasResults) return again();
}

function again(): void {
  scheduled = true;
  setImmediate(turn);
}

function setPolled(isPolled: boolean): void {
  for (const pool of pools) for (const worker of pool.workers) worker.polled = isPolled;
}
