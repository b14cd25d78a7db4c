/** Streaming in the worker: the items of generators go to the pool while they run, a window ahead of their consumer. */

import { arena } from "../memory/index.ts";
import type { ResultWriter } from "./result-writer.ts";
import type { Outcomes } from "./settle-chunk.ts";
import type { Sleeper } from "./sleeper.ts";
import type { AnyGenerator } from "../core/generators.ts";
import { Kind, Word } from "./worker-cell.ts";

/** Streamed items that may be under way to the pool. */
const STREAM_WINDOW = 64;

export class ItemStream {
  readonly #results: ResultWriter;
  readonly #sleeper: Sleeper;
  readonly #consumedWord: number;
  #sent = 0;

  /** @param base Where the words of the worker's cell begin. */
  constructor(results: ResultWriter, base: number, sleeper: Sleeper) {
    this.#results = results;
    this.#consumedWord = base + Word.streamConsumed;
    this.#sleeper = sleeper;
  }

  /** A task that is a generator, to its end. */
  async run(generator: AnyGenerator): Promise<void> {
    this.#begin();
    try {
      await this.#send(generator);
      this.#results.value(undefined);
    } catch (error) {
      this.#results.error(error);
    }
  }

  /** Items of a generator in a chunk: what the chunk's earlier inputs gave goes first. Throws what the generator throws. */
  async runInChunk(outcomes: Outcomes, generator: AnyGenerator): Promise<void> {
    if (!outcomes.isStream) this.#begin();
    outcomes.isStream = true;
    if (outcomes.list.length > 0) this.#results.outcomes(Kind.part, outcomes);
    outcomes.list.length = 0;
    if (!this.#results.hasRoom) await this.#results.waitForRoom();
    await this.#send(generator);
  }

  #begin(): void {
    // Items of an earlier stream that were taken after its end have not been counted.
    this.#sent = Atomics.load(arena().words, this.#consumedWord);
    this.#results.stream();
  }

  /** Stops when nobody wants more; leaving the loop ends the generator. */
  async #send(generator: AnyGenerator): Promise<void> {
    const results = this.#results;
    for await (const item of generator) {
      if (results.isUnread) break;
      if (!results.hasRoom) await results.waitForRoom();
      results.item(item);
      this.#sent = (this.#sent + 1) | 0;
      while (!this.#mayGoOn) await this.#sleeper.sleep(() => this.#mayGoOn);
      if (results.isUnread) break;
    }
  }

  get #mayGoOn(): boolean {
    const ahead = (this.#sent - Atomics.load(arena().words, this.#consumedWord)) | 0;
    return ahead < STREAM_WINDOW || this.#results.isUnread;
  }
}
