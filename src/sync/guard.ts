/** Guard: releases a lock at the end of a scope. */

/** What a lock's scope needs. */
export interface Releasable {
  release(): void;
}

/**
 * A held lock, released at the end of a scope: `using held = await lock.guard()`.
 *
 * @example
 * ```ts
 * import { Lock } from "multiproc";
 *
 * const lock = new Lock();
 * {
 *   using held = await lock.guard();
 *   console.log(lock.locked); // true
 * }
 * console.log(lock.locked); // false
 * ```
 */
export class Guard {
  #lock: Releasable | undefined;

  /** Made by `guard`. @internal */
  constructor(lock: Releasable) {
    this.#lock = lock;
  }

  /** Releases the lock; only the first call does. */
  release(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    lock?.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
