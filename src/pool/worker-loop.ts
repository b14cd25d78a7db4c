/**
 * What runs in a worker: takes tasks out of its lane and runs them one after another; `ResultWriter` puts what came of them
 * into the other lane.
 *
 * As long as functions give plain values nothing is awaited between two tasks; a promise or a generator is. So a worker runs
 * one task at a time, async ones too. Generators that wait for their consumers are the exception: see `turns.ts`.
 */

import { decodeFrom, needsHandles, prepare } from "../codec/decode.ts";
import { loadFacade } from "../core/facade.ts";
import { arena, type BlockRef, openCell, openExtent, prepareSlot, rehearseMapping, selfSlot } from "../memory/index.ts";
import { AdaptiveSpin, keepEventLoop, prepareDoorbell, ringDoorbell } from "../wait/index.ts";
import { type ItemStream, ItemStreams } from "./item-stream.ts";
import { LaneReader, LaneWriter } from "./lane.ts";
import { mapChunk } from "./map-chunk.ts";
import { ResultWriter } from "./result-writer.ts";
import { Outcomes, settleChunk } from "./settle-chunk.ts";
import { Sleeper } from "./sleeper.ts";
import { isClass } from "../core/is-class.ts";
import { isGenerator } from "../core/generators.ts";
import { isPromise } from "../core/is-promise.ts";
import type { AnyFunction } from "./task-values.ts";
import { Turns } from "./turns.ts";
import { Kind, Word, WorkerState } from "./worker-cell.ts";

/** What a worker is started with: plain data. */
export interface WorkerStart {
  readonly cell: BlockRef;
  readonly tasks: BlockRef;
  readonly results: BlockRef;
  readonly poolSlot: number;
  readonly initializer: Function | undefined;
  readonly initArgs: readonly unknown[];
}

/** A function, or why it cannot be had. */
type Defined = { readonly fn: AnyFunction } | { readonly error: unknown };

const TASK_PADDING = 4;
const MODULES = 1;
const HANDLES = 2;

/** Does ahead what a worker does first. */
export function preload(): void {
  arena();
  prepareSlot();
  prepareDoorbell();
  rehearseMapping();
}

class WorkerLoop {
  readonly #base: number;
  readonly #tasks: LaneReader;
  readonly #sleeper: Sleeper;
  readonly #results: ResultWriter;
  readonly #turns = new Turns();
  readonly #streams: ItemStreams;
  readonly #poolSlot: number;
  readonly #functions = new Map<number, Defined>();
  readonly #spin = new AdaptiveSpin();
  readonly #hasTasks = (): boolean => !this.#tasks.isEmpty;
  #number = 0;

