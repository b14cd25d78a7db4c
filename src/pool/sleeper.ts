/** How a worker sleeps until its pool rings. */

import { clearTimeout, setTimeout } from "../core/timers.ts";
import { arena } from "../memory/index.ts";
import { onDoorbell } from "../wait/index.ts";
import { Word } from "./worker-cell.ts";

export class Sleeper {
  readonly #word: number;
  #wake: (() => void) | undefined;

  /** @param base Where the words of the worker's cell begin. */
  constructor(base: number) {
    this.#word = base + Word.asleep;
    onDoorbell(() => this.#rung());
  }

  /** As `sleep`, at most for a time. */
  async sleepFor(milliseconds: number, isAwaited: () => boolean): Promise<void> {
    const timer = setTimeout(() => this.#rung(), milliseconds);
    await this.sleep(isAwaited);
    clearTimeout(timer);
  }

  /** Until the pool rings, unless what is awaited is there already. */
  sleep(isAwaited: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      // Says that it sleeps, then looks; the pool publishes, then asks.
      Atomics.store(arena().words, this.#word, 1);
      if (isAwaited()) this.#rung();
    });
  }

  #rung(): void {
    Atomics.store(arena().words, this.#word, 0);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
