import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { Process } from "../../src/index.ts";
import { slotOwner, slotsInUse, sweepDead } from "../../src/memory/index.ts";
import type { Random } from "../helpers/random.ts";

/** Far more than anything takes; who is not done by then sleeps for ever. */
const PATIENCE_MS = 60_000;

/** What one of the crew does until it is told to stop; after a kill the next one at its place begins anew. */
export type Work = (place: number, seed: number) => Promise<void>;

/** Processes that all do the same, each at its place; one after the other is killed and replaced. */
export class Crew {
  readonly #work: Work;
  readonly #random: Random;
  readonly #children: Process[] = [];

  constructor(size: number, work: Work, random: Random) {
    this.#work = work;
    this.#random = random;
    for (let place = 0; place < size; place++) this.start(place);
  }

  start(place: number): void {
    this.#children[place] = new Process(this.#work, place, this.#random.below(1e6)).start();
  }

  /** Kills one that must be alive, and waits until all that it left behind is cleaned up. @returns its place. */
  async kill(): Promise<number> {
    const place = this.#random.below(this.#children.length);
    const child = this.#children[place] as Process;
    const { pid } = child;
    assert.ok(child.isAlive(), `${child.name} has failed`);
    child.kill();
    await child.join();
    await eventually("the dead process is swept", () => {
      sweepDead();
      return !slotsInUse().some((slot) => slotOwner(slot)?.pid === pid);
    });
    return place;
  }

  /** Waits for the end of all, which were told to stop. */
  async end(): Promise<void> {
    for (const child of this.#children) {
      assert.equal(await child.join({ timeout: PATIENCE_MS }), 0, `${child.name} was not woken, or failed`);
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#children.length;
  }
}

/** Waits for something that must come. */
export async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (const from = Date.now(); !isSo(); await turn()) assert.ok(Date.now() - from < PATIENCE_MS, `never: ${what}`);
}
