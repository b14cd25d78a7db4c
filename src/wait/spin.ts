/**
 * Looking for a while before sleeping, in whichever way has paid lately.
 *
 * - Spinning, when the other side runs on another processor. A spin that succeeds takes 0.2 µs against some 50 µs for sleeping and
 *   being woken. Two that answer each other can be caught: each sleeps since the other takes long, which it does since it must
 *   be woken. So once in a while one spins for longer than a wake-up takes, and is awake when the answer comes.
 * - Yielding, when both are on one processor, because there is only one or the scheduler put them there: spinning would keep
 *   the other side from answering. A yield is one system call where sleeping and being woken are two, and no timer is set.
 *   When a third program is busy there, a yield can take milliseconds, which counts as a failure however it ends.
 */

import { availableParallelism } from "node:os";
import { performance } from "../core/timers.ts";
import { yieldProcessor } from "../platform/index.ts";

interface Pace {
  /** Looks at the start, and after a try that succeeded. */
  readonly first: number;
  readonly most: number;
  readonly least: number;
  /** Looks of a try: longer than it takes to wake the other side. */
  readonly long: number;
  /** After how many failures in a row a try is made at last; where tries do not help they become ever rarer until then. */
  readonly lastTry: number;
}

const SPINNING: Pace = { first: 1000, most: 4000, least: 200, long: 12_000, lastTry: 4096 };
const YIELDING: Pace = { first: 2, most: 8, least: 0, long: 2, lastTry: 256 };
const FIRST_TRY = 16;
/** A yield that takes longer was another program's turn. */
const LATE_MS = 0.1;

const oneProcessor = availableParallelism() === 1;

/** One for each kind of wait, kept for as long as the process lives, so that it can learn. */
export class AdaptiveSpin {
  readonly #spins = new Learner(SPINNING, SPINNING.first);
  readonly #yields = new Learner(YIELDING, oneProcessor ? YIELDING.first : 0);

  /** Asks `done` until it says true or it does not pay any longer. */
  until(done: () => boolean): boolean {
    const { pays } = this.#yields;
    if (pays && this.#yieldUntil(done)) return true;
    if (!oneProcessor && this.#spinUntil(done)) return true;
    return !pays && this.#yieldUntil(done);
  }

  #spinUntil(done: () => boolean): boolean {
    const looks = this.#spins.looks();
    for (let i = 0; i < looks; i++) {
      if (!done()) continue;
      this.#spins.succeeded(i);
      return true;
    }
    this.#spins.failed();
    return false;
  }

  #yieldUntil(done: () => boolean): boolean {
    const looks = this.#yields.looks();
    const latest = looks === 0 ? 0 : performance.now() + LATE_MS;
    for (let i = 0; i < looks; i++) {
      yieldProcessor();
      const isDone = done();
      if (performance.now() > latest) {
        this.#yields.giveUp();
        return isDone;
      }
      if (!isDone) continue;
      this.#yields.succeeded(i);
      return true;
    }
    this.#yields.failed();
    return false;
  }
}

/** How often to look: more after a success, less after a failure. */
class Learner {
  readonly #pace: Pace;
  #budget: number;
  #failures = 0;
  #nextTry = FIRST_TRY;
  #isTry = false;

  constructor(pace: Pace, first: number) {
    this.#pace = pace;
    this.#budget = first;
  }

  /** False when only tries are made. */
  get pays(): boolean {
    return this.#budget > 0;
  }

  looks(): number {
    this.#isTry = this.#failures >= this.#nextTry;
    return this.#isTry ? this.#pace.long : this.#budget;
  }

  succeeded(looks: number): void {
    const { first, most, least } = this.#pace;
    this.#failures = 0;
    // What a try found is how long waking takes; from now on nobody need be woken.
    this.#budget = this.#isTry ? first : Math.min(most, Math.max(this.#budget, 2 * looks + least));
    if (!this.#isTry) this.#nextTry = FIRST_TRY;
  }

  failed(): void {
    const { least, lastTry } = this.#pace;
    this.#failures += 1;
    if (this.#isTry) {
      this.#failures = 0;
      this.#nextTry = Math.min(lastTry, 4 * this.#nextTry);
    }
    this.#budget = Math.max(least, this.#budget - Math.ceil(this.#budget / 8));
  }

  giveUp(): void {
    this.#budget = this.#pace.least;
    this.failed();
  }
}
