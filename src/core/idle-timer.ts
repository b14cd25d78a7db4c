/** Calls back from time to time, and keeps no process alive. */

import { clearInterval, setInterval } from "./timers.ts";

/** @param tick Called every so many milliseconds until it gives false; `start` begins again. */
export class IdleTimer {
  readonly #intervalMs: number;
  readonly #tick: () => boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(intervalMs: number, tick: () => boolean) {
    this.#intervalMs = intervalMs;
    this.#tick = tick;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#fire(), this.#intervalMs);
    this.#timer.unref();
  }

  #fire(): void {
    if (this.#tick()) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
