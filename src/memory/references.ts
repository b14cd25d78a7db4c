/**
 * Who holds a block. A block lives while a process holds it or a message that carries a reference is under way.
 *
 * Each process that holds a block has its bit set in the block's cell; the bits of a dead process are cleared by whoever
 * sweeps it, so nothing has to be counted down by the dead. A reference in a message is counted as sent when it is put in
 * and as received when it is taken out, after the receiver has set its bit.
 */

import { StateError } from "../core/errors.ts";
import { countReceipt } from "../core/receipts.ts";
import { arena } from "./arena.ts";
import { CellHeader, CellState, cellWord, HOLDER_WORDS } from "./cell-heap.ts";
import { selfSlot } from "./process-table.ts";

/** A block as it stands in a message: plain data. */
export interface BlockRef {
  readonly id: number;
  readonly generation: number;
}

/** How many local owners each block has in this process; the process's bit is set while there is one. */
const localOwners = new Map<number, number>();

/** Adds a local owner; the first one sets the process's bit. */
export function hold(id: number): void {
  const owners = localOwners.get(id) ?? 0;
  if (owners === 0) setBit(id, selfSlot());
  localOwners.set(id, owners + 1);
}

/** How many local owners a block has. */
export function ownersHere(id: number): number {
  return localOwners.get(id) ?? 0;
}

/** Removes a local owner. @returns true when nobody anywhere holds the block any more and the caller must free it. */
export function drop(id: number): boolean {
  const owners = localOwners.get(id) ?? 0;
  if (owners > 1) {
    localOwners.set(id, owners - 1);
    return false;
  }
  localOwners.delete(id);
  return clearHolder(id, selfSlot());
}

/** Clears the bit of a process. @returns true when the caller must free the block. */
export function clearHolder(id: number, slot: number): boolean {
  const at = cellWord(id) + CellHeader.holders + (slot >>> 5);
  Atomics.and(arena().words, at, ~(1 << (slot & 31)));
  return claimIfUnused(id);
}

export function isHolder(id: number, slot: number): boolean {
  const word = Atomics.load(arena().words, cellWord(id) + CellHeader.holders + (slot >>> 5));
  return (word & (1 << (slot & 31))) !== 0;
}

/** Makes a reference that travels. The caller holds the block. */
export function refer(id: number): BlockRef {
  const { words } = arena();
  Atomics.add(words, cellWord(id) + CellHeader.sent, 1);
  return { id, generation: Atomics.load(words, cellWord(id) + CellHeader.generation) };
}

/** Takes a reference out of a message: from now on this process holds the block. */
export function adopt({ id, generation }: BlockRef): void {
  const { words } = arena();
  if (Atomics.load(words, cellWord(id) + CellHeader.generation) !== generation) {
    throw new StateError("Cannot open a shared object: it does not exist any more");
  }
  hold(id);
  countReceipt(words, cellWord(id) + CellHeader.received);
}

/** Undoes `refer` for a message that is never delivered. @returns true when the caller must free the block. */
export function retract({ id, generation }: BlockRef): boolean {
  const { words } = arena();
  if (Atomics.load(words, cellWord(id) + CellHeader.generation) !== generation) return false;
  Atomics.add(words, cellWord(id) + CellHeader.received, 1);
  return claimIfUnused(id);
}

/**
 * Decides whether a block is unused, and if so that the caller is the one who frees it.
 *
 * `sent` is read first and last: had a holder sent a reference and let go between the looks, `sent` would have moved. A
 * receiver sets its bit before it counts, so with sent = received no bit can still be about to appear.
 */
function claimIfUnused(id: number): boolean {
  const { words } = arena();
  const at = cellWord(id);
  for (;;) {
    const sent = Atomics.load(words, at + CellHeader.sent);
    if (Atomics.load(words, at + CellHeader.received) !== sent) return false;
    for (let i = 0; i < HOLDER_WORDS; i++) {
      if (Atomics.load(words, at + CellHeader.holders + i) !== 0) return false;
    }
    if (Atomics.load(words, at + CellHeader.sent) !== sent) continue;
    if (Atomics.compareExchange(words, at + CellHeader.state, CellState.live, CellState.freeing) !== CellState.live) {
      return false;
    }
    Atomics.store(words, at + CellHeader.freer, selfSlot() + 1);
    return true;
  }
}

function setBit(id: number, slot: number): void {
  Atomics.or(arena().words, cellWord(id) + CellHeader.holders + (slot >>> 5), 1 << (slot & 31));
}

/** The slots of those who hold the block, and whether a reference is under way, which may make anybody another one. */
export function holdersOf(id: number): { readonly slots: readonly number[]; readonly underWay: boolean } {
  const { words } = arena();
  const at = cellWord(id);
  // As in claimIfUnused: had a reference been sent between the looks, `sent` would have moved.
  const sent = Atomics.load(words, at + CellHeader.sent);
  const received = Atomics.load(words, at + CellHeader.received);
  const slots: number[] = [];
  for (let i = 0; i < HOLDER_WORDS; i++) {
    const bits = Atomics.load(words, at + CellHeader.holders + i);
    for (let bit = 0; bits >>> bit !== 0 && bit < 32; bit++) if ((bits >>> bit) & 1) slots.push(32 * i + bit);
  }
  return { slots, underWay: received !== sent || Atomics.load(words, at + CellHeader.sent) !== sent };
}

/** True when no process but this one holds the block and no reference to it is under way; then only this one can change that. */
export function isSoleHolder(id: number): boolean {
  const { words } = arena();
  const at = cellWord(id);
  const self = selfSlot();
  // As in claimIfUnused: had a reference been sent between the looks, `sent` would have moved.
  const sent = Atomics.load(words, at + CellHeader.sent);
  if (Atomics.load(words, at + CellHeader.received) !== sent) return false;
  for (let i = 0; i < HOLDER_WORDS; i++) {
    const own = i === self >>> 5 ? 1 << (self & 31) : 0;
    if ((Atomics.load(words, at + CellHeader.holders + i) & ~own) !== 0) return false;
  }
  return Atomics.load(words, at + CellHeader.sent) === sent;
}
