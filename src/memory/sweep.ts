/**
 * Cleaning up after a dead process, once. Whoever notices a death first sweeps: usually the parent, else whoever waited
 * for the dead one.
 *
 * Layers above register cleaners: locks are passed on, waiters removed, ring reservations closed. A sweeper may itself die
 * in the middle: then another one sweeps again, so cleaners must be repeatable.
 */

import { arena } from "./arena.ts";
import { freeBlock } from "./block.ts";
import { CellHeader, CellState, forEachCell } from "./cell-heap.ts";
import { MAX_PROCESSES } from "./layout.ts";
import {
  isSlotAlive,
  selfSlot,
  selfSlotIfAny,
  Slot,
  slotOwner,
  type SlotOwner,
  SlotState,
  slotWord,
} from "./process-table.ts";
import { clearHolder, isHolder } from "./references.ts";

/** Cleans up what a dead process left in one kind of object. Must be repeatable. */
export type Cleaner = (dead: SlotOwner) => void;

const cleaners: Cleaner[] = [];

/** Registers a cleaner; called at import. They run in the order of registration, which is from the lower layers up. */
export function onSweep(cleaner: Cleaner): void {
  cleaners.push(cleaner);
}

/** Sweeps a slot whose owner is known to be dead. @returns false when somebody else has done it or is at it. */
export function sweep(slot: number): boolean {
  const dead = slotOwner(slot);
  if (dead === undefined || !claimSweep(slot)) return false;
  const { words } = arena();
  try {
    for (const clean of cleaners) clean(dead);
    dropReferences(slot);
  } catch (error) {
    // Cleaners are repeatable: the next one who looks sweeps again, which may be this process.
    Atomics.store(words, slotWord(slot) + Slot.sweeper, 0);
    throw error;
  }
  Atomics.add(words, slotWord(slot) + Slot.generation, 1);
  Atomics.store(words, slotWord(slot) + Slot.sweeper, 0);
  Atomics.store(words, slotWord(slot) + Slot.state, SlotState.free);
  return true;
}

/** Sweeps whatever process has that pid, and those of its descendants that are dead. */
export function sweepProcess(pid: number): void {
  if (selfSlotIfAny() === undefined) return;
  const { words } = arena();
  for (let slot = 0; slot < MAX_PROCESSES; slot++) {
    const at = slotWord(slot);
    if (Atomics.load(words, at + Slot.state) >= SlotState.alive && words[at + Slot.pid] === pid) sweep(slot);
  }
}

/** Sweeps every slot whose owner is dead (about 40 µs a slot in use). @returns how many there were. */
export function sweepDead(): number {
  const { words } = arena();
  let swept = 0;
  for (let slot = 0; slot < MAX_PROCESSES; slot++) {
    const state = Atomics.load(words, slotWord(slot) + Slot.state);
    if (state >= SlotState.alive && slot !== selfSlot() && !isSlotAlive(slot) && sweep(slot)) swept += 1;
  }
  return swept;
}

/** Asks whether a slot's owner is alive, and sweeps the slot if not. */
export function aliveOrSwept(slot: number): boolean {
  if (isSlotAlive(slot)) return true;
  sweep(slot);
  return false;
}

/** One sweeper at a time; a dead one is replaced. */
function claimSweep(slot: number): boolean {
  const { words } = arena();
  const at = slotWord(slot);
  const me = selfSlot() + 1;
  const sweeper = Atomics.load(words, at + Slot.sweeper);
  if (sweeper === me || (sweeper !== 0 && isSlotAlive(sweeper - 1))) return false;
  if (Atomics.compareExchange(words, at + Slot.sweeper, sweeper, me) !== sweeper) return false;
  if (Atomics.load(words, at + Slot.state) < SlotState.alive) {
    // Somebody finished between the look at the state and the claim.
    Atomics.store(words, at + Slot.sweeper, 0);
    return false;
  }
  Atomics.store(words, at + Slot.state, SlotState.sweeping);
  return true;
}

/** Clears the dead one's bits, and finishes what it was freeing. */
function dropReferences(slot: number): void {
  const { words } = arena();
  forEachCell((id, at) => {
    const state = Atomics.load(words, at + CellHeader.state);
    if (state === CellState.live && isHolder(id, slot)) {
      if (clearHolder(id, slot)) freeBlock(id);
    } else if (state === CellState.freeing && words[at + CellHeader.freer] === slot + 1) {
      freeBlock(id);
    }
  });
}
