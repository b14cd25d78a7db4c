/** Promises that wait for a waiter node to be woken. They are settled from the event loop when the doorbell rings. */

import type { Deadline } from "../core/deadline.ts";
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "../core/timers.ts";
import { arena, selfSlot, Slot, slotWord } from "../memory/index.ts";
import { installDoorbell, keepEventLoop, onDoorbell, releaseEventLoop } from "./doorbell.ts";
import { linger, stopLingering } from "./linger.ts";
import { isWoken, TIMED_OUT } from "./waiter-nodes.ts";

const SLICE_MS = 100;

interface Parked {
  readonly finish: () => void;
  readonly fail: (error: unknown) => void;
  readonly onSlice: (() => void) | undefined;
}

const parked = new Map<number, Parked>();
let slicing = 0;
let sliceTimer: NodeJS.Timeout | undefined;
let listening = false;

/**
 * Waits in the event loop for a queued node.
 * @param leave Takes the node out of its queue if it is still in, gives it back, and gives the token.
 */
export function parkInLoop(
  node: number,
  deadline: Deadline,
  onSlice: (() => void) | undefined,
  leave: () => number,
): Promise<number> {
  if (!listening) {
    listening = true;
    installDoorbell();
    onDoorbell(settleWoken);
  }
  return new Promise((resolve, reject) => {
    const left = deadline.remaining();
    const timer = left === Infinity ? undefined : setTimeout(() => finish(), Math.max(1, Math.ceil(left)));
    const abort = (): void => fail(deadline.signal?.reason);
    const end = (): number => {
      parked.delete(node);
      stopLingering(node);
      clearTimeout(timer);
      deadline.signal?.removeEventListener("abort", abort);
      if (onSlice !== undefined) stopSlicing();
      releaseEventLoop();
      return leave();
    };
    const finish = (): void => resolve(end());
    const fail = (error: unknown): void => {
      const token = end();
      // Woken before it was told to give up: what it was handed must not be dropped.
      if (token === TIMED_OUT) reject(error as Error);
      else resolve(token);
    };
    keepEventLoop();
    deadline.signal?.addEventListener("abort", abort, { once: true });
    if (onSlice !== undefined) startSlicing();
    parked.set(node, { finish, fail, onSlice });
    // Woken by this very process before it got here, or before the bell was there to be rung.
    if (isWoken(node)) setImmediate(settleWoken);
    else linger(node, finish);
  });
}

function settleWoken(): void {
  for (const [node, { finish }] of parked) if (isWoken(node)) finish();
}

function startSlicing(): void {
  if (slicing++ > 0) return;
  sliceTimer = setInterval(() => {
    // Says that the tasks of this process could run.
    Atomics.add(arena().words, slotWord(selfSlot()) + Slot.beat, 1);
    for (const { onSlice, fail } of parked.values()) {
      try {
        onSlice?.();
      } catch (error) {
        fail(error);
      }
    }
    settleWoken();
  }, SLICE_MS);
  sliceTimer.unref();
}

function stopSlicing(): void {
  if (--slicing === 0) clearInterval(sliceTimer);
}
