/** What the program uses at one moment, all parts at rest and garbage collected. */

import { fstatSync, readdirSync, readFileSync } from "node:fs";
import * as memory from "../../src/memory/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { markedProcesses } from "./marked-processes.ts";

const ROUNDS_OF_COLLECTION = 4;

export interface Sample {
  readonly minutes: number;
  readonly kills: number;
  /** Resident memory of the main process without the shared pages, in MB. */
  readonly ownMB: number;
  readonly heapMB: number;
  /** The same of the largest process that lives over all laps. */
  readonly residentMB: number;
  readonly descriptors: number;
  readonly cells: number;
  readonly extents: number;
  /** Memory behind the arena, in MB, without the pages that are free and kept for what comes next: of these there is a limit. */
  readonly arenaMB: number;
  /** Slots of the process table in use. */
  readonly slots: number;
  readonly processes: number;
}

export async function takeSample(since: number, kills: number, residents: readonly number[]): Promise<Sample> {
  // Finalizers let go of shared objects, which makes more garbage.
  for (let i = 0; i < ROUNDS_OF_COLLECTION; i++) await collectGarbage();
  memory.sweepDead();
  // Kept for the next large messages, and given up when there are none for some seconds.
  memory.releaseCarriers();
  let cells = 0;
  let extents = 0;
  const { words } = memory.arena();
  memory.forEachCell((id) => {
    if (words[memory.cellWord(id) + memory.CellHeader.kind] === memory.CellKind.extent) extents += 1;
    else cells += 1;
  });
  return {
    minutes: (Date.now() - since) / 60_000,
    kills,
    ownMB: ownMegabytes(process.pid),
    heapMB: process.memoryUsage().heapUsed / 2 ** 20,
    residentMB: Math.max(0, ...residents.map(ownMegabytes)),
    descriptors: readdirSync("/proc/self/fd").length,
    cells,
    extents,
    arenaMB: (fstatSync(memory.arenaFd()).blocks * 512) / 2 ** 20 - memory.warmKilobytes() / 1024,
    slots: memory.slotsInUse().length,
    processes: markedProcesses().length,
  };
}

/** What a process has in memory of its own; 0 if it is gone. */
function ownMegabytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
