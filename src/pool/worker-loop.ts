/**
 * What runs in a worker: takes tasks out of its lane, runs them one after another, puts what came of them into the other lane.
 *
 * As long as functions give plain values nothing is awaited between two tasks; a promise or a generator is. So a worker runs
 * one task at a time, async ones too.
 */

import { decodeFrom, encodeError, encodeErrorTo, encodeTo, needsHandles, prepare } from "../codec/index.ts";
import { HeapSink } from "../core/bytes.ts";
import { inheritance } from "../core/inheritance.ts";
import { loadFacade } from "../core/facade.ts";
import { arena, type BlockRef, openCell, openExtent, selfSlot } from "../memory/index.ts";
import { AdaptiveSpin, keepEventLoop, onDoorbell, ringDoorbell } from "../wait/index.ts";
import { LaneReader, LaneWriter, letGo, MIN_ROOM } from "./lane.ts";
import { Kind, monotonicNow, RESULT_HEADER, Word, WorkerState } from "./worker-cell.ts";

/** What a worker is started with: plain data. */
export interface WorkerStart {
  readonly cell: BlockRef;
  readonly tasks: BlockRef;
  readonly results: BlockRef;
  readonly poolSlot: number;
  readonly initializer: Function | undefined;
  readonly initArgs: readonly unknown[];
}

type AnyFunction = (...args: unknown[]) => unknown;
/** A function, or why it cannot be had. */
type Defined = { readonly fn: AnyFunction } | { readonly error: unknown };

/** Streamed items that may be under way to the pool. */
const STREAM_WINDOW = 64;
const MODULES = 1;
const HANDLES = 2;

/** Does ahead what a worker does first: maps the arena. It takes no slot in it, which is for processes that are told what to run. */
export function preload(): void {
  arena();
}

class WorkerLoop {
  readonly #base: number;
  readonly #tasks: LaneReader;
  readonly #results: LaneWriter;
  readonly #poolSlot: number;
  readonly #functions = new Map<number, Defined>();
  readonly #spin = new AdaptiveSpin();
  readonly #origin = { name: inheritance.name, pid: process.pid };
  #wake: (() => void) | undefined;
  #number = 0;
  #itemsSent = 0;

