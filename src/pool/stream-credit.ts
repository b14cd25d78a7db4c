/** The pool's side of a stream: lets its generator in the worker go on as its consumer does. */

import { arena } from "../memory/index.ts";
import { consumedWord, FREE, STREAM_WINDOW, UNWANTED } from "./stream-word.ts";

export class StreamCredit {
  /** When its task began, on the clock of `monotonicNow`. */
  readonly startedAt: number;
  readonly #word: number;
  readonly #wake: () => void;
  #received = 0;
  #consumed = 0;
  #isStopped = false;

  /** @param word The word of the stream. @param wake Rings if the worker sleeps. */
  constructor(word: number, startedAt: number, wake: () => void) {
    this.#word = word;
    this.startedAt = startedAt;
    this.#wake = wake;
  }

  /** True when the generator waits for its consumer; it does not run then. */
  get isUsedUp(): boolean {
    return !this.#isStopped && this.#received - this.#consumed >= STREAM_WINDOW;
  }

  /** An item has come. */
  received(): void {
    this.#received += 1;
  }

  /** The consumer has taken an item. */
  consumed(): void {
    this.#consumed += 1;
    if (this.#isStopped) return;
    Atomics.store(arena().words, this.#word, consumedWord(this.#consumed));
    this.#wake();
  }

  /** Nobody wants more. */
  stop(): void {
    this.#isStopped = true;
    Atomics.store(arena().words, this.#word, UNWANTED);
    this.#wake();
  }

  /** The task has ended: the worker may have another stream there. */
  free(): void {
    Atomics.store(arena().words, this.#word, FREE);
  }
}
