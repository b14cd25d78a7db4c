/** Lets the event loop breathe: promise calls that never have to wait would otherwise keep timers and signals from being served. */

import { setImmediate } from "../core/timers.ts";

const CALLS_PER_TURN = 256;

let calls = 0;

/** True for the calls that must wait for the next turn of the event loop. */
export function isTurnOver(): boolean {
  if (++calls < CALLS_PER_TURN) return false;
  calls = 0;
  return true;
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
