/**
 * Watches one wait for a lock: does it belong to a cycle?
 *
 * Only waits that somebody asked to watch have one: of locks with `detectDeadlock`, which end with DeadlockError, and waits
 * with a time-out, which say so when the time has run out. It looks when the wait has lasted for a slice (about 100 ms), so a
 * short wait costs nothing more.
 */

import { DeadlockError } from "../core/errors.ts";
import { performance } from "../core/timers.ts";
import { selfSlot } from "../memory/index.ts";
import { allAlive, beatsOf, type Cycle, cycleKey, cycleThrough, hasBeaten, isFirm } from "./cycles.ts";
import { GIVES_WAY } from "./lock-layout.ts";
import { describe, nameOf, reportOf } from "./deadlock-report.ts";
import { SETTLE_MS } from "./deadlocks.ts";
import { edge, type Edge, type Resource, WaitsFor } from "./waits-for.ts";

const CLOCK_MASK = 0x3fff_ffff;
/** One reading serves all the waits of an event loop that look at the same time. */
const READING_MS = 20;

const warned = new Set<string>();
const MOST_WARNED = 1000;
let reading: { readonly graph: WaitsFor; readonly at: number } | undefined;

export class DeadlockWatch {
  readonly #resource: Resource;
  readonly #firm: boolean;
  readonly #since: number;
  #seen: { readonly key: string; readonly at: number; readonly beats: number[] } | undefined;

  /** @param since When the wait began, as it stands in the queue. */
  constructor(resource: Resource, blocking: boolean, since: number) {
    this.#resource = resource;
    this.#firm = blocking;
    this.#since = since;
  }

  /** @throws {DeadlockError} If the lock detects deadlocks, the wait is part of one, and is the one to give way. */
  look(): void {
    const cycle = this.#settledCycle();
    if (cycle === undefined || !this.#givesWay(cycle)) return;
    throw this.#error(cycle);
  }

  /** The time has run out: says so if it did in a cycle. Once for each. */
  timedOut(): void {
    const cycle = this.#settledCycle();
    // Alone it may wait for another process to release the lock, as one may with a Lock.
    if (cycle === undefined || cycle.length === 1) return;
    const key = cycle
      .map(({ slot, generation, resource }) => `${slot}:${generation}:${resource.id}`)
      .sort()
      .join(" ");
    if (warned.has(key) || warned.size >= MOST_WARNED) return;
    warned.add(key);
    const text = `The time to acquire ${nameOf(this.#resource)} ran out in a deadlock: ${describe(reportOf(cycle))}`;
    process.emitWarning(text, "MultiprocDeadlockWarning");
  }

  #error(cycle: Cycle): DeadlockError {
    const report = reportOf(cycle);
    const text = `Cannot acquire ${nameOf(this.#resource)}: it would wait for ever: ${describe(report)}`;
    return new DeadlockError(text, { processes: report.processes });
  }

  /** The cycle, read twice; one with promises in it only when it has stood for a while. */
  #settledCycle(): Cycle | undefined {
    const cycle = this.#cycle(recentReading());
    if (cycle === undefined) return void (this.#seen = undefined);
    const again = this.#cycle(new WaitsFor());
    const key = cycleKey(cycle);
    if (again === undefined || cycleKey(again) !== key || !allAlive(cycle)) return void (this.#seen = undefined);
    const now = performance.now();
    if (this.#seen?.key !== key) this.#seen = { key, at: now, beats: beatsOf(again) };
    const { at, beats } = this.#seen;
    return isFirm(again) || (now - at >= SETTLE_MS && hasBeaten(again, beats)) ? again : undefined;
  }

  #cycle(graph: WaitsFor): Cycle | undefined {
    const wait = edge(selfSlot(), this.#resource, this.#firm, this.#since);
    return wait === undefined ? undefined : cycleThrough(graph, wait);
  }

  /** One of a cycle is enough: the one that began to wait last, of those that can be told. */
  #givesWay(cycle: Cycle): boolean {
    const mine = cycle[0] as Edge;
    return mayGiveWay(mine) && cycle.every((other) => other === mine || !mayGiveWay(other) || isOlder(other, mine));
  }
}

/** A semaphore's data never has the bit: its clock is the same. */
function mayGiveWay({ since }: Edge): boolean {
  return (since & GIVES_WAY) !== 0;
}

function isOlder(one: Edge, other: Edge): boolean {
  const later = (other.since - one.since) & CLOCK_MASK;
  return later === 0 ? one.slot < other.slot : later <= CLOCK_MASK / 2;
}

function recentReading(): WaitsFor {
  const now = performance.now();
  if (reading === undefined || now - reading.at > READING_MS) reading = { graph: new WaitsFor(), at: now };
  return reading.graph;
}
