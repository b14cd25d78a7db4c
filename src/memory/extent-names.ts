/**
 * Names for extents, known to the processes of one program only: a name is made of the extent's reference, and the first
 * payload word of an extent's cell says whether it can be opened.
 *
 * | bits of the word | hold                                             | written by                  |
 * |------------------|--------------------------------------------------|-----------------------------|
 * | 0                | 1 while the name can be opened                   | who asks for the name first |
 * | 1                | 1 when the name was unlinked                     | who unlinks                 |
 * | 2–31             | how many processes are opening it at the moment  | who opens                   |
 *
 * While the name can be opened, or is being opened, it counts as a reference under way, so the extent lives. Whoever turns
 * the word to "unlinked and nobody at it" takes that reference back: the unlinker, or the last of those who came before.
 */

import { fstatSync } from "node:fs";
import { arena, arenaFd } from "./arena.ts";
import { type Extent, openExtent, retractRef } from "./block.ts";
import { CellHeader, CellKind, cellWord, payloadOffset } from "./cell-heap.ts";
import { CONTROL_BYTES, HEAP_OFFSET } from "./layout.ts";
import { refer } from "./references.ts";

const LINKED = 1;
const UNLINKED = 2;
const VISITOR = 4;

/** The name of an extent. From the first call on it can be opened, and keeps the extent alive until it is unlinked. */
export function nameOfExtent(extent: Extent): string {
  const { words } = arena();
  if ((Atomics.load(words, extent.word) & (LINKED | UNLINKED)) === 0) {
    const ref = extent.refer();
    if (Atomics.compareExchange(words, extent.word, 0, LINKED) !== 0) retractRef(ref);
  }
  return spell(extent.id);
}

/** Opens an extent by its name; undefined when the name was unlinked, or is none of this program's. */
export function findExtentByName(name: string): Extent | undefined {
  const id = enter(name);
  if (id === undefined) return undefined;
  try {
    return openExtent(refer(id));
  } finally {
    leave(id);
  }
}

/** Takes the name away. @returns false when it was unlinked already, or is none of this program's. */
export function unlinkExtentName(name: string): boolean {
  const id = enter(name);
  if (id === undefined) return false;
  try {
    return setUnlinked(id);
  } finally {
    leave(id);
  }
}

/** Makes an extent that was never named impossible to name. @returns false when it was unlinked already. */
export function unlinkExtent(extent: Extent): boolean {
  return setUnlinked(extent.id);
}

function setUnlinked(id: number): boolean {
  const { words } = arena();
  const at = nameWord(id);
  for (;;) {
    const old = Atomics.load(words, at);
    if ((old & UNLINKED) !== 0) return false;
    if (Atomics.compareExchange(words, at, old, (old & ~LINKED) | UNLINKED) !== old) continue;
    if (old === LINKED) takeReferenceBack(id);
    return true;
  }
}

/** Gives the id that a name stands for; until `leave` its reference is certain to stay. */
function enter(name: string): number | undefined {
  const id = parse(name);
  if (id === undefined) return undefined;
  const { words } = arena();
  const at = nameWord(id);
  for (;;) {
    const old = Atomics.load(words, at);
    if ((old & LINKED) === 0) return undefined;
    if (Atomics.compareExchange(words, at, old, old + VISITOR) === old) break;
  }
  if (spell(id) === name) return id;
  // An older name of the same extent.
  leave(id);
  return undefined;
}

function leave(id: number): void {
  // The name was linked at `enter`: if it is not any more and nobody else is at it, its reference is left to be taken back.
  if (Atomics.sub(arena().words, nameWord(id), VISITOR) === (UNLINKED | VISITOR)) takeReferenceBack(id);
}

function takeReferenceBack(id: number): void {
  retractRef({ id, generation: generationOf(id) });
}

/** The file's inode tells the arenas of different programs apart; a generation tells the owners of one extent apart. */
function spell(id: number): string {
  return `${prefix()}${id.toString(36)}-${generationOf(id).toString(36)}`;
}

function parse(name: string): number | undefined {
  if (!name.startsWith(FAMILY) || !name.startsWith(prefix())) return undefined;
  const id = Number.parseInt(name.slice(prefix().length), 36);
  const inHeap = payloadOffset(id) > HEAP_OFFSET && payloadOffset(id) < CONTROL_BYTES;
  return inHeap && arena().words[cellWord(id) + CellHeader.kind] === CellKind.extent ? id : undefined;
}

const FAMILY = "multiproc-";

let knownPrefix: string | undefined;

function prefix(): string {
  knownPrefix ??= `${FAMILY}${fstatSync(arenaFd()).ino.toString(36)}-`;
  return knownPrefix;
}

function generationOf(id: number): number {
  return Atomics.load(arena().words, cellWord(id) + CellHeader.generation);
}

function nameWord(id: number): number {
  return payloadOffset(id) / 4;
}
