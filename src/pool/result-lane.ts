/** The pool's side of a worker's results lane: reads what the worker says, and tells who has asked for it. */

import { mapStack } from "../capture/index.ts";
import { decode, decodeError, decodeErrorFrom, decodeFrom, prepare } from "../codec/index.ts";
import type { Extent } from "../memory/index.ts";
import type { Failure } from "./events.ts";
import { LaneReader } from "./lane.ts";
import type { Task } from "./task.ts";
import type { TaskLane } from "./task-lane.ts";
import { Kind, RESULT_HEADER, Word } from "./worker-cell.ts";

/** A message that needs modules says so in its second byte. */
const MODULES = 1;

/** What a worker says, besides what it says to the listeners of tasks. */
export interface ResultListener {
  /** A task has ended; its listener knows already. */
  ended(task: Task, duration: number, failure: Failure | undefined): void;
  /** The initializer has failed. */
  broken(error: unknown): void;
  /** A task is a generator. @param place That of its stream. @param startedAt When it began, on the clock of `monotonicNow`. */
  streams(task: Task, place: number, startedAt: number): void;
  /** Nobody wants more of a task's stream. */
  stopStream(task: Task): void;
}

/** What came of a task: a value, or why there is none. */
interface Outcome {
  readonly value?: unknown;
  readonly failure?: Failure;
}

export class ResultLane {
  readonly #lane: LaneReader;
  readonly #tasks: TaskLane;
  readonly #listener: ResultListener;
  #isClosed = false;

  /** @param base Where the words of the worker's cell begin. */
  constructor(extent: Extent, base: number, tasks: TaskLane, listener: ResultListener) {
    this.#lane = new LaneReader(extent, base + Word.resultsTail, base + Word.resultsHead);
    this.#tasks = tasks;
    this.#listener = listener;
  }

  get isEmpty(): boolean {
    return this.#isClosed || this.#lane.isEmpty;
  }

  /** Takes what is there. @returns how many there were. */
  read(): number {
    let count = 0;
    // A listener may block, read again and find the worker dead: what it is told has been taken out before.
    while (!this.#isClosed && this.#lane.next()) {
      count += 1;
      this.#readOne();
    }
    return count;
  }

  /** Nothing more is read. */
  close(): void {
    this.#isClosed = true;
  }

  /** Gives back what the records hold that nobody has read. */
  drop(): void {
    this.#lane.drop();
  }

  #readOne(): void {
    const lane = this.#lane;
    const { kind } = lane;
    if (kind === Kind.broken) {
      const error = decodeErrorFrom(lane, mapStack);
      lane.done();
      return this.#listener.broken(error);
    }
    const number = lane.view.getInt32(lane.position, true);
    const place = lane.view.getInt32(lane.position + 4, true);
    const milliseconds = lane.view.getFloat64(lane.position + 8, true);
    lane.position += RESULT_HEADER;
    const task = isBeforeEnd(kind) ? this.#tasks.tasks.find(number) : this.#ended(number, milliseconds);
    if (kind === Kind.stream && task !== undefined) this.#listener.streams(task, place, milliseconds);
    else if (kind === Kind.item) task?.stream?.received();
    if (((lane.bytes[lane.position + 1] as number) & MODULES) !== 0 || task?.reading !== undefined) {
      const bytes = lane.bytes.slice(lane.position, lane.limit);
      lane.done();
      if (task !== undefined) this.#readLater(kind, task, bytes);
      return;
    }
    const isError = kind === Kind.error;
    const outcome = outcomeOf(isError, () => (isError ? decodeErrorFrom(lane, mapStack) : decodeFrom(lane)));
    lane.done();
    if (task !== undefined) this.#tell(kind, task, outcome);
  }

  /** A task that has ended leaves the lane. */
  #ended(number: number, duration: number): Task | undefined {
    const task = this.#tasks.end(number);
    if (task !== undefined) task.duration = duration;
    return task;
  }

  /** What needs modules has to wait for them; what comes of other tasks may overtake it, what comes of the same one may not. */
  #readLater(kind: number, task: Task, bytes: Uint8Array): void {
    const reading = this.#tellAfter(task.reading, bytes, kind, task);
    task.reading = reading;
    void reading.then(() => {
      if (task.reading === reading) task.reading = undefined;
    });
  }

  async #tellAfter(before: Promise<void> | undefined, bytes: Uint8Array, kind: number, task: Task): Promise<void> {
    await before;
    const isError = kind === Kind.error;
    let outcome: Outcome;
    try {
      await prepare(bytes);
      outcome = outcomeOf(isError, () => (isError ? decodeError(bytes, mapStack) : decode(bytes)));
    } catch (error) {
      outcome = { failure: { error } };
    }
    this.#tell(kind, task, outcome);
  }

  #tell(kind: number, task: Task, outcome: Outcome): void {
    if (kind === Kind.stream) {
      task.isStream = true;
      return task.ended ? this.#listener.stopStream(task) : task.listener.stream?.(task);
    }
    if (kind === Kind.item || kind === Kind.part) return this.#tellPart(kind, task, outcome);
    const { failure } = outcome;
    if (!task.ended) {
      task.ended = true;
      if (failure === undefined) task.listener.value(outcome.value, task);
      else task.listener.error(failure.error, task);
    }
    this.#listener.ended(task, task.duration as number, failure);
  }

  /** What comes of a task before its end. */
  #tellPart(kind: number, task: Task, { value, failure }: Outcome): void {
    if (failure !== undefined && !task.ended) {
      // It cannot be read here. The worker has to be told, or it would wait for a consumer for ever.
      task.ended = true;
      task.listener.error(failure.error, task);
      this.#listener.stopStream(task);
    }
    if (task.ended) return;
    if (kind === Kind.item) task.listener.item?.(value, task);
    else task.listener.part?.(value, task);
  }
}

/** True for what comes of a task before its end. */
function isBeforeEnd(kind: number): boolean {
  return kind === Kind.stream || kind === Kind.item || kind === Kind.part;
}

/** @param isError What is decoded is an error. What cannot be decoded is one, too. */
function outcomeOf(isError: boolean, read: () => unknown): Outcome {
  try {
    const value = read();
    return isError ? { failure: { error: value } } : { value };
  } catch (error) {
    return { failure: { error } };
  }
}
