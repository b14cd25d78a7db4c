/** A worker as its pool sees it: its process, and the memory that both share. */

import { fromModule } from "../capture/index.ts";
import { ownModule } from "../core/own-modules.ts";
import { clearTimeout, performance, setTimeout } from "../core/timers.ts";
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
import { type CheckedOptions, checkOptions } from "../process/process-options.ts";
import { warmForWorkers } from "../process/spares.ts";
import { expectChild, startChild } from "../process/start-child.ts";
import { ringDoorbell } from "../wait/index.ts";
import type { Failure } from "./events.ts";
import { LANE_BYTES } from "./lane.ts";
import type { CheckedPoolOptions } from "./pool-options.ts";
import { ResultLane, type ResultListener } from "./result-lane.ts";
import { StreamCredit } from "./stream-credit.ts";
import type { Task } from "./task.ts";
import { TaskLane } from "./task-lane.ts";
import type { TasksInHand } from "./tasks-in-hand.ts";
import { CELL_BYTES, monotonicNow, Word, WorkerState } from "./worker-cell.ts";
import type { runWorker, WorkerStart } from "./worker-loop.ts";

/** What a worker tells its pool. */
export interface WorkerListener {
  ended(worker: PoolWorker, task: Task, duration: number, failure: Failure | undefined): void;
  died(worker: PoolWorker, exit: Exit): void;
}

/** From the polite signal to the other one. */
const GRACE_MS = 1000;

const target = fromModule<typeof runWorker>(ownModule("pool/worker-loop.js"), "runWorker");

/** Has a process come up for a worker that will be started in a moment. @returns The options of that process. */
export function expectWorker(options: CheckedPoolOptions): CheckedOptions {
  const checked = checkOptions(processOptions(options));
  // With an initializer the start may be refused, and nothing is to be started then.
  if (options.initializer === undefined) expectChild(checked);
  return checked;
}

export class PoolWorker implements ResultListener {
  readonly link: ChildLink;
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
  failure: Failure | undefined;
  /** The pool has noticed that it is ready. */
  wasReady = false;
  readonly #listener: WorkerListener;
  readonly #base: number;
  readonly #cell: Cell;
  readonly #extents: readonly [tasks: Extent, results: Extent];
  readonly #refs: readonly BlockRef[];
  readonly #lane: TaskLane;
  readonly #results: ResultLane;

