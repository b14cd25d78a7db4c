/**
 * An extent's bytes in this process's address space.
 *
 * A program can keep a view after it has dropped the object that gave it, so the mapping, and with it the hold on the
 * block, lasts until the buffer itself is collected or retired.
 */

import { type Mapping, mapFile, mapFileMirrored, retireMapping, unmap } from "../platform/index.ts";
import { arena } from "./arena.ts";
import { EXTENT_UNIT } from "./layout.ts";
import { mappedBytes, pagesOffset } from "./extent-pages.ts";
import { hold } from "./references.ts";

type LetGo = (id: number) => void;

interface Held {
  readonly id: number;
  readonly letGo: LetGo;
  readonly range: Pick<Mapping, "address" | "byteLength">;
  /** Set when the block was let go and only the covered address range is left. */
  retired: boolean;
}

export class ExtentMapping {
  readonly buffer: ArrayBuffer;
  readonly #mapping: Mapping;
  readonly #held: Held;

  /** @param letGo Called once, when the mapping no longer needs the block. */
  constructor(id: number, byteLength: number, mirrored: boolean, letGo: LetGo) {
    const { fd } = arena();
    const bytes = mappedBytes(byteLength);
    this.#mapping = (mirrored ? mapFileMirrored : mapFile)(fd, pagesOffset(id), bytes);
    this.buffer = this.#mapping.buffer;
    const { address, byteLength: range } = this.#mapping;
    this.#held = { id, letGo, range: { address, byteLength: range }, retired: false };
    hold(id);
    unreachable.register(this.buffer, this.#held, this.#held);
  }

  /** Makes all views unusable and lets go of the block. */
  retire(): void {
    if (this.#held.retired) return;
    this.#held.retired = true;
    if (retireMapping(this.#mapping)) unreachable.unregister(this.#held);
    this.#held.letGo(this.#held.id);
  }
}

/** Maps a bit of the arena as extents are, so that all of that is compiled when it matters. It takes no memory, and stays. */
export function rehearseMapping(): void {
  mapFileMirrored(arena().fd, 0, EXTENT_UNIT);
}

const unreachable = new FinalizationRegistry<Held>((held) => {
  unmap(held.range);
  if (!held.retired) held.letGo(held.id);
});
