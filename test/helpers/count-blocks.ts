/** How many blocks of shared memory there are: what was freed is not among them. */

import * as memory from "../../src/memory/index.ts";

export function countBlocks(): { cells: number; extents: number } {
  const { words } = memory.arena();
  const count = { cells: 0, extents: 0 };
  memory.forEachCell((id) => {
    const isExtent = words[memory.cellWord(id) + memory.CellHeader.kind] === memory.CellKind.extent;
    count[isExtent ? "extents" : "cells"] += 1;
  });
  return count;
}
