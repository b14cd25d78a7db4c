/**
 * Who holds how many permits of a semaphore, as far as it can be known: a process that releases more than it acquired is
 * not listed, and of very many processes only the first are.
 *
 * | word  | holds                                                       |
 * |-------|-------------------------------------------------------------|
 * | 0     | free permits                                                |
 * | 1     | most free permits there may be                              |
 * | 2     | pid of the last process that died with a permit             |
 * | 3     | permits that dead processes took along                      |
 * | 4–7   | the wait queue                                              |
 * | 8–23  | holders: slot + 1 in the low 16 bits, permits above         |
 * | 24    | turn: how often a permit was given back                     |
 * | 25, 26 | the note of a lost holder of the handle (abandonment.ts)   |
 */

import {
  aliveOrSwept,
  arena,
  CellHeader,
  cellWord,
  forEachCell,
  onSweep,
  payloadOffset,
  type SlotOwner,
} from "../memory/index.ts";
import { WaitQueue } from "../wait/index.ts";
import { SyncKind } from "./primitive.ts";

export const SemaphoreWord = {
  permits: 0,
  limit: 1,
  deadPid: 2,
  lost: 3,
  queue: 4,
  holders: 8,
  turn: 24,
  note: 25,
} as const;
export const SEMAPHORE_BYTES = 108;

const HOLDERS = 16;
const ONE = 1 << 16;
const SLOT = 0xffff;

/** Adds a permit to what a process holds. */
export function noteAcquired(words: Int32Array, word: number, slot: number): void {
  for (let i = 0; i < HOLDERS; i++) {
    const at = word + SemaphoreWord.holders + i;
    const entry = Atomics.load(words, at);
    if ((entry & SLOT) === slot + 1) return void Atomics.add(words, at, ONE);
    if (entry === 0 && Atomics.compareExchange(words, at, 0, (slot + 1) | ONE) === 0) return;
    if (entry === 0) i -= 1;
  }
}

/** Takes a permit off what a process holds. */
export function noteReleased(words: Int32Array, word: number, slot: number): void {
  for (let i = 0; i < HOLDERS; i++) {
    const at = word + SemaphoreWord.holders + i;
    const entry = Atomics.load(words, at);
    if ((entry & SLOT) !== slot + 1) continue;
    if (entry >>> 16 > 0) Atomics.sub(words, at, ONE);
    return;
  }
}

/** The slot of the only process that is known to hold permits; undefined if there is none or another one. */
export function soleHolder(words: Int32Array, word: number): number | undefined {
  let holder: number | undefined;
  for (let i = 0; i < HOLDERS; i++) {
    const entry = Atomics.load(words, word + SemaphoreWord.holders + i);
    if (entry >>> 16 === 0) continue;
    if (holder !== undefined) return undefined;
    holder = (entry & SLOT) - 1;
  }
  return holder;
}

/** Asks whether the holders live; dead ones are swept. */
export function sweepHolders(words: Int32Array, word: number): void {
  for (let i = 0; i < HOLDERS; i++) {
    const entry = Atomics.load(words, word + SemaphoreWord.holders + i);
    if (entry >>> 16 > 0) aliveOrSwept((entry & SLOT) - 1);
  }
}

/** Whether somebody is known to hold a permit. */
export function hasHolders(words: Int32Array, word: number): boolean {
  for (let i = 0; i < HOLDERS; i++) {
    if (Atomics.load(words, word + SemaphoreWord.holders + i) >>> 16 > 0) return true;
  }
  return false;
}

/** Who took permits along, if nobody alive is known to hold one. */
export function lostPermits(words: Int32Array, word: number): { readonly pid: number } | undefined {
  if (Atomics.load(words, word + SemaphoreWord.lost) === 0 || hasHolders(words, word)) return undefined;
  return { pid: Atomics.load(words, word + SemaphoreWord.deadPid) };
}

function forget({ slot, pid }: SlotOwner): void {
  const { words } = arena();
  forEachCell((id) => {
    if (words[cellWord(id) + CellHeader.kind] !== SyncKind.semaphore) return;
    const word = payloadOffset(id) / 4;
    for (let i = 0; i < HOLDERS; i++) {
      const at = word + SemaphoreWord.holders + i;
      const entry = Atomics.load(words, at);
      if ((entry & SLOT) !== slot + 1) continue;
      if (entry >>> 16 > 0) {
        Atomics.store(words, word + SemaphoreWord.deadPid, pid);
        Atomics.add(words, word + SemaphoreWord.lost, entry >>> 16);
      }
      Atomics.store(words, at, 0);
    }
    wakeNext(words, word);
  });
}

/** It may have died after it gave a permit back, and before it woke the next. */
function wakeNext(words: Int32Array, word: number): void {
  if (Atomics.load(words, word + SemaphoreWord.permits) > 0) new WaitQueue(word + SemaphoreWord.queue).unparkOne();
}

onSweep(forget);
