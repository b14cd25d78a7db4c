/** What is acquired and released can be held around a function, and for a scope. */

import type { WaitOptions } from "../core/deadline.ts";
import { checkFunction, checkNoPromise } from "../core/options.ts";
import { Guard } from "./guard.ts";
import { Primitive } from "./primitive.ts";

/** The base of Lock, RLock, Semaphore and Condition. */
export abstract class LockLike extends Primitive {
  abstract acquire(options?: WaitOptions): Promise<boolean>;
  abstract acquireSync(options?: WaitOptions): boolean;
  abstract release(): void;

  /** Acquires it, calls `fn`, and releases it when `fn` is done, whatever `fn` does. @returns what `fn` gives. */
  async use<R>(fn: () => R | PromiseLike<R>): Promise<Awaited<R>> {
    checkFunction("fn", fn);
    await this.acquire();
    try {
      return await fn();
    } finally {
      this.release();
    }
  }

  /** As `use`, blocking. @throws TypeError if `fn` returns a promise: what it stands for would go on without the lock. */
  useSync<R>(fn: () => R): R {
    checkFunction("fn", fn);
    this.acquireSync();
    try {
      return checkNoPromise("fn", fn());
    } finally {
      this.release();
    }
  }

  /** Acquires it and gives what releases it at the end of a scope: `using held = await lock.guard()`. */
  async guard(): Promise<Guard> {
    await this.acquire();
    return new Guard(this);
  }

  /** As `guard`, blocking. */
  guardSync(): Guard {
    this.acquireSync();
    return new Guard(this);
  }
}

/** What `acquire` gives when it need not wait. */
export const ACQUIRED: Promise<boolean> = Promise.resolve(true);
