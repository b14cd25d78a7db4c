/** Waiting for several things at once. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { typeError } from "../core/options.ts";
import { clearTimeout, setImmediate, setInterval } from "../core/timers.ts";
import { pollReadable } from "../platform/index.ts";
import { doorbellFd, hearDoorbell } from "./doorbell.ts";
import { isWaitable, type Readiness, WAITABLE, type Waitable } from "./waitable.ts";

/** Longest time that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Longest sleep in one go: signal handlers do not run meanwhile. */
const SLICE_MS = 100;

/**
 * Waits until at least one of the objects is ready: a process or its sentinel that has ended, a connection with a message or
 * at its end, an event that is set. Takes nothing from them.
 *
 * @returns Those that are ready, the very objects that were passed, in their order; `[]` when the time ran out.
 * @throws {TypeError} If one of them is nothing to wait for. Rejects with `signal.reason` when aborted.
 * @example
 * ```ts
 * import { Process, wait } from "multiproc";
 *
 * const children = [new Process(() => 1).start(), new Process(() => 2).start()];
 * const ended = await wait(children, { timeout: 10_000 });
 * console.log(ended.length >= 1); // true
 * ```
 */
export async function wait<T>(objects: Iterable<T>, options?: WaitOptions): Promise<T[]> {
  const sources = sourcesOf(objects);
  const deadline = Deadline.from(options);
  deadline.throwIfAborted();
  const ready = readyOf(sources);
  if (ready.length > 0 || sources.length === 0 || deadline.expired) return ready;
  return new Promise((resolve, reject) => {
    const finish = (act: () => void): void => {
      for (const unsubscribe of unsubscribes.splice(0)) unsubscribe();
      clearTimeout(timer);
      deadline.signal?.removeEventListener("abort", abort);
      act();
    };
    const look = (): void => {
      if (unsubscribes.length === 0) return;
      const found = readyOf(sources);
      if (found.length > 0 || deadline.expired) finish(() => resolve(found));
    };
    const abort = (): void => finish(() => reject(deadline.signal?.reason as Error));
    const unsubscribes = sources.map(({ readiness }) => readiness.subscribe(look));
    // A timer also keeps the program alive while it waits.
    const timer = setInterval(look, Math.min(Math.ceil(deadline.remaining()), MAX_TIMER_MS));
    deadline.signal?.addEventListener("abort", abort, { once: true });
    // What became ready before the subscription.
    setImmediate(look);
  });
}

/**
 * As `wait`, blocking.
 *
 * @example
 * ```ts
 * import { Event, waitSync } from "multiproc";
 *
 * const stop = new Event();
 * stop.set();
 * console.log(waitSync([stop], { timeout: 1000 })[0] === stop); // true
 * ```
 */
export function waitSync<T>(objects: Iterable<T>, options?: WaitOptions): T[] {
  const sources = sourcesOf(objects);
  const deadline = Deadline.from(options);
  deadline.throwIfAborted();
  let ready = readyOf(sources);
  if (ready.length > 0 || sources.length === 0) return ready;
  // Those who make something ready ring the bell only for who has said that he waits.
  const unsubscribes = sources.map(({ readiness }) => readiness.subscribe(() => {}));
  try {
    while ((ready = readyOf(sources)).length === 0 && !deadline.expired) sleep(sources, deadline);
    return ready;
  } finally {
    for (const unsubscribe of unsubscribes) unsubscribe();
  }
}

/** Blocks until one of the descriptors is readable, the doorbell is rung, or for a slice of time. */
function sleep(sources: readonly Source<unknown>[], deadline: Deadline): void {
  const descriptors = sources.map(({ readiness }) => readiness.descriptor?.());
  const watched = descriptors.filter((descriptor) => descriptor !== undefined);
  const bell = watched.length < descriptors.length ? doorbellFd() : undefined;
  const readable = pollReadable(
    bell === undefined ? watched : [...watched, bell],
    Math.min(SLICE_MS, deadline.remaining()),
  );
  if (bell !== undefined && readable.includes(bell)) hearDoorbell();
}

interface Source<T> {
  readonly object: T;
  readonly readiness: Readiness;
}

function sourcesOf<T>(objects: Iterable<T>): Source<T>[] {
  if (typeof (objects as Iterable<T> | null)?.[Symbol.iterator] !== "function") {
    throw typeError("objects", "an array or another iterable", objects);
  }
  return [...objects].map((object, i) => {
    if (!isWaitable(object))
      throw typeError(`objects[${i}]`, "a process, sentinel, connection, queue or event", object);
    return { object, readiness: (object as Waitable)[WAITABLE]() };
  });
}

function readyOf<T>(sources: readonly Source<T>[]): T[] {
  return sources.filter(({ readiness }) => readiness.isReady()).map(({ object }) => object);
}
