/**
 * The receivers' side of carriers (carrier.ts). A receiver keeps its mappings of extents that have carried messages: the pages of an
 * extent are the same ones for ever, whoever owns it, so a mapping stays true, and it holds nothing but address space.
 */

import { IdleTimer } from "../core/idle-timer.ts";
import { type Mapping, mapFile, retireMapping } from "../platform/index.ts";
import { arena } from "./arena.ts";
import { type Extent, openExtent } from "./block.ts";
import { mappedBytes, pagesOffset } from "./extent-pages.ts";
import type { BlockRef } from "./references.ts";

const MAX_KEPT = 16;
const MAX_KEPT_BYTES: number = 2 ** 30;
const IDLE_MS = 2000;

interface KeptMapping {
  readonly mapping: Mapping;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  /** How many messages are being read through it. */
  readers: number;
  usedLately: boolean;
}

/** By the extents' ids, the one used last at the end. */
const kept = new Map<number, KeptMapping>();

/** A message in a carrier, as its receiver sees it until `close`. */
export class Carried {
  readonly #extent: Extent;
  readonly #kept: KeptMapping;
  #closed = false;

  constructor(extent: Extent, mapping: KeptMapping) {
    this.#extent = extent;
    this.#kept = mapping;
    mapping.readers += 1;
  }

  get bytes(): Uint8Array {
    return this.#kept.bytes;
  }

  get view(): DataView {
    return this.#kept.view;
  }

  /** From now on its sender may write to it. Repeatable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#kept.readers -= 1;
    this.#extent.release();
  }
}

/** Opens a carrier by a reference out of a message. */
export function openCarried(ref: BlockRef): Carried {
  const extent = openExtent(ref);
  try {
    return new Carried(extent, mappingOf(extent));
  } catch (error) {
    extent.release();
    throw error;
  }
}

function mappingOf({ id, byteLength }: Extent): KeptMapping {
  const needed = mappedBytes(byteLength);
  let found = kept.get(id);
  if (found !== undefined && found.mapping.byteLength < needed) {
    found = undefined;
    giveUp(id);
  }
  kept.delete(id);
  found ??= makeMapping(id, needed);
  kept.set(id, found);
  found.usedLately = true;
  trim();
  idle.start();
  return found;
}

function makeMapping(id: number, byteLength: number): KeptMapping {
  const mapping = mapFile(arena().fd, pagesOffset(id), byteLength);
  const { buffer } = mapping;
  return { mapping, bytes: new Uint8Array(buffer), view: new DataView(buffer), readers: 0, usedLately: true };
}

/** Keeps the newest in any case: it is about to be read. */
function trim(): void {
  let bytes = 0;
  for (const { mapping } of kept.values()) bytes += mapping.byteLength;
  const newest = [...kept.keys()].at(-1);
  for (const [id, { mapping, readers }] of kept) {
    if (kept.size <= MAX_KEPT && bytes <= MAX_KEPT_BYTES) return;
    if (readers > 0 || id === newest) continue;
    bytes -= mapping.byteLength;
    giveUp(id);
  }
}

function giveUp(id: number): void {
  const { mapping } = kept.get(id) as KeptMapping;
  kept.delete(id);
  retireMapping(mapping);
}

const idle = new IdleTimer(IDLE_MS, () => {
  for (const [id, mapping] of kept) {
    if (!mapping.usedLately && mapping.readers === 0) giveUp(id);
    mapping.usedLately = false;
  }
  return kept.size > 0;
});
