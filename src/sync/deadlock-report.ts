/** What is said of a cycle, to programs and to people. */

import { mapStack } from "../capture/index.ts";
import type { DeadlockParty } from "../core/errors.ts";
import { sourcePlace } from "../core/source-place.ts";
import { slotOwner } from "../memory/index.ts";
import type { Cycle } from "./cycles.ts";
import { readName, readSite } from "./lock-layout.ts";
import type { Resource } from "./waits-for.ts";

/** A cycle of processes, each of which waits for what the next one holds, and the last one for what the first holds. */
export interface Deadlock {
  /** Each waits for what the next one holds, and the last one for what the first holds. */
  readonly processes: readonly DeadlockParty[];
}

export function reportOf(cycle: Cycle): Deadlock {
  return {
    processes: cycle.map(({ slot, resource }, i) => {
      // What a process holds is what the one before it in the cycle waits for.
      const held = (cycle.at(i - 1) as Cycle[number]).resource;
      const { pid = 0, name = "" } = slotOwner(slot) ?? {};
      return { pid, name, holds: nameOf(held), waitsFor: nameOf(resource), acquiredAt: siteOf(held) };
    }),
  };
}

/** In one line. */
export function describe({ processes }: Deadlock): string {
  return processes
    .map(({ pid, name, holds, waitsFor, acquiredAt }) => {
      const where = acquiredAt === undefined ? "" : ` (acquired at ${acquiredAt})`;
      return `${name} (pid ${pid}) holds ${holds}${where} and waits for ${waitsFor}`;
    })
    .join("; ");
}

/** `Lock "accounts"`; without a name `Lock 4711`, by its number in shared memory. */
export function nameOf({ kind, id, word }: Resource): string {
  const name = kind === "BoundedSemaphore" ? "" : readName(word);
  return name === "" ? `${kind} ${id}` : `${kind} ${JSON.stringify(name)}`;
}

/**
 * A child does not ask its parent where that is in the source, as it does for the error that ends it: the parent is often blocked in the
 * very cycle, and the error would come a second late.
 */
function siteOf({ kind, word }: Resource): string | undefined {
  if (kind === "BoundedSemaphore") return undefined;
  const site = readSite(word);
  return site === undefined ? undefined : sourcePlace(site, mapStack);
}
