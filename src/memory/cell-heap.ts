/**
 * Cells: small zeroed blocks of the control region, each with a header. Everything shared has one, extents too.
 *
 * | word  | holds                                              | written by                |
 * |-------|----------------------------------------------------|---------------------------|
 * | 0     | state: FREE, LIVE, FREEING                         | who makes, who frees      |
 * | 1     | generation: counts how often the cell was freed    | who frees                 |
 * | 2     | kind: what the cell holds (CellKind)               | who makes                 |
 * | 3     | references ever put into messages                  | senders                   |
 * | 4     | references ever taken out of messages              | receivers                 |
 * | 5     | link of the free list                              | who pushes                |
 * | 6     | size of the payload in bytes, as asked for         | who makes                 |
 * | 7     | slot of who frees it, + 1                          | who frees                 |
 * | 8–15  | extents: where the pages are (extent.ts)           | who makes                 |
 * | 16–47 | one bit a process slot: who holds the block        | each its own bit; sweeper |
 * | 48–   | payload                                            | owner of the kind         |
 *
 * A block's id is the offset of its cell in units of 64 bytes; id 0 does not exist.
 */

import { rangeError } from "../core/options.ts";
import { StateError } from "../core/errors.ts";
import { arena } from "./arena.ts";
import { popFree, pushFree } from "./free-list.ts";
import { CHUNK_BYTES, CHUNK_COUNT, CHUNK_TABLE_OFFSET, Header, HEAP_OFFSET } from "./layout.ts";

export const CellState = { free: 0, live: 1, freeing: 2 } as const;

/** What a cell holds: a sweeper looks for waiters and rings by this. Layers above number theirs from 16. */
export const CellKind = { plain: 0, extent: 1, waiters: 2 } as const;

/** Words of a cell's header. */
export const CellHeader = {
  state: 0,
  generation: 1,
  kind: 2,
  sent: 3,
  received: 4,
  link: 5,
  byteLength: 6,
  freer: 7,
  extentUnit: 8,
  extentClass: 9,
  extentDirtyUnits: 10,
  extentByteLength: 12,
  holders: 16,
} as const;

export const HOLDER_WORDS = 32;
export const CELL_HEADER_BYTES: number = 4 * (CellHeader.holders + HOLDER_WORDS);

/** Sizes of cells, header included. */
const CLASS_BYTES = [256, 384, 512, 768, 1024, 2048, 4096, 8192, CHUNK_BYTES] as const;

/** The largest payload that a cell can have; what is larger goes into an extent. */
export const MAX_CELL_PAYLOAD: number = CHUNK_BYTES - CELL_HEADER_BYTES;

const ID_UNIT = 64;
const WORDS_PER_ID = ID_UNIT / 4;

/** Index into `words` of a cell's header. */
export function cellWord(id: number): number {
  return id * WORDS_PER_ID;
}

/** Byte offset of a cell's payload in the control region; a multiple of 64. */
export function payloadOffset(id: number): number {
  return id * ID_UNIT + CELL_HEADER_BYTES;
}

/** Makes a cell with a zeroed payload. Nobody holds it yet. */
export function makeCell(byteLength: number, kind: number): number {
  const sizeClass = classFor(byteLength + CELL_HEADER_BYTES);
  if (sizeClass === -1) throw rangeError("byteLength", `at most ${MAX_CELL_PAYLOAD}`, byteLength);
  const id = takeCell(sizeClass);
  const { words } = arena();
  const at = cellWord(id);
  words[at + CellHeader.kind] = kind;
  words[at + CellHeader.sent] = 0;
  words[at + CellHeader.received] = 0;
  words[at + CellHeader.byteLength] = byteLength;
  words[at + CellHeader.freer] = 0;
  words.fill(0, at + CellHeader.holders, at + (CLASS_BYTES[sizeClass] as number) / 4);
  return id;
}

/** Puts a cell, which no process holds any more, back on its free list; references to it become invalid. */
export function returnCell(id: number): void {
  const { words } = arena();
  const at = cellWord(id);
  const sizeClass = classFor((words[at + CellHeader.byteLength] as number) + CELL_HEADER_BYTES);
  Atomics.add(words, at + CellHeader.generation, 1);
  Atomics.store(words, at + CellHeader.state, CellState.free);
  pushFree(Header.cellLists + sizeClass, id, linkOf);
}

/** Calls back for each cell that is in use, of whatever kind. */
export function forEachCell(visit: (id: number, headerWord: number) => void): void {
  const { words } = arena();
  const end = Math.min(Atomics.load(words, Header.nextChunk), CHUNK_COUNT);
  for (let chunk = HEAP_OFFSET / CHUNK_BYTES; chunk < end; chunk++) {
    const cellBytes = CLASS_BYTES[Atomics.load(words, chunkWord(chunk)) - 1];
    if (cellBytes === undefined) continue;
    const first = (chunk * CHUNK_BYTES) / ID_UNIT;
    for (let i = 0; i < Math.floor(CHUNK_BYTES / cellBytes); i++) {
      const id = first + (i * cellBytes) / ID_UNIT;
      if (Atomics.load(words, cellWord(id) + CellHeader.state) !== CellState.free) visit(id, cellWord(id));
    }
  }
}

/** The link of the free lists; extents use it too, since an extent is listed by its cell. */
export function linkOf(id: number): number {
  return cellWord(id) + CellHeader.link;
}

function classFor(bytes: number): number {
  return CLASS_BYTES.findIndex((size) => size >= bytes);
}

function chunkWord(chunk: number): number {
  return CHUNK_TABLE_OFFSET / 4 + chunk;
}

function takeCell(sizeClass: number): number {
  const list = Header.cellLists + sizeClass;
  return popFree(list, linkOf) || cutChunk(sizeClass, list);
}

/** Takes a fresh chunk, keeps its first cell and lists the others. Killed in the middle, it loses cells but breaks nothing. */
function cutChunk(sizeClass: number, list: number): number {
  const { words } = arena();
  const chunk = Atomics.add(words, Header.nextChunk, 1);
  if (chunk >= CHUNK_COUNT) {
    Atomics.sub(words, Header.nextChunk, 1);
    throw new StateError("Cannot make another shared object: the shared memory for small objects is full");
  }
  Atomics.store(words, chunkWord(chunk), sizeClass + 1);
  const cellBytes = CLASS_BYTES[sizeClass] as number;
  const first = (chunk * CHUNK_BYTES) / ID_UNIT;
  for (let i = Math.floor(CHUNK_BYTES / cellBytes) - 1; i > 0; i--) {
    pushFree(list, first + (i * cellBytes) / ID_UNIT, linkOf);
  }
  return first;
}
