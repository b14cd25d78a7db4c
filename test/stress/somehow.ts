import type { WaitOptions } from "../../src/index.ts";
import type { Random } from "../helpers/random.ts";

interface Waits<R> {
  readonly promise: (options?: WaitOptions) => Promise<R>;
  readonly blocking: (options?: WaitOptions) => R;
}

interface Acquirable {
  acquire(options?: WaitOptions): Promise<boolean>;
  acquireSync(options?: WaitOptions): boolean;
}

interface Awaitable<R> {
  wait(options?: WaitOptions): Promise<R>;
  waitSync(options?: WaitOptions): R;
}

/** The reason of the aborts. */
export class Enough extends Error {}

/** Acquires by a call of any form, with or without an end. */
export function acquireSomehow(random: Random, lock: Acquirable): Promise<boolean> {
  const waits = { promise: lock.acquire.bind(lock), blocking: lock.acquireSync.bind(lock) };
  return random.below(3) === 0 ? endless(random, waits) : limited(random, waits).catch(unlessEnough);
}

/** Waits likewise. */
export function waitSomehow(random: Random, object: Awaitable<boolean>): Promise<boolean> {
  const waits = { promise: object.wait.bind(object), blocking: object.waitSync.bind(object) };
  return random.below(2) === 0 ? endless(random, waits) : limited(random, waits).catch(unlessEnough);
}

/** Waits without an end nearly always; else rejects with Enough, or as the object does when time runs out. */
export function meetSomehow(random: Random, object: Awaitable<number>): Promise<number> {
  const waits = { promise: object.wait.bind(object), blocking: object.waitSync.bind(object) };
  return random.below(50) === 0 ? limited(random, waits) : endless(random, waits);
}

async function endless<R>(random: Random, { promise, blocking }: Waits<R>): Promise<R> {
  return random.below(2) === 0 ? await promise() : blocking();
}

async function limited<R>(random: Random, { promise, blocking }: Waits<R>): Promise<R> {
  const timeout = random.below(4);
  const way = random.below(3);
  if (way === 0) return blocking({ timeout });
  if (way === 1) return await promise({ timeout });
  const abort = new AbortController();
  const waiting = promise({ signal: abort.signal });
  if (timeout === 0) setImmediate(() => abort.abort(new Enough()));
  else setTimeout(() => abort.abort(new Enough()), timeout);
  return await waiting;
}

function unlessEnough(error: unknown): false {
  if (error instanceof Enough) return false;
  throw error;
}
