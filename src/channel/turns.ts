/** One after the other: the pending promise calls of this process on one side of a queue or connection, first come first served. */

import type { Deadline } from "../core/deadline.ts";
import { clearTimeout, setTimeout } from "../core/timers.ts";

const MAX_TIMER_MS = 2 ** 31 - 1;

interface Waiting {
  readonly go: () => void;
}

export class Turns {
  #busy = false;
  readonly #line: Waiting[] = [];

  /** True while it is somebody's turn: who comes now must stand in line. */
  get busy(): boolean {
    return this.#busy;
  }

  /** Waits for one's turn, to be followed by `leave`. @returns false when the time ran out; rejects when aborted. */
  enter(deadline: Deadline): Promise<boolean> {
    if (!this.#busy) {
      this.#busy = true;
      return Promise.resolve(true);
    }
    if (deadline.expired) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      const end = (act: () => void): void => {
        clearTimeout(timer);
        deadline.signal?.removeEventListener("abort", abort);
        act();
      };
      const waiting = { go: () => end(() => resolve(true)) };
      const giveUp = (act: () => void): void => {
        this.#line.splice(this.#line.indexOf(waiting), 1);
        end(act);
      };
      const abort = (): void => giveUp(() => reject(deadline.signal?.reason as Error));
      const left = deadline.remaining();
      const timer =
        left === Infinity
          ? undefined
          : setTimeout(() => giveUp(() => resolve(false)), Math.min(MAX_TIMER_MS, Math.ceil(left)));
      deadline.signal?.addEventListener("abort", abort, { once: true });
      this.#line.push(waiting);
    });
  }

  leave(): void {
    const next = this.#line.shift();
    if (next === undefined) this.#busy = false;
    else next.go();
  }
}
