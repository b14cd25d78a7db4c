/** A worker as its pool sees it: its process, its lanes, and the tasks that are in them. */

import { fromModule, mapStack } from "../capture/index.ts";
import { decodeErrorFrom, decodeFrom, decode, decodeError, prepare } from "../codec/index.ts";
import { ownModule } from "../core/own-modules.ts";
import {
  allocateCell,
  allocateExtent,
  arena,
  type BlockRef,
  type Cell,
  type Extent,
  retractRef,
  selfSlot,
} from "../memory/index.ts";
import type { ChildLink, Exit } from "../process/child-link.ts";
import { checkOptions } from "../process/process-options.ts";
import { warmForWorkers } from "../process/spares.ts";
import { expectChild, startChild } from "../process/start-child.ts";
import { ringDoorbell } from "../wait/index.ts";
import type { Failure } from "./events.ts";
import type { BookedFunction } from "./function-book.ts";
import { LANE_BYTES, LaneReader, LaneWriter, letGo, MIN_ROOM } from "./lane.ts";
import type { CheckedPoolOptions } from "./pool-options.ts";
import { type Task, writeBytes, writeContents } from "./task.ts";
import { TasksInHand } from "./tasks-in-hand.ts";
import { CELL_BYTES, Kind, monotonicNow, RESULT_HEADER, TASK_HEADER, Word, WorkerState } from "./worker-cell.ts";
import type { runWorker, WorkerStart } from "./worker-loop.ts";

/** What a worker tells its pool. */
export interface WorkerListener {
  ended(worker: PoolWorker, task: Task, duration: number, failure: Failure | undefined): void;
  died(worker: PoolWorker, exit: Exit): void;
}

/** Tasks in a lane at a time: many, since what has not begun can be taken back. */
const WINDOW = 512;
const MODULES = 1;
/** From the polite signal to the other one. */
const GRACE_MS = 1000;

const target = fromModule<typeof runWorker>(ownModule("pool/worker-loop.js"), "runWorker");

export class PoolWorker {
  readonly link: ChildLink;
  readonly tasks: TasksInHand = new TasksInHand(WINDOW);
  /** Set when no more tasks go to it. */
  retiring = false;
  readonly startedAt: number = performance.now();
  /** Tasks done, and milliseconds spent in them. */
  done = 0;
  busyMs = 0;
  /** Tasks ever given to it and not taken back. */
  given = 0;
  dead = false;
  /** What its initializer has thrown. */
  broken: { readonly error: unknown } | undefined;
  /** The pool has noticed that it is ready. */
  wasReady = false;
  readonly #listener: WorkerListener;
  readonly #base: number;
  readonly #cell: Cell;
  readonly #extents: readonly [Extent, Extent];
  readonly #refs: readonly BlockRef[];
  readonly #tasks: LaneWriter;
  readonly #results: LaneReader;
  readonly #known = new Set<number>();
  #number = 0;