  constructor(name: string, number: number, options: CheckedPoolOptions, listener: WorkerListener) {
    // Its process comes up while the memory is made, and what a program's first worker loads for that is loaded.
    const checked = expectWorker(options);
    this.#listener = listener;
    this.#cell = allocateCell(CELL_BYTES);
    this.#base = this.#cell.word;
    const tasks = allocateExtent(LANE_BYTES);
    const results = allocateExtent(LANE_BYTES);
    this.#extents = [tasks, results];
    this.#lane = new TaskLane(tasks, this.#base);
    this.#results = new ResultLane(results, this.#base, this.#lane, this);
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

  /** The tasks in its lane, in the order in which it runs them. */
  get tasks(): TasksInHand {
    return this.#lane.tasks;
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
    return this.tasks.size === 0 && !this.ready && this.failure === undefined && this.hasRoom;
  }

  /** True when another task can be given to it. */
  get hasRoom(): boolean {
    return !this.dead && !this.retiring && this.#lane.hasRoom;
  }

  /** Tasks in the lane that have not begun. */
  get waiting(): number {
    return this.#lane.waiting;
  }

  /** Tasks that others may take: those that have not begun, but for one that it begins now or has ended just now. */
  get surplus(): number {
    return this.ready ? this.#lane.surplus : this.waiting;
  }

  /** The first task that has not begun. */
  get next(): Task | undefined {
    return this.#lane.next;
  }

  /** True for one that does not begin what it is given, from when that was noticed until it goes on. */
  get isStuck(): boolean {
    return this.#lane.isStuck;
  }

  /** It has not begun for long what it was given: it was stopped, say, or loads a large module. */
  setStuck(): void {
    this.#lane.setStuck();
  }

  /** The last task that has begun and is not known to have ended. */
  get current(): Task | undefined {
    return this.#lane.current;
  }

  /** True for a generator that lets others run: it waits for its consumer, or for its turn then. */
  isAside({ number, stream }: Task): boolean {
    return stream !== undefined && this.#word(Word.running) !== number;
  }

  /** The tasks that have begun and are not known to have ended. */
  get begun(): Task[] {
    return this.#lane.begun;
  }

  /** Milliseconds since the last task to begin began. */
  get runningMs(): number {
    return monotonicNow() - (arena().doubles[(this.#base + Word.startedAt) / 2] as number);
  }

  /** Milliseconds since a task of its lane began; 0 for one that is not known to run. */
  ranMs(task: Task): number {
    if (task.stream !== undefined) return monotonicNow() - task.stream.startedAt;
    return task === this.current ? this.runningMs : 0;
  }

  /**
   * Milliseconds since its lane has moved: since the last task to begin began, or since the next one came, if that was later. A worker
   * that had nothing to do may need a moment to begin.
   */
  get stillMs(): number {
    const waitingMs = performance.now() - (this.next?.queuedAt ?? 0);
    return Math.min(this.runningMs, waitingMs);
  }

  get asleep(): boolean {
    return this.#word(Word.asleep) === 1;
  }

  get hasResults(): boolean {
    return !this.#results.isEmpty;
  }

  /** From now on the worker rings for nothing: the pool looks by itself. */
  set polled(isPolled: boolean) {
    Atomics.store(arena().words, this.#base + Word.polled, isPolled ? 1 : 0);
  }

  /** Puts a task into the lane. @throws {SerializationError} If what it holds cannot travel; nothing is sent. */
  give(task: Task): void {
    this.#lane.give(task);
    this.given += 1;
    if (task.retries > 0) this.#lane.keepCopy(task);
    this.#wake();
  }

  /** Takes back all tasks that have not begun, in their order. */
  takeBack(): Task[] {
    const tasks = this.#lane.takeBack();
    this.given -= tasks.length;
    return tasks;
  }

  /** Takes out all tasks of a worker that is dead. */
  drain(): Task[] {
    const tasks = this.tasks.drain();
    for (const task of tasks) {
      this.#lane.keepContents(task);
      task.stream = undefined;
    }
    return tasks;
  }

  /** Tells the worker that a function is not used any more. */
  forget(id: number): void {
    if (!this.dead) this.#lane.forget(id);
  }

  /** Lets the worker end when it has done what is in its lane. */
  close(): void {
    if (this.retiring || this.dead) return;
    this.retiring = true;
    if (this.#lane.close()) this.#wake();
    else this.link.signal("SIGTERM");
  }

  /** Ends the worker: asked first, then forced. */
  end(): void {
    this.retiring = true;
    if (this.link.signal("SIGTERM")) this.#killSoon();
  }

  /** Takes what is in the results lane. @returns how many there were. */
  read(): number {
    const count = this.#results.read();
    if (count > 0 && !this.dead && this.#word(Word.needsRoom) === 1) this.#wake();
    return count;
  }

  ended(task: Task, duration: number, failure: Failure | undefined): void {
    this.done += 1;
    this.busyMs += duration;
    this.#listener.ended(this, task, duration, failure);
  }

  broken(error: unknown): void {
    this.failure = { error };
    // It ends by itself; whatever its exit handlers do, nobody waits for them for long.
    this.#killSoon();
  }

  streams(task: Task, place: number, startedAt: number): void {
    task.stream = new StreamCredit(this.#base + Word.streams + place, startedAt, () => this.#wake());
  }

  /** Tells the worker that nobody wants more of a task that has begun. */
  stopStream(task: Task): void {
    if (task.stream !== undefined) return task.stream.stop();
    if (this.dead || this.current !== task) return;
    Atomics.store(arena().words, this.#base + Word.unwanted, (task.number + 1) | 0);
    this.#wake();
  }

  /** Rings if the worker sleeps. */
  #wake(): void {
    if (this.#word(Word.asleep) === 1 && Atomics.exchange(arena().words, this.#base + Word.asleep, 0) === 1) {
      ringDoorbell(this.#word(Word.slot));
    }
  }

  #killSoon(): void {
    const timer = setTimeout(() => this.link.signal("SIGKILL"), GRACE_MS);
    timer.unref();
    this.link.onExit(() => clearTimeout(timer));
  }

  #word(word: number): number {
    return Atomics.load(arena().words, this.#base + word);
  }

  #exited(exit: Exit): void {
    // What it published before counts.
    this.read();
    this.dead = true;
    this.#results.close();
    this.#listener.died(this, exit);
    this.#results.drop();
    this.#lane.drop();
    this.#release();
  }

  #release(): void {
    if (this.isBooting) for (const ref of this.#refs) retractRef(ref);
    for (const extent of this.#extents) extent.release();
    this.#cell.release();
  }
}

function processOptions({ maxMemory, method }: CheckedPoolOptions): object {
  return { ...(maxMemory === undefined ? {} : { maxMemory }), ...(method === undefined ? {} : { method }) };
}
