/** Rings after a death, and after their last user is gone. */

import {
  arena,
  CellHeader,
  cellWord,
  forEachCell,
  isHolder,
  onFree,
  onSweep,
  payloadOffset,
  selfSlot,
  type SlotOwner,
} from "../memory/index.ts";
import type { RecordView } from "./record.ts";
import { unlockRing } from "./ring-lock.ts";
import { repairConsumer } from "./ring-reader.ts";
import { RingWord } from "./ring-words.ts";
import { repairProducer } from "./ring-writer.ts";
import { Ring } from "./ring.ts";

/** Where rings stand in the payload of a kind of cell, in words. */
const kinds = new Map<number, readonly number[]>();
let discard: (record: RecordView) => void = () => {};

/** Registers a kind of cell that holds rings, so that they are repaired after deaths and emptied before they are freed. */
export function registerRings(kind: number, offsets: readonly number[]): void {
  kinds.set(kind, offsets);
  onFree(kind, (id) => {
    for (const at of ringsOf(id, offsets)) freeRing(at);
  });
}

/** Says how to give up what records refer to that nobody will read. */
export function onDiscard(giveUp: (record: RecordView) => void): void {
  discard = giveUp;
}

/** Empties a ring. @returns how many records were dropped. */
export function drainRing(ring: Ring): number {
  return ring.reader.discard((record) => discard(record));
}

function freeRing(at: number): void {
  const ring = new Ring(at);
  drainRing(ring);
  ring.writer.release();
  ring.reader.giveUpMemory();
}

function ringsOf(id: number, offsets: readonly number[]): number[] {
  return offsets.map((offset) => payloadOffset(id) / 4 + offset);
}

/** Frees the locks that a dead process held, and wakes whom it may have left asleep. */
function sweepRings({ slot }: SlotOwner): void {
  const { words } = arena();
  forEachCell((id) => {
    const offsets = kinds.get(words[cellWord(id) + CellHeader.kind] as number);
    if (offsets === undefined || !isHolder(id, slot)) return;
    for (const at of ringsOf(id, offsets)) sweepRing(words, at, slot);
  });
}

function sweepRing(words: Int32Array, at: number, dead: number): void {
  const me = selfSlot() + 1;
  if (Atomics.compareExchange(words, at + RingWord.producerLock, dead + 1, me) === dead + 1) {
    repairProducer(words, at);
    unlockRing(words, at + RingWord.producerLock);
  }
  if (Atomics.compareExchange(words, at + RingWord.consumerLock, dead + 1, me) === dead + 1) {
    repairConsumer(words, at);
    unlockRing(words, at + RingWord.consumerLock);
  }
  // It may have died between publishing and waking.
  new Ring(at).wakeAll();
}

onSweep(sweepRings);
