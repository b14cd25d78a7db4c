/** deadlocks(): who waits for whom in a circle. */

import { setImmediate, setTimeout } from "../core/timers.ts";
import { beatsOf, type Cycle, cycleKey, findCycles, hasBeaten, isFirm, stands } from "./cycles.ts";
import { type Deadlock, reportOf } from "./deadlock-report.ts";
import { WaitsFor } from "./waits-for.ts";

/** How long a cycle with promises in it must stand unchanged: no other task has let go meanwhile. */
export const SETTLE_MS = 250;

/**
 * The cycles of processes of this program that wait for each other's locks (`Lock`, `RLock`, `BoundedSemaphore` of one permit):
 * who holds what, who waits for what, and where in the source each acquired it. Empty when there is none. Asking costs those
 * nothing who work with locks; a process that is dead, or that only waits, is in no cycle.
 *
 * A cycle of blocked processes is certain. Where promises wait, other tasks of the same process go on, and one of them may be
 * the holder: such a cycle is reported when nothing in it has changed for a quarter of a second, and their event loops turned.
 *
 * `acquiredAt` (`file:line`) is recorded for the first acquires of a lock by a process, for those that had to wait, and for
 * all of a lock with `detectDeadlock`; else it is undefined.
 *
 * @example
 * ```ts
 * import { deadlocks } from "multiproc";
 *
 * for (const { processes } of await deadlocks()) {
 *   for (const p of processes) console.log(`${p.name} holds ${p.holds} since ${p.acquiredAt}, waits for ${p.waitsFor}`);
 * }
 * ```
 */
export async function deadlocks(): Promise<Deadlock[]> {
  // Who asks in a loop must not keep his own event loop from turning.
  await new Promise((resolve) => setImmediate(resolve));
  const found = findCycles(new WaitsFor());
  if (found.length === 0) return [];
  const firm = found.filter((cycle) => isFirm(cycle) && stands(cycle));
  const others = await settled(found.filter((cycle) => !isFirm(cycle)));
  // Those that stand now, since the others took their time.
  const graph = new WaitsFor();
  return [...firm, ...others].filter((cycle) => stands(cycle, graph)).map(reportOf);
}

async function settled(cycles: Cycle[]): Promise<Cycle[]> {
  if (cycles.length === 0) return [];
  const beats = new Map(cycles.map((cycle) => [cycle, beatsOf(cycle)]));
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const graph = new WaitsFor();
  const unique = new Map(cycles.map((cycle) => [cycleKey(cycle), cycle]));
  return [...unique.values()].filter((cycle) => hasBeaten(cycle, beats.get(cycle) ?? []) && stands(cycle, graph));
}
