/** What proxies of the built-in kinds can do beyond the methods of the object: what runs a function of this process, and loops. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { QueueShutdownError } from "../core/errors.ts";
import { checkFunction, checkNoPromise } from "../core/options.ts";
import { poolExtras } from "./pool-proxy.ts";
import { remoteIterator } from "./remote-iterator.ts";
import { refOf } from "./remote-proxy.ts";
import type { Surface } from "./surface.ts";

/** A lock that is held; released at the end of the block (`using`). */
export interface ManagedGuard {
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Of everything that can be acquired. */
export interface AcquirableExtras {
  /** Holds it around `fn`, which runs in this process. */
  use<R>(fn: () => R | Promise<R>): Promise<R>;
  /** As `use`, blocking. @throws TypeError if `fn` returns a promise: what it stands for would go on without it. */
  useSync<R>(fn: () => R): R;
  /** Acquires it and gives what releases it: `await using held = await lock.guard()`. */
  guard(): Promise<ManagedGuard>;
}

/** Of conditions. */
export interface ConditionExtras extends AcquirableExtras {
  /** Waits until `predicate`, which runs in this process, says true; gives its last value. */
  waitFor(predicate: () => unknown, options?: WaitOptions): Promise<boolean>;
}

/** Of containers. */
export interface Loopable<T> {
  [Symbol.asyncIterator](): AsyncIterator<T>;
}

const acquirable = {
  async use(this: unknown, fn: () => unknown): Promise<unknown> {
    checkFunction("fn", fn);
    await refOf(this).call("acquire", []);
    try {
      return await fn();
    } finally {
      await refOf(this).call("release", []);
    }
  },
  useSync(this: unknown, fn: () => unknown): unknown {
    checkFunction("fn", fn);
    refOf(this).callSync("acquire", []);
    try {
      return checkNoPromise("fn", fn());
    } finally {
      refOf(this).callSync("release", []);
    }
  },
  async guard(this: unknown): Promise<ManagedGuard> {
    await refOf(this).call("acquire", []);
    let held = true;
    const release = async (): Promise<void> => {
      if (!held) return;
      held = false;
      await refOf(this).call("release", []);
    };
    // Released in order with the calls that follow; a manager that died meanwhile has no lock to release.
    return { [Symbol.dispose]: () => void release().catch(() => {}), [Symbol.asyncDispose]: release };
  },
};

const condition = {
  ...acquirable,
  async waitFor(this: unknown, predicate: () => unknown, options?: WaitOptions): Promise<boolean> {
    checkFunction("predicate", predicate);
    const deadline = Deadline.from(options);
    for (;;) {
      if (await predicate()) return true;
      const timeout = deadline.remaining();
      if (timeout === 0) return false;
      await refOf(this).call("wait", [{ ...(timeout === Infinity ? {} : { timeout }), signal: deadline.signal }]);
    }
  },
};

/** Loops over what the container holds when the loop begins. */
function loopOver(read: string): Partial<Loopable<unknown>> {
  return {
    async *[Symbol.asyncIterator](this: unknown): AsyncGenerator<unknown> {
      yield* (await refOf(this).call(read, [])) as Iterable<unknown>;
    },
  };
}

/** Takes items until the queue is shut down. */
const queue = {
  async *[Symbol.asyncIterator](this: unknown): AsyncGenerator<unknown> {
    for (;;) {
      try {
        yield await refOf(this).call("get", []);
      } catch (error) {
        if (error instanceof QueueShutdownError) return;
        throw error;
      }
    }
  },
};

/** What a method gave that is no generator but returns an iterator; a loop lets go of it at the end. */
const iterator = {
  [Symbol.asyncIterator](this: unknown): AsyncIterator<unknown> {
    return remoteIterator(Promise.resolve(this), false)[Symbol.asyncIterator]();
  },
};

const EXTRAS: Record<string, object> = {
  lock: acquirable,
  rlock: acquirable,
  semaphore: acquirable,
  boundedSemaphore: acquirable,
  condition,
  dict: loopOver("entries"),
  list: loopOver("toArray"),
  array: loopOver("toArray"),
  set: loopOver("toArray"),
  queue,
  joinableQueue: queue,
  iterator,
  pool: poolExtras,
};

export function extrasFor({ builtIn }: Surface): object {
  return (builtIn === undefined ? undefined : EXTRAS[builtIn]) ?? {};
}
