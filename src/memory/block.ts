/** Shared objects as this process holds them: a Cell for a few words, an Extent for bytes. */

import { StateError } from "../core/errors.ts";
import { rangeError } from "../core/options.ts";
import { arena } from "./arena.ts";
import { CellHeader, CellKind, CellState, cellWord, makeCell, payloadOffset, returnCell } from "./cell-heap.ts";
import { givePages, takePages } from "./extent-pages.ts";
import { ExtentMapping } from "./extent-mapping.ts";
import { adopt, type BlockRef, drop, hold, refer, retract } from "./references.ts";

/** What all shared objects have in common. A block is held until `release()`, or until the object is collected. */
export abstract class Block {
  readonly id: number;
  /** Byte offset of the payload in the control region, a multiple of 64. */
  readonly offset: number;
  /** Index into `arena().words` of the payload's first word. */
  readonly word: number;
  #released = false;

  constructor(id: number) {
    this.id = id;
    this.offset = payloadOffset(id);
    this.word = this.offset / 4;
    // Held by the object itself; an extent's mapping is held for as long as its buffer is reachable.
    collected.register(this, id, this);
  }

  get released(): boolean {
    return this.#released;
  }

  /** A reference to send; whoever receives it calls `openCell` or `openExtent`. */
  refer(): BlockRef {
    this.assertHeld();
    return refer(this.id);
  }

  /** What was let go may be somebody else's by now. */
  protected assertHeld(): void {
    if (this.#released) throw new StateError("Cannot use a shared block: it was released");
  }

  /** Lets go. The block is freed when no process holds it and no reference to it is under way. Repeatable. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    collected.unregister(this);
    letGo(this.id);
  }
}

/** A few words of the control region, mapped everywhere at all times. */
export class Cell extends Block {}

/** Pages outside the control region, mapped on demand. */
export class Extent extends Block {
  #mapping: ExtentMapping | undefined;

  get byteLength(): number {
    return arena().doubles[(cellWord(this.id) + CellHeader.extentByteLength) / 2] as number;
  }

  /** The bytes, mapped at the first call; a mirrored mapping is twice as long and shows the bytes twice, back to back. */
  map({ mirrored = false }: { mirrored?: boolean } = {}): ArrayBuffer {
    this.assertHeld();
    this.#mapping ??= new ExtentMapping(this.id, this.byteLength, mirrored, letGo);
    return this.#mapping.buffer;
  }

  /** Lets go, and makes views of the bytes unusable: they are detached, or read zeros where the engine cannot detach. */
  override release(): void {
    this.#mapping?.retire();
    this.#mapping = undefined;
    super.release();
  }
}

/** Makes a zeroed cell. @param kind What it holds, for sweepers; see CellKind. */
export function allocateCell(byteLength: number, kind: number = CellKind.plain): Cell {
  return new Cell(publish(makeCell(byteLength, kind)));
}

/** Makes a zeroed extent. Its pages cost memory only when they are touched. */
export function allocateExtent(byteLength: number): Extent {
  if (!Number.isSafeInteger(byteLength) || byteLength < 0)
    throw rangeError("byteLength", "a number of bytes", byteLength);
  return new Extent(publish(takePages(byteLength)));
}

/** Opens a cell by a reference out of a message. */
export function openCell(ref: BlockRef): Cell {
  adopt(ref);
  return new Cell(ref.id);
}

/** Opens an extent by a reference out of a message. */
export function openExtent(ref: BlockRef): Extent {
  adopt(ref);
  return new Extent(ref.id);
}

/** Takes back a reference that is never delivered. */
export function retractRef(ref: BlockRef): void {
  if (retract(ref)) freeBlock(ref.id);
}

const destructors = new Map<number, (id: number) => void>();

/**
 * Registers what gives back what cells of a kind hold (blocks, references in messages) before such a cell is freed. Called at
 * import. Must be repeatable: who frees may be killed in the middle, and another one begins again.
 */
export function onFree(kind: number, destroy: (id: number) => void): void {
  destructors.set(kind, destroy);
}

/** Frees a block that has been claimed for freeing (references.ts). */
export function freeBlock(id: number): void {
  const { words } = arena();
  destructors.get(words[cellWord(id) + CellHeader.kind] as number)?.(id);
  if (words[cellWord(id) + CellHeader.kind] === CellKind.extent) givePages(id);
  else returnCell(id);
}

/** From now on the cell can be seen, and is held by this process. */
function publish(id: number): number {
  hold(id);
  Atomics.store(arena().words, cellWord(id) + CellHeader.state, CellState.live);
  return id;
}

function letGo(id: number): void {
  if (drop(id)) freeBlock(id);
}

const collected = new FinalizationRegistry<number>(letGo);
