/** The shared arena: blocks in it, the processes that use it, and cleaning up after the dead. */

export { arena, type Arena, arenaFd, inheritArena } from "./arena.ts";
export { findExtentByName, nameOfExtent, unlinkExtent, unlinkExtentName } from "./extent-names.ts";
export {
  allocateCell,
  allocateExtent,
  type Block,
  Cell,
  Extent,
  onFree,
  openCell,
  openExtent,
  retractRef,
} from "./block.ts";
export { Carried, openCarried } from "./carried.ts";
export { Carrier, releaseCarriers, returnCarrier, takeCarrier } from "./carrier.ts";
export { CellHeader, CellKind, cellWord, forEachCell, MAX_CELL_PAYLOAD, payloadOffset } from "./cell-heap.ts";
export { warmKilobytes } from "./extent-pages.ts";
export { forgetObject, knownObject, rememberObject } from "./known-objects.ts";
export { MAX_PROCESSES } from "./layout.ts";
export {
  inheritParentSlot,
  isSlotAlive,
  nameSlot,
  prepareSlot,
  selfSlot,
  selfSlotIfAny,
  Slot,
  slotGeneration,
  slotOwner,
  type SlotOwner,
  slotsInUse,
  slotWord,
} from "./process-table.ts";
export { rehearseMapping } from "./extent-mapping.ts";
export { type BlockRef, holdersOf, isHolder, isSoleHolder, refer as referTo } from "./references.ts";
export { aliveOrSwept, type Cleaner, onSweep, sweep, sweepDead, sweepProcess } from "./sweep.ts";
export { makeTicket, withdraw } from "./ticket.ts";
