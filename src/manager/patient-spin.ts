/**
 * Spinning for an answer that another process is about to give. Where each side finds the other awake, a round trip takes a few
 * microseconds; where they sleep, some hundred. It pays only if both sides do it, so one that has given up tries again now
 * and then, for longer than waking the other side takes.
 */

import { availableParallelism } from "node:os";
import { performance } from "../core/timers.ts";

const SPIN_MS = 0.08;
const LOOKS_PER_CLOCK = 32;
const MAX_CREDIT = 24;
const PROBE_EVERY = 32;

export class PatientSpin {
  readonly #possible: boolean = availableParallelism() > 1;
  #credit = MAX_CREDIT;
  #skipped = 0;

  /** Asks `done` until it says true, for at most 80 µs. @returns false when it did not. */
  until(done: () => boolean): boolean {
    if (!this.#possible) return false;
    if (this.#credit <= 0 && ++this.#skipped % PROBE_EVERY !== 0) return false;
    const end = performance.now() + SPIN_MS;
    do {
      for (let i = 0; i < LOOKS_PER_CLOCK; i++) {
        if (!done()) continue;
        this.#credit = Math.min(MAX_CREDIT, this.#credit + 4);
        return true;
      }
    } while (performance.now() < end);
    this.#credit = Math.max(0, this.#credit - 1);
    return false;
  }
}