  constructor({ cell, tasks, results, poolSlot, initializer }: WorkerStart) {
    this.#base = openCell(cell).word;
    const { words } = arena();
    words[this.#base + Word.slot] = selfSlot();
    this.#tasks = new LaneReader(openExtent(tasks), this.#base + Word.tasksTail, this.#base + Word.tasksHead);
    const lane = new LaneWriter(openExtent(results), this.#base + Word.resultsTail, this.#base + Word.resultsHead);
    this.#sleeper = new Sleeper(this.#base);
    this.#results = new ResultWriter(lane, this.#base, poolSlot, this.#sleeper);
    this.#streams = new ItemStreams(this.#results, this.#base, this.#turns);
    this.#poolSlot = poolSlot;
    keepEventLoop();
    Atomics.store(words, this.#base + Word.state, WorkerState.adopted);
    // There is room for another worker that boots.
    if (initializer !== undefined) ringDoorbell(poolSlot);
  }

  /** Says that the worker takes tasks. */
  ready(): void {
    Atomics.store(arena().words, this.#base + Word.state, WorkerState.ready);
    ringDoorbell(this.#poolSlot);
  }

  /** Says that the initializer has failed. */
  broken(error: unknown): void {
    this.#results.broken(error);
  }

  /** Runs tasks until the pool is closed. */
  async run(): Promise<void> {
    for (;;) {
      while ((!this.#turns.isAnyWaiting || (await this.#mayBegin())) && this.#tasks.next()) {
        const { kind } = this.#tasks;
        if (kind === Kind.close) return;
        if (kind === Kind.define) await this.#define();
        else if (kind === Kind.forget) this.#functions.delete(this.#uint32());
        else {
          const pending = this.#task(kind);
          if (pending !== undefined) await this.#turns.run(pending);
        }
        this.#tasks.done();
        if (!this.#results.hasRoom) await this.#results.waitForRoom();
      }
      if (this.#turns.isAnyWaiting) await this.#sleepAside();
      else if (!this.#spin.until(this.#hasTasks)) await this.#sleeper.sleep(this.#hasTasks);
    }
  }

  /** Lets generators go on that may. @returns false when no task is there, or one that waits shall have the worker to itself for a while. */
  async #mayBegin(): Promise<boolean> {
    // Asked before: who left a generator before he gave the task finds it ended.
    const hasTask = !this.#tasks.isEmpty;
    await this.#turns.resume();
    return hasTask && this.#turns.patienceMs <= 0;
  }

  /** Sleeps until a generator may go on, or a task may begin. */
  async #sleepAside(): Promise<void> {
    const turns = this.#turns;
    const { patienceMs } = turns;
    if (this.#tasks.isEmpty) await this.#sleeper.sleep(() => turns.canResume || !this.#tasks.isEmpty);
    else if (patienceMs > 0) await this.#sleeper.sleepFor(patienceMs, () => turns.canResume);
  }

  #uint32(): number {
    const value = this.#tasks.view.getUint32(this.#tasks.position, true);
    this.#tasks.position += 4;
    return value;
  }

  /** True when what the message at the reader's position needs must be loaded, which takes a turn of the event loop. */
  #mustPrepare(): boolean {
    const flags = this.#tasks.bytes[this.#tasks.position + 1] as number;
    return (flags & MODULES) !== 0 || ((flags & HANDLES) !== 0 && loadFacade() !== undefined);
  }

  async #prepare(): Promise<void> {
    const bytes = this.#tasks.bytes.subarray(this.#tasks.position, this.#tasks.limit);
    if (needsHandles(bytes)) await loadFacade();
    await prepare(bytes);
  }

  async #define(): Promise<void> {
    const id = this.#uint32();
    this.#uint32();
    let defined: Defined;
    try {
      if (this.#mustPrepare()) await this.#prepare();
      defined = { fn: callable(decodeFrom(this.#tasks) as AnyFunction) };
    } catch (error) {
      defined = { error };
    }
    this.#functions.set(id, defined);
  }

  /** @returns undefined when the task has ended already. */
  #task(kind: number): Promise<void> | undefined {
    const number = this.#number;
    this.#number = (number + 1) | 0;
    // The pool has taken it back.
    if (Atomics.compareExchange(arena().words, this.#base + Word.turn, number, this.#number) !== number) return;
    if (this.#turns.isAnyWaiting) this.#turns.overtake();
    this.#results.beginTask(number);
    const id = this.#uint32();
    this.#tasks.position += TASK_PADDING;
    if (this.#mustPrepare()) return this.#taskPrepared(kind, id);
    return this.#start(kind, id);
  }

  async #taskPrepared(kind: number, id: number): Promise<void> {
    try {
      await this.#prepare();
    } catch (error) {
      return this.#results.error(error);
    }
    await this.#start(kind, id);
  }

  #start(kind: number, id: number): Promise<void> | undefined {
    try {
      const contents = decodeFrom(this.#tasks) as unknown[];
      // What the message held is copied: the pool may use its room.
      this.#tasks.done();
      const [fn, args] = this.#functionOf(id, contents);
      const value = this.#call(kind, fn, args);
      if (isPromise(value)) return this.#later(value);
      if (kind === Kind.call && isGenerator(value)) return this.#streams.run(value);
      this.#ended(value);
    } catch (error) {
      this.#results.error(error);
    }
    return undefined;
  }

  /** Function 0: it holds handles, and comes with the arguments. */
  #functionOf(id: number, contents: unknown[]): [AnyFunction, unknown[]] {
    if (id === 0) return [callable(contents[0] as AnyFunction), contents[1] as unknown[]];
    const defined = this.#functions.get(id) as Defined;
    if ("error" in defined) throw defined.error;
    return [defined.fn, contents];
  }

  #call(kind: number, fn: AnyFunction, args: unknown[]): unknown {
    switch (kind) {
      case Kind.call:
        return fn(...args);
      case Kind.map:
        return mapChunk(args, fn);
      case Kind.starmap:
        return mapChunk(args, (each) => fn(...(each as unknown[])));
      default:
        return this.#settle(args, fn);
    }
  }

  #settle(items: unknown[], fn: AnyFunction): unknown {
    let stream: ItemStream | undefined;
    return settleChunk(items, fn, {
      origin: this.#results.origin,
      isWanted: () => !(stream?.isUnread ?? this.#results.isUnread()),
      stream: (outcomes, generator) => (stream ??= this.#streams.begin()).sendInChunk(outcomes, generator),
    });
  }

  async #later(promise: PromiseLike<unknown>): Promise<void> {
    try {
      const value = await promise;
      if (isGenerator(value)) return await this.#streams.run(value);
      this.#ended(value);
    } catch (error) {
      this.#results.error(error);
    }
  }

  #ended(value: unknown): void {
    if (value instanceof Outcomes) this.#results.outcomes(Kind.settled, value);
    else this.#results.value(value);
  }
}

/** A class is called with `new`. */
function callable(fn: AnyFunction): AnyFunction {
  return isClass(fn) ? (...args) => Reflect.construct(fn, args) as unknown : fn;
}

/** The target of a worker's process, which imports it from here. */
export async function runWorker(start: WorkerStart): Promise<void> {
  // Ctrl-C reaches the whole process group; what becomes of the pool is the program's to decide.
  process.on("SIGINT", () => {});
  const loop = new WorkerLoop(start);
  if (start.initializer !== undefined) {
    try {
      await (start.initializer as AnyFunction)(...start.initArgs);
    } catch (error) {
      loop.broken(error);
      process.exit(1);
    }
  }
  loop.ready();
  await loop.run();
  // Handles that tasks have left open do not keep a worker.
  process.exit(0);
}
