/** The worker's end of the results lane: what comes of the task that runs. */

import { encodeErrorTo, encodeTo } from "../codec/encode.ts";
import { inheritance } from "../core/inheritance.ts";
import { arena } from "../memory/index.ts";
import { ringDoorbell } from "../wait/index.ts";
import { type LaneWriter, letGo, MIN_ROOM } from "./lane.ts";
import type { Origin, Outcomes } from "./settle-chunk.ts";
import type { Sleeper } from "./sleeper.ts";
import { Kind, monotonicNow, RESULT_HEADER, Word } from "./worker-cell.ts";

/** A task that has begun. */
interface BegunTask {
  readonly number: number;
  readonly startedAt: number;
}

export class ResultWriter {
  readonly origin: Origin = { name: inheritance.name, pid: process.pid };
  readonly #lane: LaneWriter;
  readonly #base: number;
  readonly #poolSlot: number;
  readonly #sleeper: Sleeper;
  #number = 0;
  #startedAt = 0;

  /** @param base Where the words of the worker's cell begin. @param poolSlot Whom to ring. */
  constructor(lane: LaneWriter, base: number, poolSlot: number, sleeper: Sleeper) {
    this.#lane = lane;
    this.#base = base;
    this.#poolSlot = poolSlot;
    this.#sleeper = sleeper;
  }

  /** A task begins; what follows is of it. */
  beginTask(number: number): void {
    this.#number = number;
    this.#startedAt = monotonicNow();
    const { words, doubles } = arena();
    doubles[(this.#base + Word.startedAt) / 2] = this.#startedAt;
    words[this.#base + Word.running] = number;
  }

  /** The task that runs, for when it continues. */
  current(): BegunTask {
    return { number: this.#number, startedAt: this.#startedAt };
  }

  /** A task continues after others have run; what follows is of it. */
  continueTask({ number, startedAt }: BegunTask): void {
    this.#number = number;
    this.#startedAt = startedAt;
    arena().words[this.#base + Word.running] = number;
  }

  /** True when the pool has said, before it knew of a stream of the task, that nobody wants more of it. */
  isUnread({ number }: Pick<BegunTask, "number"> = { number: this.#number }): boolean {
    return Atomics.load(arena().words, this.#base + Word.unwanted) === ((number + 1) | 0);
  }

  /** The task has ended with a value, or with the reason why that cannot travel. */
  value(value: unknown): void {
    try {
      this.#put(Kind.value, () => encodeTo(this.#lane, value, { root: "result" }));
    } catch (error) {
      this.error(error);
    }
  }

  /** The task has ended with an error. */
  error(error: unknown): void {
    this.#put(Kind.error, () => encodeErrorTo(this.#lane, error, this.origin));
  }

  /** Outcomes of a chunk's items: all that are left, or a part that others follow. */
  outcomes(kind: number, outcomes: Outcomes): void {
    try {
      this.#put(kind, () => encodeTo(this.#lane, outcomes.list, { root: "result" }));
    } catch (error) {
      if (outcomes.dropUnsendable(this.origin)) this.outcomes(kind, outcomes);
      else this.error(error);
    }
  }

  /** The task is a generator: items follow. @param place That of its stream. */
  stream(place: number): void {
    this.#put(Kind.stream, () => encodeTo(this.#lane, undefined), place, this.#startedAt);
  }

  /** @throws {SerializationError} */
  item(item: unknown): void {
    this.#put(Kind.item, () => encodeTo(this.#lane, item, { root: "item" }));
  }

  /** The initializer has failed. */
  broken(error: unknown): void {
    this.#lane.begin(Kind.broken);
    encodeErrorTo(this.#lane, error, this.origin);
    letGo(this.#lane.commit());
    ringDoorbell(this.#poolSlot);
  }

  get hasRoom(): boolean {
    return this.#lane.room >= 2 * MIN_ROOM;
  }

  /** Waits until the pool has made room. */
  async waitForRoom(): Promise<void> {
    const { words } = arena();
    for (;;) {
      Atomics.store(words, this.#base + Word.needsRoom, 1);
      if (this.hasRoom) break;
      ringDoorbell(this.#poolSlot);
      await this.#sleeper.sleep(() => this.hasRoom);
    }
    Atomics.store(words, this.#base + Word.needsRoom, 0);
  }

  #put(kind: number, write: () => unknown, place = 0, milliseconds = monotonicNow() - this.#startedAt): void {
    const lane = this.#lane;
    lane.begin(kind);
    lane.view.setInt32(lane.position, this.#number, true);
    lane.view.setInt32(lane.position + 4, place, true);
    lane.view.setFloat64(lane.position + 8, milliseconds, true);
    lane.position += RESULT_HEADER;
    try {
      write();
    } catch (error) {
      lane.abort();
      throw error;
    }
    letGo(lane.commit());
    // The pool says that it will look, then looks; we publish, then ask. So one of both sees the other.
    if (Atomics.load(arena().words, this.#base + Word.polled) === 0) ringDoorbell(this.#poolSlot);
  }
}
