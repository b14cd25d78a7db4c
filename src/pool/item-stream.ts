/** Streaming in the worker: the items of a task's generators go to the pool while they run, a window ahead of their consumer. */

import { arena } from "../memory/index.ts";
import type { ResultWriter } from "./result-writer.ts";
import type { Outcomes } from "./settle-chunk.ts";
import type { AnyGenerator } from "../core/generators.ts";
import { FREE, itemsAhead, NONE_CONSUMED, STREAM_WINDOW, UNWANTED } from "./stream-word.ts";
import type { Turns, Waiting } from "./turns.ts";
import { Kind, MAX_TASKS, Word } from "./worker-cell.ts";

/** The streams of a worker. */
export class ItemStreams {
  readonly #results: ResultWriter;
  readonly #turns: Turns;
  readonly #firstWord: number;
  #last = 0;

  /** @param base Where the words of the worker's cell begin. */
  constructor(results: ResultWriter, base: number, turns: Turns) {
    this.#results = results;
    this.#turns = turns;
    this.#firstWord = base + Word.streams;
  }

  /** A task that is a generator, to its end. */
  async run(generator: AnyGenerator): Promise<void> {
    try {
      await this.begin().send(generator);
      this.#results.value(undefined);
    } catch (error) {
      this.#results.error(error);
    }
  }

  /** The task that runs has items to send. */
  begin(): ItemStream {
    const place = this.#freePlace();
    Atomics.store(arena().words, this.#firstWord + place, NONE_CONSUMED);
    this.#results.stream(place);
    return new ItemStream(this.#results, this.#firstWord + place, this.#turns);
  }

  /** There is one: a task has a place until the pool knows how it ended, and the pool gives no more tasks than there are places. */
  #freePlace(): number {
    const { words } = arena();
    do this.#last = (this.#last + 1) % MAX_TASKS;
    while (Atomics.load(words, this.#firstWord + this.#last) !== FREE);
    return this.#last;
  }
}

/** The stream of a task. */
export class ItemStream implements Waiting {
  isOvertaken = false;
  readonly #results: ResultWriter;
  readonly #task: ReturnType<ResultWriter["current"]>;
  readonly #word: number;
  readonly #turns: Turns;
  #sent = 0;

  /** @param word Its word in the worker's cell. */
  constructor(results: ResultWriter, word: number, turns: Turns) {
    this.#results = results;
    this.#task = results.current();
    this.#word = word;
    this.#turns = turns;
  }

  get mayGoOn(): boolean {
    const word = Atomics.load(arena().words, this.#word);
    return word === UNWANTED || itemsAhead(this.#sent, word) < STREAM_WINDOW || this.#results.isUnread(this.#task);
  }

  /** Items of a generator in a chunk: what the chunk's earlier inputs gave goes first. Throws what the generator throws. */
  async sendInChunk(outcomes: Outcomes, generator: AnyGenerator): Promise<void> {
    if (outcomes.list.length > 0) this.#results.outcomes(Kind.part, outcomes);
    outcomes.list.length = 0;
    if (!this.#results.hasRoom) await this.#results.waitForRoom();
    await this.send(generator);
  }

  /** Stops when nobody wants more; leaving the loop ends the generator. Throws what the generator throws. */
  async send(generator: AnyGenerator): Promise<void> {
    const results = this.#results;
    for await (const item of generator) {
      if (this.isUnread) break;
      if (!results.hasRoom) await results.waitForRoom();
      results.item(item);
      this.#sent += 1;
      if (!this.mayGoOn) await this.#waitForConsumer();
      if (this.isUnread) break;
    }
  }

  /** True when nobody wants more of its task. */
  get isUnread(): boolean {
    return Atomics.load(arena().words, this.#word) === UNWANTED || this.#results.isUnread(this.#task);
  }

  async #waitForConsumer(): Promise<void> {
    await this.#turns.stepAside(this);
    this.#results.continueTask(this.#task);
  }
}
