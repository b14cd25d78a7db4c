/**
 * The lock of a WaitQueue: held for about a microsecond, by one process at a time, and never across a wait.
 *
 * The word holds the owner's slot + 1, and the owner's slot names the word, so a sweeper finds a lock whose owner died.
 * Who cannot get it spins, then yields the processor; when that lasts, it asks whether the owner is alive.
 */

import { arena, isSlotAlive, selfSlot, Slot, slotWord } from "../memory/index.ts";
import { yieldProcessor } from "../platform/index.ts";

const SPINS = 100;
const YIELDS_BETWEEN_CHECKS = 2000;

/** @returns true when the lock was taken over from a dead owner, so that what it guards may be half done. */
export function lockQueue(word: number): boolean {
  const { words } = arena();
  const slot = selfSlot();
  // Before the lock itself: a sweeper must never find a locked queue that no slot names.
  Atomics.store(words, slotWord(slot) + Slot.queueLock, word);
  if (Atomics.compareExchange(words, word, 0, slot + 1) === 0) return false;
  return lockContended(words, word, slot + 1);
}

export function unlockQueue(word: number): void {
  Atomics.store(arena().words, word, 0);
}

/** Takes over the queue lock that a dead process held. @returns its word; undefined when it held none. */
export function takeOverLock(deadSlot: number): number | undefined {
  const { words } = arena();
  const word = Atomics.load(words, slotWord(deadSlot) + Slot.queueLock);
  if (word === 0) return undefined;
  const slot = selfSlot();
  Atomics.store(words, slotWord(slot) + Slot.queueLock, word);
  return Atomics.compareExchange(words, word, deadSlot + 1, slot + 1) === deadSlot + 1 ? word : undefined;
}

function lockContended(words: Int32Array, word: number, me: number): boolean {
  for (let turn = 1; ; turn++) {
    for (let i = 0; i < SPINS; i++) {
      if (Atomics.load(words, word) === 0 && Atomics.compareExchange(words, word, 0, me) === 0) return false;
    }
    yieldProcessor();
    if (turn % YIELDS_BETWEEN_CHECKS !== 0) continue;
    const owner = Atomics.load(words, word);
    // A dead owner's slot is not given out again before its locks are taken over, so the slot still means the dead one.
    if (owner === 0 || isSlotAlive(owner - 1)) continue;
    if (Atomics.compareExchange(words, word, owner, me) === owner) return true;
  }
}