  constructor({ cell, tasks, results, poolSlot }: WorkerStart) {
    this.#base = openCell(cell).word;
    const { words } = arena();
    words[this.#base + Word.slot] = selfSlot();
    this.#tasks = new LaneReader(openExtent(tasks), this.#base + Word.tasksTail, this.#base + Word.tasksHead);
    this.#results = new LaneWriter(openExtent(results), this.#base + Word.resultsTail, this.#base + Word.resultsHead);
    this.#poolSlot = poolSlot;
    keepEventLoop();
    onDoorbell(() => this.#rung());
    Atomics.store(words, this.#base + Word.state, WorkerState.adopted);
  }

  /** Says that the worker takes tasks. */
  ready(): void {
    Atomics.store(arena().words, this.#base + Word.state, WorkerState.ready);
    ringDoorbell(this.#poolSlot);
  }

  /** Says that the initializer has failed. */
  broken(error: unknown): void {
    this.#results.begin(Kind.broken);
    encodeErrorTo(this.#results, error, this.#origin);
    letGo(this.#results.commit());
    ringDoorbell(this.#poolSlot);
  }

  /** Runs tasks until the pool is closed. */
  async run(): Promise<void> {
    for (;;) {
      while (this.#tasks.next()) {
        const { kind } = this.#tasks;
        if (kind === Kind.close) return;
        if (kind === Kind.define) await this.#define();
        else if (kind === Kind.forget) this.#functions.delete(this.#uint32());
        else {
          const pending = this.#task(kind);
          if (pending !== undefined) await pending;
        }
        this.#tasks.done();
        if (this.#results.room < 2 * MIN_ROOM) await this.#roomForResults();
      }
      if (!this.#spin.until(() => !this.#tasks.isEmpty)) await this.#sleep();
    }
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
      defined = { fn: decodeFrom(this.#tasks) as AnyFunction };
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
    const startedAt = monotonicNow();
    arena().doubles[(this.#base + Word.startedAt) / 2] = startedAt;
    const id = this.#uint32();
    this.#tasks.position += TASK_PADDING;
    if (this.#mustPrepare()) return this.#taskPrepared(kind, id, number, startedAt);
    return this.#start(kind, id, number, startedAt);
  }

  async #taskPrepared(kind: number, id: number, number: number, startedAt: number): Promise<void> {
    try {
      await this.#prepare();
    } catch (error) {
      return this.#failed(number, startedAt, error);
    }
    await this.#start(kind, id, number, startedAt);
  }

  #start(kind: number, id: number, number: number, startedAt: number): Promise<void> | undefined {
    try {
      const contents = decodeFrom(this.#tasks) as unknown[];
      // What the message held is copied: the pool may use its room.
      this.#tasks.done();
      const [fn, args] = this.#functionOf(id, contents);
      const value = this.#call(kind, fn, args, number, startedAt);
      if (isPromise(value)) return this.#later(number, startedAt, value);
      if (kind === Kind.call && isGenerator(value)) return this.#stream(number, startedAt, value);
      this.#ended(number, startedAt, value);
    } catch (error) {
      this.#failed(number, startedAt, error);
    }
    return undefined;
  }

  /** Function 0: it holds handles, and comes with the arguments. */
  #functionOf(id: number, contents: unknown[]): [AnyFunction, unknown[]] {
    if (id === 0) return contents as [AnyFunction, unknown[]];
    const defined = this.#functions.get(id) as Defined;
    if ("error" in defined) throw defined.error;
    return [defined.fn, contents];
  }

  #call(kind: number, fn: AnyFunction, args: unknown[], number: number, startedAt: number): unknown {
    switch (kind) {
      case Kind.call:
        return fn(...args);
      case Kind.map:
        return mapChunk(args, fn);
      case Kind.starmap:
        return mapChunk(args, (each) => fn(...(each as unknown[])));
      default:
        return settleChunk(args, fn, {
          origin: this.#origin,
          isWanted: () => !this.#isUnread(number),
          stream: (outcomes, generator) => this.#streamInChunk(number, startedAt, outcomes, generator),
        });
    }
  }

  async #later(number: number, startedAt: number, promise: PromiseLike<unknown>): Promise<void> {
    try {
      const value = await promise;
      if (isGenerator(value)) return await this.#stream(number, startedAt, value);
      this.#ended(number, startedAt, value);
    } catch (error) {
      this.#failed(number, startedAt, error);
    }
  }

  #ended(number: number, startedAt: number, value: unknown): void {
    if (value instanceof Outcomes) return this.#settled(Kind.settled, number, startedAt, value);
    try {
      this.#put(Kind.value, number, startedAt, () => encodeTo(this.#results, value, { root: "result" }));
    } catch (error) {
      this.#failed(number, startedAt, error);
    }
  }

  #settled(kind: number, number: number, startedAt: number, outcomes: Outcomes): void {
    try {
      this.#put(kind, number, startedAt, () => encodeTo(this.#results, outcomes.list, { root: "result" }));
    } catch (error) {
      if (outcomes.dropUnsendable(this.#origin)) this.#settled(kind, number, startedAt, outcomes);
      else this.#failed(number, startedAt, error);
    }
  }

  #failed(number: number, startedAt: number, error: unknown): void {
    this.#put(Kind.error, number, startedAt, () => encodeErrorTo(this.#results, error, this.#origin));
  }

  #put(kind: number, number: number, startedAt: number, write: () => unknown): void {
    const results = this.#results;
    results.begin(kind);
    results.view.setInt32(results.position, number, true);
    results.view.setFloat64(results.position + 8, monotonicNow() - startedAt, true);
    results.position += RESULT_HEADER;
    try {
      write();
    } catch (error) {
      results.abort();
      throw error;
    }
    letGo(results.commit());
    // The pool says that it will look, then looks; we publish, then ask. So one of both sees the other.
    if (Atomics.load(arena().words, this.#base + Word.polled) === 0) ringDoorbell(this.#poolSlot);
  }

  async #stream(number: number, startedAt: number, generator: AnyGenerator): Promise<void> {
    this.#beginStream(number, startedAt);
    try {
      await this.#sendItems(number, startedAt, generator);
      this.#ended(number, startedAt, undefined);
    } catch (error) {
      this.#failed(number, startedAt, error);
    }
  }

  /** Items of a generator in a chunk: what the chunk's earlier inputs gave goes first. */
  async #streamInChunk(number: number, startedAt: number, outcomes: Outcomes, generator: AnyGenerator): Promise<void> {
    if (!outcomes.isStream) this.#beginStream(number, startedAt);
    outcomes.isStream = true;
    if (outcomes.list.length > 0) this.#settled(Kind.part, number, startedAt, outcomes);
    outcomes.list.length = 0;
    if (this.#results.room < 2 * MIN_ROOM) await this.#roomForResults();
    await this.#sendItems(number, startedAt, generator);
  }

  #beginStream(number: number, startedAt: number): void {
    // Items of an earlier stream that were taken after its end have not been counted.
    this.#itemsSent = Atomics.load(arena().words, this.#base + Word.streamConsumed);
    this.#put(Kind.stream, number, startedAt, () => encodeTo(this.#results, undefined));
  }

  /** Stops when nobody wants more; leaving the loop ends the generator. */
  async #sendItems(number: number, startedAt: number, generator: AnyGenerator): Promise<void> {
    for await (const item of generator) {
      if (this.#isUnread(number)) break;
      if (this.#results.room < 2 * MIN_ROOM) await this.#roomForResults();
      this.#put(Kind.item, number, startedAt, () => encodeTo(this.#results, item, { root: "item" }));
      this.#itemsSent = (this.#itemsSent + 1) | 0;
      while (this.#ahead() >= STREAM_WINDOW && !this.#isUnread(number))
        await this.#sleep(() => this.#ahead() < STREAM_WINDOW || this.#isUnread(number));
      if (this.#isUnread(number)) break;
    }
  }

  #ahead(): number {
    return (this.#itemsSent - Atomics.load(arena().words, this.#base + Word.streamConsumed)) | 0;
  }

  #isUnread(number: number): boolean {
    return Atomics.load(arena().words, this.#base + Word.streamStop) === ((number + 1) | 0);
  }

  async #roomForResults(): Promise<void> {
    const { words } = arena();
    for (;;) {
      Atomics.store(words, this.#base + Word.needsRoom, 1);
      if (this.#results.room >= 2 * MIN_ROOM) break;
      ringDoorbell(this.#poolSlot);
      await this.#sleep(() => this.#results.room >= 2 * MIN_ROOM);
    }
    Atomics.store(words, this.#base + Word.needsRoom, 0);
  }

  /** Until the pool rings, unless there is something to do already. */
  #sleep(isAwaited: () => boolean = () => !this.#tasks.isEmpty): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      // Says that it sleeps, then looks; the pool publishes, then asks.
      Atomics.store(arena().words, this.#base + Word.asleep, 1);
      if (isAwaited()) this.#rung();
    });
  }

  #rung(): void {
    Atomics.store(arena().words, this.#base + Word.asleep, 0);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

const TASK_PADDING = 4;

type AnyGenerator = AsyncIterable<unknown> | Iterable<unknown>;

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}

function isGenerator(value: unknown): value is AnyGenerator {
  if (typeof value !== "object" || value === null) return false;
  const tag: unknown = (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag];
  return tag === "Generator" || tag === "AsyncGenerator";
}

/** In a chunk of `map` a generator's items are gathered. */
async function gather(generator: AnyGenerator): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of generator) items.push(item);
  return items;
}

function mapChunk(items: unknown[], fn: AnyFunction): unknown {
  const values: unknown[] = [];
  for (let i = 0; i < items.length; i++) {
    const value = fn(items[i]);
    if (isPromise(value) || isGenerator(value)) return mapRest(items, fn, values, value);
    values.push(value);
  }
  return values;
}

/** From the first item on that gave something to wait for: one after the other. */
async function mapRest(items: unknown[], fn: AnyFunction, values: unknown[], first: unknown): Promise<unknown[]> {
  values.push(await finish(first));
  for (let i = values.length; i < items.length; i++) values.push(await finish(fn(items[i])));
  return values;
}

async function finish(value: unknown): Promise<unknown> {
  const settled: unknown = await value;
  return isGenerator(settled) ? gather(settled) : settled;
}

/** The outcomes of a chunk's items one by one. */
class Outcomes {
  readonly list: [boolean, unknown][] = [];
  /** Some of them have been sent: there was a generator. */
  isStream = false;

  add(isValue: boolean, value: unknown): void {
    this.list.push([isValue, value]);
  }

  /** Replaces values that cannot travel by the reasons. @returns false when there are none. */
  dropUnsendable(origin: { name: string; pid: number }): boolean {
    let found = false;
    this.list.forEach(([isValue, value], i) => {
      const problem = isValue ? problemOf(value) : undefined;
      if (problem === undefined) return;
      found = true;
      this.list[i] = [false, encodeError(problem, origin)];
    });
    return found;
  }
}

/** Why a value cannot travel. */
function problemOf(value: unknown): unknown {
  try {
    const taken = encodeTo(new HeapSink(), value, { root: "result" });
    for (const transfer of taken?.transfers ?? []) transfer.abort?.();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What a chunk whose outcomes go one by one needs of the loop. */
interface ChunkContext {
  readonly origin: { readonly name: string; readonly pid: number };
  /** False when nobody waits for the chunk any more. */
  isWanted(): boolean;
  /** Sends outcomes, then the items of a generator; throws what it throws. */
  stream(outcomes: Outcomes, generator: AnyGenerator): Promise<void>;
}

function settleChunk(items: unknown[], fn: AnyFunction, context: ChunkContext): unknown {
  const outcomes = new Outcomes();
  for (let i = 0; i < items.length; i++) {
    try {
      const value = fn(items[i]);
      if (isPromise(value) || isGenerator(value)) return settleRest(items, fn, outcomes, value, context);
      outcomes.add(true, value);
    } catch (error) {
      outcomes.add(false, encodeError(error, context.origin));
    }
  }
  return outcomes;
}

async function settleRest(
  items: unknown[],
  fn: AnyFunction,
  outcomes: Outcomes,
  first: unknown,
  context: ChunkContext,
): Promise<Outcomes> {
  const firstIndex = outcomes.list.length;
  for (let i = firstIndex; i < items.length && context.isWanted(); i++) {
    try {
      const value: unknown = await (i === firstIndex ? first : fn(items[i]));
      if (isGenerator(value)) await context.stream(outcomes, value);
      else outcomes.add(true, value);
    } catch (error) {
      outcomes.add(false, encodeError(error, context.origin));
    }
  }
  return outcomes;
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
