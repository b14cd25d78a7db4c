/**
 * Looking for a while before a promise's wait sleeps: the spinning of event loops. A wake-up through the doorbell takes 50 µs and two
 * system calls; who looks in every turn of its loop needs none. As with spinning, only while it has paid lately.
 */

import { availableParallelism } from "node:os";
import { performance, setImmediate } from "../core/timers.ts";
import { arena } from "../memory/index.ts";
import { isWoken, Node, Sleep } from "./waiter-nodes.ts";

/** A little more than a wake-up takes. */
const LINGER_MS = 0.08;
/** After so many times in vain it is tried rarely: after twice as many waits each time, up to a limit. */
const PATIENCE = 4;
const LONGEST_PAUSE = 1024;

const mayPay = availableParallelism() > 1;
const looking = new Map<number, () => void>();
let until = 0;
let scheduled = false;
let inVain = 0;
let pause = 1;
let skipped = 0;

/** Looks whether a node, just queued, is woken, and calls back then. When it gives up, the doorbell is needed. */
export function linger(node: number, finish: () => void): void {
  if (!mayPay || !isWorthIt()) return;
  Atomics.store(arena().words, node + Node.how, Sleep.looking);
  looking.set(node, finish);
  until = performance.now() + LINGER_MS;
  if (scheduled) return;
  scheduled = true;
  setImmediate(look);
}

/** The wait has ended, in whatever way. */
export function stopLingering(node: number): void {
  looking.delete(node);
}

function isWorthIt(): boolean {
  if (inVain < PATIENCE || ++skipped >= pause) {
    skipped = 0;
    return true;
  }
  return false;
}

function look(): void {
  scheduled = false;
  for (const [node, finish] of looking) {
    if (!isWoken(node)) continue;
    looking.delete(node);
    inVain = 0;
    pause = 1;
    finish();
  }
  if (looking.size === 0) return;
  if (performance.now() >= until) return giveUp();
  scheduled = true;
  setImmediate(look);
}

function giveUp(): void {
  inVain += 1;
  if (inVain > PATIENCE) pause = Math.min(LONGEST_PAUSE, 2 * pause);
  const { words } = arena();
  for (const [node, finish] of looking) {
    looking.delete(node);
    // Says that it must be rung, then looks: a waker marks the node first, then asks how to wake.
    Atomics.store(words, node + Node.how, Sleep.loop);
    if (isWoken(node)) finish();
  }
}
