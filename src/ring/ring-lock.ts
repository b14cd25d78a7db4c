/**
 * The lock of one side of a ring: held while one record is copied in or decoded out, never across a wait.
 *
 * The word holds the owner's slot + 1. Who cannot get it spins, yields, then naps; when that lasts, it asks whether the owner is
 * alive and takes over from a dead one. Sweepers do so as well (ring-sweep.ts).
 */

import { StateError } from "../core/errors.ts";
import { arena, isSlotAlive } from "../memory/index.ts";
import { futexWait, yieldProcessor } from "../platform/index.ts";

const SPINS = 100;
const YIELDS = 50;
const NAP_MS = 1;
const TURNS_BETWEEN_CHECKS = 150;

/**
 * Takes the lock.
 * @param me This process's slot + 1.
 * @returns true when it was taken over from a dead owner, so that what it guards may be half done.
 * @throws {StateError} If this process holds it: something that is being sent or received uses the queue itself.
 */
export function lockRing(words: Int32Array, word: number, me: number): boolean {
  return Atomics.compareExchange(words, word, 0, me) === 0 ? false : lockContended(words, word, me);
}

export function unlockRing(words: Int32Array, word: number): void {
  Atomics.store(words, word, 0);
}

function lockContended(words: Int32Array, word: number, me: number): boolean {
  for (let turn = 1; ; turn++) {
    for (let i = 0; i < SPINS; i++) {
      if (Atomics.load(words, word) === 0 && Atomics.compareExchange(words, word, 0, me) === 0) return false;
    }
    const owner = Atomics.load(words, word);
    if (owner === me) {
      throw new StateError("Cannot use a queue or connection while this process is taking a message out of it");
    }
    if (turn < YIELDS) yieldProcessor();
    else futexWait(arena().address + 4 * word, owner, NAP_MS);
    if (turn % TURNS_BETWEEN_CHECKS !== 0 || owner === 0 || isSlotAlive(owner - 1)) continue;
    // A dead owner's slot is not given out again before its locks are taken over, so the slot still means the dead one.
    if (Atomics.compareExchange(words, word, owner, me) === owner) return true;
  }
}
