/** Waiting for something that a child will do, with a deadline. */

import type { Deadline } from "../core/deadline.ts";
import { clearTimeout, setTimeout } from "../core/timers.ts";
import type { ChildLink } from "./child-link.ts";

/** Longest time that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Waits for a promise that settles at the latest when the child ends; keeps the program alive meanwhile.
 * @param late Gives the answer when the time runs out first.
 */
export async function waitForChild<T, L>(
  link: ChildLink,
  ask: () => Promise<T>,
  deadline: Deadline,
  late: () => L,
): Promise<T | L> {
  deadline.throwIfAborted();
  // Take what is there already: asked once, without waiting, a wait must not miss it.
  if (deadline.expired) {
    link.drain();
    void link.exit;
  }
  const { signal } = deadline;
  link.hold();
  let timer: NodeJS.Timeout | undefined;
  let abort: (() => void) | undefined;
  const races: Promise<T | L>[] = [ask()];
  const left = deadline.remaining();
  if (left !== Infinity) {
    const time = Math.min(MAX_TIMER_MS, Math.ceil(left));
    races.push(new Promise<void>((resolve) => (timer = setTimeout(resolve, time))).then(late));
  }
  if (signal !== undefined) {
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
    });
    races.push(aborted);
  }
  try {
    return await Promise.race(races);
  } finally {
    clearTimeout(timer);
    if (abort !== undefined) signal?.removeEventListener("abort", abort);
    link.release();
  }
}
