/**
 * The one shared memory of a program: an unnamed file in memory that every process of the tree has open and maps.
 *
 * The process that first needs it makes it; children inherit the descriptor. Nothing of it has a name in the file system,
 * so nothing can be left behind: the kernel frees it when the last process is gone, however it went.
 */

import { StateError } from "../core/errors.ts";
import { inheritance } from "../core/inheritance.ts";
import { onLargeCopy } from "../core/own-copy.ts";
import { createMemoryFile, type Mapping, mapFile, prepareFreshMemory } from "../platform/index.ts";
import { ARENA_BYTES, CONTROL_BYTES, HEAP_OFFSET, CHUNK_BYTES, Header, MAGIC } from "./layout.ts";

/** The control region, seen as words of different sizes: word i of `words` is byte 4·i, of `longs` and `doubles` byte 8·i. */
export interface Arena {
  readonly fd: number;
  readonly words: Int32Array;
  readonly longs: BigInt64Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
  /** Address of byte 0, for futex calls. */
  readonly address: number;
}

let attached: Arena | undefined;

/** The descriptor of the arena, for children to inherit; makes the arena when there is none. */
export function arenaFd(): number {
  return (inheritance.arenaFd ??= createMemoryFile("multiproc", ARENA_BYTES));
}

/** Tells a child where its inherited arena is. Must come before anything uses it. */
export function inheritArena(inherited: number): void {
  if (inheritance.arenaFd !== undefined && inheritance.arenaFd !== inherited)
    throw new StateError("Cannot inherit an arena: this process has one already");
  inheritance.arenaFd = inherited;
}

/** The mapped arena; maps it at the first call. */
export function arena(): Arena {
  attached ??= attach();
  return attached;
}

function attach(): Arena {
  // From now on large messages can come, and what loads the system's functions is loaded.
  onLargeCopy(prepareFreshMemory);
  const mapping = mapFile(arenaFd(), 0, CONTROL_BYTES);
  const made = viewsOf(mapping);
  const found = Atomics.compareExchange(made.words, Header.magic, 0, MAGIC);
  if (found !== 0 && found !== MAGIC) {
    throw new StateError("Cannot use the inherited arena: it belongs to another version of multiproc");
  }
  Atomics.compareExchange(made.words, Header.nextChunk, 0, HEAP_OFFSET / CHUNK_BYTES);
  return made;
}

function viewsOf({ buffer, address }: Mapping): Arena {
  return {
    fd: arenaFd(),
    words: new Int32Array(buffer),
    longs: new BigInt64Array(buffer),
    doubles: new Float64Array(buffer),
    bytes: new Uint8Array(buffer),
    address: Number(address),
  };
}
