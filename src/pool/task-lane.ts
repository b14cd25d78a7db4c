/** The pool's side of a worker's tasks lane: puts tasks into it, takes back what has not begun, and knows what is in it. */

import { arena, type Extent } from "../memory/index.ts";
import type { BookedFunction } from "./function-book.ts";
import { LaneReader, LaneWriter, letGo, MIN_ROOM } from "./lane.ts";
import { type Task, writeBytes, writeContents } from "./task.ts";
import { TasksInHand } from "./tasks-in-hand.ts";
import { Kind, MAX_TASKS, TASK_HEADER, Word } from "./worker-cell.ts";

export class TaskLane {
  /** Those that are not known to have ended. */
  readonly tasks: TasksInHand = new TasksInHand(MAX_TASKS);
  readonly #extent: Extent;
  readonly #base: number;
  readonly #lane: LaneWriter;
  /** Functions that the worker has. */
  readonly #known = new Set<number>();
  #number = 0;
  /** How far the worker had read when it was seen to be stuck. */
  #stuckAt: number | undefined;

  /** @param base Where the words of the worker's cell begin. */
  constructor(extent: Extent, base: number) {
    this.#extent = extent;
    this.#base = base;
    this.#lane = new LaneWriter(extent, base + Word.tasksTail, base + Word.tasksHead);
  }

  get hasRoom(): boolean {
    return this.tasks.size < MAX_TASKS && this.#lane.room >= 4 * MIN_ROOM;
  }

  /** True from `setStuck` until the worker reads on. */
  get isStuck(): boolean {
    if (this.#stuckAt !== undefined && this.#stuckAt !== this.#head) this.#stuckAt = undefined;
    return this.#stuckAt !== undefined;
  }

  /** The worker does not read. */
  setStuck(): void {
    this.#stuckAt = this.#head;
  }

  /** How many tasks have not begun. */
  get waiting(): number {
    return Math.max(0, (this.#number - this.#turn) | 0);
  }

  /** The first task that has not begun. */
  get next(): Task | undefined {
    const turn = this.#turn;
    for (const task of this.tasks) if (!hasBegun(task, turn)) return task;
    return undefined;
  }

  /** How many tasks have not begun, without the one that it begins next if none runs. */
  get surplus(): number {
    return Math.min(this.waiting, this.tasks.size - 1);
  }

  /** The last of the tasks that have begun and are not known to have ended: the one that runs, or generators that wait for their consumers. */
  get current(): Task | undefined {
    const turn = this.#turn;
    let last: Task | undefined;
    for (const task of this.tasks) {
      if (!hasBegun(task, turn)) break;
      last = task;
    }
    return last;
  }

  /** The tasks that have begun and are not known to have ended. */
  get begun(): Task[] {
    const turn = this.#turn;
    return [...this.tasks].filter((task) => hasBegun(task, turn));
  }

  /** Puts a task into the lane. @throws {SerializationError} If what it holds cannot travel; nothing is sent. */
  give(task: Task): void {
    this.#teach(task.fn);
    const lane = this.#lane;
    lane.begin(task.kind);
    lane.view.setUint32(lane.position, task.fn.id, true);
    lane.position += TASK_HEADER;
    try {
      if (task.bytes !== undefined) writeBytes(lane, task.bytes);
      else task.taken = writeContents(lane, task);
    } catch (error) {
      lane.abort();
      throw error;
    }
    task.number = this.#number;
    this.tasks.push(task);
    task.written = lane.commit();
    this.#number = (this.#number + 1) | 0;
  }

  /** Takes back all tasks that have not begun, in their order. */
  takeBack(): Task[] {
    const { words } = arena();
    const end = this.#number;
    let turn: number;
    do {
      turn = this.#turn;
      if (turn === end) return [];
    } while (Atomics.compareExchange(words, this.#base + Word.turn, turn, end) !== turn);
    const taken: Task[] = [];
    for (let task = this.tasks.last; task !== undefined && !hasBegun(task, turn); task = this.tasks.last) {
      this.tasks.pop();
      this.keepContents(task);
      taken.push(task);
    }
    return taken.reverse();
  }

  /** Copies what a task holds out of the lane. */
  keepContents(task: Task): void {
    this.keepCopy(task);
    if (task.written === undefined) return;
    task.contents = undefined;
    letGo(task.written);
    task.written = undefined;
  }

  /** Keeps what a task holds for another try, beside what is in the lane. */
  keepCopy(task: Task): void {
    const { written } = task;
    if (task.bytes !== undefined || written === undefined) return;
    const start = written.start + TASK_HEADER;
    task.bytes = this.#lane.copy({ ...written, start, length: written.length - TASK_HEADER });
  }

  /** Takes out the task of that number, which has ended. */
  end(number: number): Task | undefined {
    const task = this.tasks.take(number);
    if (task === undefined) return undefined;
    task.taken = undefined;
    if (task.written !== undefined) letGo(task.written);
    task.written = undefined;
    task.stream?.free();
    task.stream = undefined;
    return task;
  }

  /** Tells the worker that a function is not used any more. */
  forget(id: number): void {
    if (!this.#known.delete(id) || !this.#lane.begin(Kind.forget)) return;
    this.#lane.view.setUint32(this.#lane.position, id, true);
    this.#lane.position += 8;
    this.#lane.commit();
  }

  /** Tells the worker to end when it has come so far. @returns false when there is no room to say it. */
  close(): boolean {
    if (!this.#lane.begin(Kind.close)) return false;
    this.#lane.commit();
    return true;
  }

  /** Gives back what the records hold that the dead worker has not read. */
  drop(): void {
    new LaneReader(this.#extent, this.#base + Word.tasksTail, this.#base + Word.tasksHead).drop();
  }

  /** Sends a function that the worker does not have yet. */
  #teach(fn: BookedFunction): void {
    if (fn.id === 0 || this.#known.has(fn.id)) return;
    this.#lane.begin(Kind.define);
    this.#lane.view.setUint32(this.#lane.position, fn.id, true);
    this.#lane.position += 8;
    writeBytes(this.#lane, fn.bytes);
    letGo(this.#lane.commit());
    this.#known.add(fn.id);
  }

  /** Bytes that the worker has read. */
  get #head(): number {
    return Atomics.load(arena().words, this.#base + Word.tasksHead);
  }

  /** The number of the next task to begin. */
  get #turn(): number {
    return Atomics.load(arena().words, this.#base + Word.turn);
  }
}

/** @param turn The number of the next task to begin; numbers go round. */
function hasBegun({ number }: Task, turn: number): boolean {
  return ((turn - number) | 0) > 0;
}
