/** Sends SIGKILL at random moments to random processes of those that the parts expose. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../helpers/random.ts";
import { isMarked } from "./marked-processes.ts";

const LONGEST_PAUSE_MS = 200;
/** Far longer than any death goes unnoticed, and far shorter than it takes until the system gives a pid out again. */
const REMEMBERED_MS = 120_000;

/** Whom one part exposes, and how many of them were killed. */
export interface Victims {
  readonly part: string;
  candidates: (() => readonly (number | undefined)[])[];
  kills: number;
}

export class Killer {
  readonly #random: Random;
  /** When, by pid. */
  readonly #killed = new Map<number, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  wasKilled(pid: number): boolean {
    return Date.now() - (this.#killed.get(pid) ?? -Infinity) < REMEMBERED_MS;
  }

  async work(groups: readonly Victims[], until: number): Promise<void> {
    for (let due = Date.now(); ;) {
      due += this.#random.below(LONGEST_PAUSE_MS);
      // When the event loop was busy for longer, the strikes that are due come together.
      if (due > Date.now()) await sleep(due - Date.now());
      if (Date.now() >= until) return;
      this.#strike(this.#random.pick(groups));
    }
  }

  #strike(group: Victims): void {
    const pids = group.candidates.flatMap((candidates) => candidates()).filter((pid) => pid !== undefined);
    if (pids.length === 0) return;
    const pid = this.#random.pick(pids);
    if (this.wasKilled(pid) || !isMarked(pid)) return;
    // Noted before it happens: who sees the death finds the reason.
    this.#killed.set(pid, Date.now());
    group.kills += 1;
    process.kill(pid, "SIGKILL");
  }
}