  constructor(name: string, number: number, options: CheckedPoolOptions, listener: WorkerListener) {
    const checked = checkOptions(processOptions(options));
    // Its process comes up while the memory is made, and what a program's first worker loads for that is loaded.
    if (options.initializer === undefined) expectChild(checked);
    this.#listener = listener;
    this.#cell = allocateCell(CELL_BYTES);
    this.#base = this.#cell.word;
    const extents = [allocateExtent(LANE_BYTES), allocateExtent(LANE_BYTES)] as const;
    this.#extents = extents;
    const [tasks, results] = extents;
    this.#tasks = new LaneWriter(tasks, this.#base + Word.tasksTail, this.#base + Word.tasksHead);
    this.#results = new LaneReader(results, this.#base + Word.resultsTail, this.#base + Word.resultsHead);
    const start = {
      cell: this.#cell.refer(),
      tasks: tasks.refer(),
      results: results.refer(),
      poolSlot: selfSlot(),
      initializer: options.initializer,
      initArgs: options.initArgs,
    } satisfies WorkerStart;
    this.#refs = [start.cell, start.tasks, start.results];
    try {
      warmForWorkers();
      const identity = { name: `${name}-worker-${number}`, identity: [number], daemon: true };
      this.link = startChild(identity, { target, args: [start] }, checked);
    } catch (error) {
      this.#release();
      throw error;
    }
    this.link.onExit((exit) => this.#exited(exit));
  }

  get pid(): number {
    return this.link.pid;
  }

  get ready(): boolean {
    return this.#word(Word.state) === WorkerState.ready;
  }

  /** True until its process has come up; what its initializer does may take long, and costs no processor. */
  get isBooting(): boolean {
    return this.#word(Word.state) === WorkerState.booting;
  }

  /** True for one on its way up that nobody has given a task. */
  get isVacant(): boolean {
    return this.tasks.size === 0 && !this.ready && this.broken === undefined && this.hasRoom;
  }

  /** True when another task can be given to it. */
  get hasRoom(): boolean {
    return !this.dead && !this.retiring && this.tasks.size < WINDOW && this.#tasks.room >= 4 * MIN_ROOM;
  }

  /** Tasks in the lane that have not begun. */
  get waiting(): number {
    return Math.max(0, (this.#number - this.#word(Word.turn)) | 0);
  }

  /** The task that runs; the last of those that have begun and are not known to have ended. */
  get current(): Task | undefined {
    const turn = this.#word(Word.turn);
    let last: Task | undefined;
    for (const task of this.tasks) {
      if (!hasBegun(task, turn)) break;
      last = task;
    }
    return last;
  }

  /** The tasks that have begun and are not known to have ended. */
  get begun(): Task[] {
    const turn = this.#word(Word.turn);
    return [...this.tasks].filter((task) => hasBegun(task, turn));
  }

  /** Milliseconds since the current task began. */
  get runningMs(): number {
    return monotonicNow() - (arena().doubles[(this.#base + Word.startedAt) / 2] as number);
  }

  /** Puts a task into the lane. @throws {SerializationError} If what it holds cannot travel; nothing is sent. */
  give(task: Task): void {
    this.#teach(task.fn);
    this.#tasks.begin(task.kind);
    const at = this.#tasks.position;
    this.#tasks.view.setUint32(at, task.fn.id, true);
    this.#tasks.position = at + TASK_HEADER;
    try {
      if (task.bytes !== undefined) writeBytes(this.#tasks, task.bytes);
      else task.taken = writeContents(this.#tasks, task);
    } catch (error) {
      this.#tasks.abort();
      throw error;
    }
    task.number = this.#number;
    this.tasks.push(task);
    task.written = this.#tasks.commit();
    this.#number = (this.#number + 1) | 0;
    this.given += 1;
  }

  get asleep(): boolean {
    return this.#word(Word.asleep) === 1;
  }

  /** Rings if the worker sleeps. */
  wake(): void {
    if (this.#word(Word.asleep) === 1 && Atomics.exchange(arena().words, this.#base + Word.asleep, 0) === 1) {
      ringDoorbell(this.#word(Word.slot));
    }
  }

  /** Takes back all tasks that have not begun, in their order. */
  takeBack(): Task[] {
    const { words } = arena();
    const end = this.#number;
    let turn: number;
    do {
      turn = Atomics.load(words, this.#base + Word.turn);
      if (turn === end) return [];
    } while (Atomics.compareExchange(words, this.#base + Word.turn, turn, end) !== turn);
    const taken: Task[] = [];
    for (let task = this.tasks.last; task !== undefined && !hasBegun(task, turn); task = this.tasks.last) {
      this.tasks.pop();
      this.keepContents(task);
      taken.push(task);
    }
    this.given -= taken.length;
    return taken.reverse();
  }

  /** Copies what a task holds out of the lane. */
  keepContents(task: Task): void {
    const { written } = task;
    if (task.bytes === undefined && written !== undefined) {
      const start = written.start + TASK_HEADER;
      task.bytes = this.#tasks.copy({ ...written, start, length: written.length - TASK_HEADER });
      task.contents = undefined;
    }
    if (written !== undefined) letGo(written);
    task.written = undefined;
  }

  /** Keeps what a task holds for another try, beside what is in the lane. */
  keepCopy(task: Task): void {
    const { written } = task;
    if (task.bytes !== undefined || written === undefined) return;
    const start = written.start + TASK_HEADER;
    task.bytes = this.#tasks.copy({ ...written, start, length: written.length - TASK_HEADER });
  }

  /** Tells the worker that a function is not used any more. */
  forget(id: number): void {
    if (!this.#known.delete(id) || this.dead || !this.#tasks.begin(Kind.forget)) return;
    this.#tasks.view.setUint32(this.#tasks.position, id, true);
    this.#tasks.position += 8;
    this.#tasks.commit();
  }

  /** Lets the worker end when it has done what is in its lane. */
  close(): void {
    if (this.retiring || this.dead) return;
    this.retiring = true;
    if (!this.#tasks.begin(Kind.close)) return void this.link.signal("SIGTERM");
    this.#tasks.commit();
    this.wake();
  }

  /** Ends the worker: asked first, then forced. */
  end(): void {
    this.retiring = true;
    if (this.link.signal("SIGTERM")) this.#killSoon();
  }

  #killSoon(): void {
    const timer = setTimeout(() => this.link.signal("SIGKILL"), GRACE_MS);
    timer.unref();
    this.link.onExit(() => clearTimeout(timer));
  }

  /** From now on the worker rings for nothing: the pool looks by itself. */
  set polled(isPolled: boolean) {
    Atomics.store(arena().words, this.#base + Word.polled, isPolled ? 1 : 0);
  }

  get hasResults(): boolean {
    return !this.dead && !this.#results.isEmpty;
  }

  /** Tells the worker that an item of its stream was taken, or that nobody wants more of task `number`. */
  consumed(): void {
    if (this.dead) return;
    Atomics.add(arena().words, this.#base + Word.streamConsumed, 1);
    this.wake();
  }

  stopStream(task: Task): void {
    if (this.dead || this.current !== task) return;
    Atomics.store(arena().words, this.#base + Word.streamStop, (task.number + 1) | 0);
    this.wake();
  }

  /** Takes what is in the results lane. @returns how many there were. */
  read(): number {
    let count = 0;
    // A listener may block, read again and find the worker dead: what it is told has been taken out before.
    while (!this.dead && this.#results.next()) {
      count += 1;
      this.#readOne();
    }
    if (count > 0 && !this.dead && this.#word(Word.needsRoom) === 1) this.wake();
    return count;
  }

  #readOne(): void {
    const results = this.#results;
    const { kind } = results;
    if (kind === Kind.broken) {
      this.broken = { error: decodeErrorFrom(results, mapStack) };
      results.done();
      // It ends by itself; whatever its exit handlers do, nobody waits for them for long.
      return this.#killSoon();
    }
    const number = results.view.getInt32(results.position, true);
    const duration = results.view.getFloat64(results.position + 8, true);
    results.position += RESULT_HEADER;
    const { first } = this.tasks;
    const task = first?.number === number ? first : undefined;
    const isEnd = kind !== Kind.stream && kind !== Kind.item && kind !== Kind.part;
    if (task !== undefined && isEnd) {
      this.tasks.shift();
      this.done += 1;
      this.busyMs += duration;
      task.taken = undefined;
      task.duration = duration;
      if (task.written !== undefined) letGo(task.written);
      task.written = undefined;
    }
    let outcome: unknown;
    let failed = kind === Kind.error;
    if (((results.bytes[results.position + 1] as number) & MODULES) !== 0 || task?.reading !== undefined) {
      const bytes = results.bytes.slice(results.position, results.limit);
      results.done();
      return this.#readLater(kind, task, bytes, duration);
    }
    try {
      outcome = failed ? decodeErrorFrom(results, mapStack) : decodeFrom(results);
    } catch (error) {
      outcome = error;
      failed = true;
    }
    results.done();
    if (task !== undefined) this.#tell(kind, task, outcome, failed, duration);
  }

  /** What needs modules has to wait for them; what comes of other tasks may overtake it, what comes of the same one may not. */
  #readLater(kind: number, task: Task | undefined, bytes: Uint8Array, duration: number): void {
    if (task === undefined) return;
    const reading = this.#tellAfter(task.reading, bytes, kind, task, duration);
    task.reading = reading;
    void reading.then(() => {
      if (task.reading === reading) task.reading = undefined;
    });
  }

  async #tellAfter(
    before: Promise<void> | undefined,
    bytes: Uint8Array,
    kind: number,
    task: Task,
    duration: number,
  ): Promise<void> {
    let outcome: unknown;
    let failed = kind === Kind.error;
    await before;
    try {
      await prepare(bytes);
      outcome = failed ? decodeError(bytes, mapStack) : decode(bytes);
    } catch (error) {
      outcome = error;
      failed = true;
    }
    this.#tell(kind, task, outcome, failed, duration);
  }

  #tell(kind: number, task: Task, outcome: unknown, failed: boolean, duration: number): void {
    if (kind === Kind.stream) {
      task.isStream = true;
      return task.ended ? this.stopStream(task) : task.listener.stream?.(task);
    }
    if (kind === Kind.item || kind === Kind.part) return this.#tellPart(kind, task, outcome, failed);
    if (!task.ended) {
      task.ended = true;
      if (failed) task.listener.error(outcome, task);
      else task.listener.value(outcome, task);
    }
    this.#listener.ended(this, task, duration, failed ? { error: outcome } : undefined);
  }

  /** What comes of a task before its end. */
  #tellPart(kind: number, task: Task, outcome: unknown, failed: boolean): void {
    if (failed && !task.ended) {
      // It cannot be read here. The worker has to be told, or it would wait for a consumer for ever.
      task.ended = true;
      task.listener.error(outcome, task);
      this.stopStream(task);
    }
    if (task.ended) return kind === Kind.item ? this.consumed() : undefined;
    if (kind === Kind.item) task.listener.item?.(outcome, task);
    else task.listener.part?.(outcome, task);
  }

  /** Sends a function that the worker does not have yet. */
  #teach(fn: BookedFunction): void {
    if (fn.id === 0 || this.#known.has(fn.id)) return;
    this.#tasks.begin(Kind.define);
    this.#tasks.view.setUint32(this.#tasks.position, fn.id, true);
    this.#tasks.position += 8;
    writeBytes(this.#tasks, fn.bytes);
    letGo(this.#tasks.commit());
    this.#known.add(fn.id);
  }

  #word(word: number): number {
    return Atomics.load(arena().words, this.#base + word);
  }

  #exited(exit: Exit): void {
    // What it published before counts.
    this.read();
    this.dead = true;
    this.#listener.died(this, exit);
    this.#results.drop();
    const [tasks] = this.#extents;
    new LaneReader(tasks, this.#base + Word.tasksTail, this.#base + Word.tasksHead).drop();
    this.#release();
  }

  #release(): void {
    if (this.#word(Word.state) === WorkerState.booting) for (const ref of this.#refs) retractRef(ref);
    for (const extent of this.#extents) extent.release();
    this.#cell.release();
  }
}

/** @param turn The number of the next task to begin; numbers go round. */
function hasBegun({ number }: Task, turn: number): boolean {
  return ((turn - number) | 0) > 0;
}

function processOptions({ maxMemory, method }: CheckedPoolOptions): object {
  return { ...(maxMemory === undefined ? {} : { maxMemory }), ...(method === undefined ? {} : { method }) };
}
