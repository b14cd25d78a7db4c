/**
 * Starting the processes that serve managers. A program that starts more than one finds the next one warm: started ahead, with everything
 * loaded, told only what it is to serve. Used once; a warm one then is the manager, with the guarantees of a fresh one.
 */

import { fromModule } from "../capture/index.ts";
import { ownModule } from "../core/own-modules.ts";
import { clearTimeout, setTimeout } from "../core/timers.ts";
import { allocateCell } from "../memory/index.ts";
import { getStartMethod, Process, setListed, type StartMethod } from "../process/index.ts";
import { FamilyManager } from "./family.ts";
import { MANAGER_CELL_BYTES, ManagerState } from "./manager-cell.ts";
import type { serve } from "./serve.ts";

/** A manager's process, and the way to it. */
export interface ServerProcess {
  readonly family: FamilyManager;
  readonly child: Process;
}

const target = fromModule<typeof serve>(ownModule("manager/serve.js"), "serve");
const REFILL_MS = 150;
const IDLE_MS = 60_000;

let made = 0;
let taken = 0;
let kept: (ServerProcess & { readonly surroundings: string }) | undefined;
let timer: NodeJS.Timeout | undefined;

/** Takes the warm one if there is one that fits, or starts one. @param name Its name, if it must have a certain one. @param method Likewise. */
export function takeServer(name?: string, method?: StartMethod): ServerProcess {
  taken += 1;
  // One manager is all that most programs need.
  if (taken > 1) later(keepOne, REFILL_MS);
  const warm = kept;
  const isSpecial = name !== undefined || (method ?? getStartMethod()) === "spawn";
  if (warm === undefined || isSpecial || warm.family.words.state !== ManagerState.serving)
    return startServer(name, method);
  kept = undefined;
  if (warm.surroundings !== surroundings() || !warm.child.isAlive()) {
    discard(warm);
    return startServer(name);
  }
  setListed(warm.child, true);
  return warm;
}

function startServer(name: string = `Manager-${++made}`, method?: StartMethod, ahead = false): ServerProcess {
  const cell = allocateCell(MANAGER_CELL_BYTES);
  const family = new FamilyManager(cell);
  const child = new Process({
    target,
    args: [{ manager: cell.refer(), name, ahead }],
    daemon: true,
    name,
    ...(method === undefined ? {} : { method }),
  }) as Process;
  child.start();
  return { family, child };
}

function keepOne(): void {
  if (kept !== undefined) return;
  kept = { ...startServer(undefined, undefined, true), surroundings: surroundings() };
  kept.family.client.warmUp();
  setListed(kept.child, false);
  later(dropKept, IDLE_MS);
}

function dropKept(): void {
  if (kept !== undefined) discard(kept);
  kept = undefined;
}

function discard({ child, family }: ServerProcess): void {
  child.kill();
  family.client.close("it was never used");
}

function later(work: () => void, ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(work, ms);
  timer.unref();
}

/** What a process has from its parent at its start; a warm one must not be older than a change of it. */
function surroundings(): string {
  return JSON.stringify([process.cwd(), process.argv, process.execArgv, process.env]);
}
