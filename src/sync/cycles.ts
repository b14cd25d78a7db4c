/** Cycles in the waits-for graph: each process waits for what the next one holds, the last one for what the first holds. */

import { aliveOrSwept, arena, Slot, slotWord } from "../memory/index.ts";
import { type Edge, keyOf, WaitsFor } from "./waits-for.ts";

export type Cycle = readonly Edge[];

/** All cycles of one reading; of those that share a process and go two ways, at least one. */
export function findCycles(graph: WaitsFor): Cycle[] {
  const cycles = new Map<string, Cycle>();
  const done = new Set<number>();
  for (const start of graph.slots()) {
    search(graph, start, [], done, (cycle) => void cycles.set(cycleKey(cycle), cycle));
  }
  return [...cycles.values()];
}

/** The cycle that a wait is part of, if any. */
export function cycleThrough(graph: WaitsFor, wait: Edge): Cycle | undefined {
  if (wait.holder === wait.slot) return [wait];
  const seen = new Set<number>([wait.slot]);
  const way = (slot: number): Edge[] | undefined => {
    seen.add(slot);
    for (const next of graph.from(slot)) {
      if (next.holder === wait.slot) return [next];
      const rest = seen.has(next.holder) ? undefined : way(next.holder);
      if (rest !== undefined) return [next, ...rest];
    }
    return undefined;
  };
  const rest = way(wait.holder);
  return rest === undefined ? undefined : [wait, ...rest];
}

function search(graph: WaitsFor, slot: number, path: Edge[], done: Set<number>, found: (cycle: Cycle) => void): void {
  if (done.has(slot)) return;
  for (const next of graph.from(slot)) {
    const onPath = path.findIndex((before) => before.slot === next.holder);
    if (next.holder === slot) found([next]);
    else if (onPath >= 0) found([...path.slice(onPath), next]);
    else search(graph, next.holder, [...path, next], done, found);
  }
  done.add(slot);
}

/** How often the event loops of a cycle have turned; of a process that is blocked, nothing. */
export function beatsOf(cycle: Cycle): number[] {
  return cycle.map(({ slot, firm }) => (firm ? 0 : Atomics.load(arena().words, slotWord(slot) + Slot.beat)));
}

/**
 * Whether each event loop of a cycle has turned since then, so that a task which could let go would have had the chance: a
 * process that is stopped, or gets no processor, changes nothing either. Twice, since the first may have been due before.
 */
export function hasBeaten(cycle: Cycle, since: readonly number[]): boolean {
  return beatsOf(cycle).every((beats, i) => cycle[i]?.firm === true || ((beats - (since[i] as number)) | 0) >= 2);
}

/** The same for the same waits and holds, whichever of them it begins with. */
export function cycleKey(cycle: Cycle): string {
  return cycle.map(keyOf).sort().join(" ");
}

/** True if nothing in it can go on by itself: every process in it is blocked. */
export function isFirm(cycle: Cycle): boolean {
  return cycle.every(({ firm }) => firm);
}

/** Whether a cycle still stands in a new reading, and all in it live. The dead are swept, which passes on what they held. */
export function stands(cycle: Cycle, graph: WaitsFor = new WaitsFor()): boolean {
  return cycle.every((one) => graph.has(one)) && allAlive(cycle);
}

export function allAlive(cycle: Cycle): boolean {
  return cycle.filter(({ slot }) => !aliveOrSwept(slot)).length === 0;
}
