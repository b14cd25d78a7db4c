/**
 * Who runs in a worker: one task at a time. A generator that waits for its consumer steps aside, and others have their turn:
 * other generators that may go on, then the next task, if the consumer takes its time.
 */

import { performance } from "../core/timers.ts";

/** What steps aside. */
export interface Waiting {
  /** Its consumer has made room, or has gone. */
  readonly mayGoOn: boolean;
  /** Other tasks have begun beside it. */
  isOvertaken: boolean;
}

interface Place {
  readonly task: Waiting;
  readonly since: number;
  readonly goOn: () => void;
}

/**
 * Milliseconds that a generator waits before the first task begins beside it. Until then its worker stays its own: a consumer who
 * reads on, though slower than it yields, is not made to wait for the end of another task.
 */
const PATIENCE_MS = 10;

export class Turns {
  readonly #waiting: Place[] = [];
  #end: () => void = () => {};
  #fail: (error: unknown) => void = () => {};

  get isAnyWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** True when one of those that have stepped aside may go on. */
  get canResume(): boolean {
    return this.#waiting.some(({ task }) => task.mayGoOn);
  }

  /** Milliseconds until another task may begin. */
  get patienceMs(): number {
    let left = 0;
    const now = performance.now();
    for (const { task, since } of this.#waiting)
      if (!task.isOvertaken) left = Math.max(left, since + PATIENCE_MS - now);
    return left;
  }

  /** Another task begins, beside those that have stepped aside. */
  overtake(): void {
    for (const { task } of this.#waiting) task.isOvertaken = true;
  }

  /** Lets a task run, until it has ended or steps aside. */
  run(task: Promise<void>): Promise<void> {
    return this.#turn(() => {
      // Whoever's turn it is then: it may have stepped aside meanwhile.
      task.then(
        () => this.#end(),
        (error: unknown) => this.#fail(error),
      );
    });
  }

  /** For the one that runs: until it is its turn again. */
  stepAside(task: Waiting): Promise<void> {
    return new Promise((goOn) => {
      this.#waiting.push({ task, since: performance.now(), goOn });
      this.#end();
    });
  }

  /** Lets those go on that may, one after the other, each until it has ended or steps aside again. */
  async resume(): Promise<void> {
    for (const place of this.#waiting.slice()) {
      if (!place.task.mayGoOn) continue;
      this.#waiting.splice(this.#waiting.indexOf(place), 1);
      await this.#turn(place.goOn);
    }
  }

  #turn(begin: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
      begin();
    });
  }
}
