/**
 * A slot for each process (and worker thread) that uses the arena.
 *
 * | word | holds                                   | written by            | read by  |
 * |------|-----------------------------------------|-----------------------|----------|
 * | 0    | state: FREE, CLAIMED, ALIVE, SWEEPING   | owner, then sweeper   | all      |
 * | 1    | pid                                     | owner                 | all      |
 * | 2–3  | start time, 64 bits, in clock ticks     | owner                 | all      |
 * | 4    | slot of the parent + 1, 0 if none       | owner                 | sweeper  |
 * | 5    | generation: differs from owner to owner | owner, then sweeper   | all      |
 * | 6    | doorbell: 1 when rung and not yet heard | ringers, owner        | ringers  |
 * | 7    | doorbell: descriptor in the owner, 0 if none | owner            | ringers  |
 * | 8    | slot of the sweeper + 1                 | sweeper               | sweepers |
 * | 9    | bytes of the name                       | owner                 | all      |
 * | 10   | the wait-queue lock it takes or took last, as an index into words | owner | sweeper  |
 * | 11   | beat: counts about every 100 ms while promises wait and the event loop turns | owner | all |
 * | 12   | 1 once the owner has ended by itself, with exit code 0 | owner              | sweeper  |
 * | 16–  | the name, UTF-8, at most 96 bytes       | owner                 | all      |
 *
 * A pid alone says nothing (it is given out again), so a process is known by pid and start time.
 */

import { StateError } from "../core/errors.ts";
import { inheritance } from "../core/inheritance.ts";
import { startTimeOf } from "../platform/index.ts";
import { arena } from "./arena.ts";
import { Header, MAX_PROCESSES, PROCESS_TABLE_OFFSET, SLOT_BYTES } from "./layout.ts";
import { lives } from "./liveness.ts";

export const SlotState = { free: 0, claimed: 1, alive: 2, sweeping: 3 } as const;

/** Words of a slot, counted from its first. */
export const Slot = {
  state: 0,
  pid: 1,
  startTime: 2,
  parent: 4,
  generation: 5,
  bell: 6,
  bellFd: 7,
  sweeper: 8,
  nameBytes: 9,
  queueLock: 10,
  beat: 11,
  ended: 12,
  name: 16,
} as const;

const NAME_BYTES = 96;

let self: number | undefined;
let startTime: bigint | undefined;
let inheritedParent: number | undefined;

/** Index into `words` of the first word of a slot. */
export function slotWord(slot: number): number {
  return (PROCESS_TABLE_OFFSET + slot * SLOT_BYTES) / 4;
}

/** This process's slot; takes one at the first call. */
export function selfSlot(): number {
  if (self === undefined) {
    self = claimSlot();
    nameSlot(inheritance.name);
  }
  return self;
}

/** This process's slot if it has one. */
export function selfSlotIfAny(): number | undefined {
  return self;
}

/** Tells a child the slot of its parent. Must come before it takes a slot of its own. */
export function inheritParentSlot(slot: number): void {
  inheritedParent = slot;
}

/** Does ahead what takes longest about taking a slot, and takes none: slots are for processes that are told what to run. */
export function prepareSlot(): bigint {
  return (startTime ??= startTimeOf(process.pid) ?? 0n);
}

function claimSlot(): number {
  const { words, longs } = arena();
  const ownStart = prepareSlot();
  const hint = Atomics.load(words, Header.slotHint);
  for (let i = 0; i < MAX_PROCESSES; i++) {
    const slot = (hint + i) % MAX_PROCESSES;
    const at = slotWord(slot);
    if (Atomics.compareExchange(words, at + Slot.state, SlotState.free, SlotState.claimed) !== SlotState.free) continue;
    words[at + Slot.pid] = process.pid;
    longs[(at + Slot.startTime) / 2] = ownStart;
    words[at + Slot.parent] = (inheritedParent ?? inheritance.parentSlot ?? -1) + 1;
    words[at + Slot.bell] = 0;
    words[at + Slot.bellFd] = 0;
    words[at + Slot.sweeper] = 0;
    words[at + Slot.nameBytes] = 0;
    words[at + Slot.queueLock] = 0;
    words[at + Slot.ended] = 0;
    process.once("exit", (code) => Atomics.store(words, at + Slot.ended, code === 0 ? 1 : 0));
    // Whoever saw the last owner dead and comes late to sweep it sees that this is another one.
    Atomics.add(words, at + Slot.generation, 1);
    Atomics.store(words, at + Slot.state, SlotState.alive);
    Atomics.store(words, Header.slotHint, (slot + 1) % MAX_PROCESSES);
    return slot;
  }
  throw new StateError(
    `Cannot attach another process: ${MAX_PROCESSES} processes of this program share memory already`,
  );
}

/** Writes this process's name into its slot, for errors and for `deadlocks()`. */
export function nameSlot(name: string): void {
  const { words, bytes } = arena();
  const at = slotWord(selfSlot());
  const { written } = new TextEncoder().encodeInto(
    name,
    bytes.subarray((at + Slot.name) * 4, (at + Slot.name) * 4 + NAME_BYTES),
  );
  Atomics.store(words, at + Slot.nameBytes, written);
}

/** Who a slot belongs to. */
export interface SlotOwner {
  readonly slot: number;
  readonly generation: number;
  readonly pid: number;
  readonly name: string;
  /** It has ended by itself, with exit code 0. */
  readonly ended: boolean;
}

/** The owner of a slot; undefined when the slot is free. */
export function slotOwner(slot: number): SlotOwner | undefined {
  const { words, bytes } = arena();
  const at = slotWord(slot);
  if (Atomics.load(words, at + Slot.state) < SlotState.alive) return undefined;
  const start = (at + Slot.name) * 4;
  return {
    slot,
    generation: slotGeneration(slot),
    pid: words[at + Slot.pid] as number,
    name: new TextDecoder().decode(bytes.slice(start, start + (words[at + Slot.nameBytes] as number))),
    ended: Atomics.load(words, at + Slot.ended) !== 0,
  };
}

export function slotGeneration(slot: number): number {
  return Atomics.load(arena().words, slotWord(slot) + Slot.generation);
}

/** The slots in use by living or by dead but not yet swept processes. */
export function slotsInUse(): number[] {
  const { words } = arena();
  const slots = [];
  for (let slot = 0; slot < MAX_PROCESSES; slot++) {
    if (Atomics.load(words, slotWord(slot) + Slot.state) >= SlotState.alive) slots.push(slot);
  }
  return slots;
}

/** Asks the kernel whether the owner of a slot lives (about 40 µs, less if it is asked again and again). A zombie is dead; a free slot has no living owner; who cannot be seen is alive. */
export function isSlotAlive(slot: number): boolean {
  if (slot === self) return true;
  const { words, longs } = arena();
  const at = slotWord(slot);
  const state = Atomics.load(words, at + Slot.state);
  // Somebody who is just taking the slot: its pid is not there yet.
  if (state === SlotState.claimed) return true;
  if (state !== SlotState.alive) return false;
  try {
    return lives(words[at + Slot.pid] as number, longs[(at + Slot.startTime) / 2] as bigint);
  } catch {
    // Out of descriptors, say. Better to wait a little longer than to take over from somebody who lives.
    return true;
  }
}
