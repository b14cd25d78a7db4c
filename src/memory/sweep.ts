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
import {
  isSlotAlive,
  selfSlot,
  selfSlotIfAny,
  Slot,
  slotGeneration,
  slotOwner,
  type SlotOwner,
  slotsInUse,
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

/**
 * Sweeps a slot whose owner is known to be dead.
 * @param generation The slot's generation, read before the owner was seen to be dead: should the slot have got a new owner
 *   since then, that one is left alone.
 * @returns false when somebody else has done it or is at it.
 */
export function sweep(slot: number, generation: number = slotGeneration(slot)): boolean {
  if (!claimSweep(slot, generation)) return false;
  const dead = slotOwner(slot) as SlotOwner;
  try {
    for (const clean of cleaners) clean(dead);
    dropReferences(slot);
    dropSweeps(slot);
  } catch (error) {
    // Cleaners are repeatable: the next one who looks sweeps again, which may be this process.
    giveUpSweep(slot);
    throw error;
  }
  const { words } = arena();
  Atomics.add(words, slotWord(slot) + Slot.generation, 1);
  Atomics.store(words, slotWord(slot) + Slot.state, SlotState.free);
  giveUpSweep(slot);
  return true;
}

/** Sweeps whatever process had that pid and is dead. */
export function sweepProcess(pid: number): void {
  if (selfSlotIfAny() === undefined) return;
  for (const slot of slotsInUse()) {
    const generation = slotGeneration(slot);
    if (arena().words[slotWord(slot) + Slot.pid] === pid && !isSlotAlive(slot)) sweep(slot, generation);
  }
}

/** Sweeps every slot whose owner is dead (about 40 µs a slot in use). @returns how many there were. */
export function sweepDead(): number {
  return slotsInUse().filter((slot) => {
    const generation = slotGeneration(slot);
    return !isSlotAlive(slot) && sweep(slot, generation);
  }).length;
}

/** Asks whether a slot's owner is alive, and sweeps the slot if not. */
export function aliveOrSwept(slot: number): boolean {
  const generation = slotGeneration(slot);
  if (isSlotAlive(slot)) return true;
  sweep(slot, generation);
  return false;
}

/** One sweeper at a time; a dead one is replaced. */
function claimSweep(slot: number, generation: number): boolean {
  const { words } = arena();
  const at = slotWord(slot);
  const me = selfSlot() + 1;
  const sweeper = Atomics.load(words, at + Slot.sweeper);
  if (sweeper === me || (sweeper !== 0 && isSlotAlive(sweeper - 1))) return false;
  if (Atomics.compareExchange(words, at + Slot.sweeper, sweeper, me) !== sweeper) return false;
  // Somebody may have finished between the look at the owner and the claim, and the slot may have a new owner.
  if (Atomics.load(words, at + Slot.state) < SlotState.alive || slotGeneration(slot) !== generation) {
    giveUpSweep(slot);
    return false;
  }
  Atomics.store(words, at + Slot.state, SlotState.sweeping);
  return true;
}

/** Only if it is still ours: a new owner of the slot clears the word, and then somebody else may sweep that one. */
function giveUpSweep(slot: number): void {
  Atomics.compareExchange(arena().words, slotWord(slot) + Slot.sweeper, selfSlot() + 1, 0);
}

/** A new owner of the dead one's slot must not be taken for who sweeps the slots that the dead one swept. */
function dropSweeps(dead: number): void {
  const { words } = arena();
  for (const slot of slotsInUse()) Atomics.compareExchange(words, slotWord(slot) + Slot.sweeper, dead + 1, 0);
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
