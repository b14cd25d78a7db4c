/** The tasks in a worker's lane, in the order in which it runs them. */

import type { Task } from "./task.ts";

/**
 * A ring buffer by itself, not a `Map`: the tables that a busy Map leaves behind refer to each other, so that the collector
 * carries dead tasks along from one generation to the next; a third of the pool's time went there.
 *
 * Numbers rise, with gaps where tasks were taken back. A worker runs one task at a time, so results come in order, but for those of
 * generators that wait for their consumers: what is looked for is nearly always the first, or not far behind it.
 */
export class TasksInHand implements Iterable<Task> {
  readonly #slots: (Task | undefined)[];
  readonly #mask: number;
  #head = 0;
  #tail = 0;
  #expectedMs = 0;

  /** @param capacity A power of two. */
  constructor(capacity: number) {
    this.#slots = Array.from({ length: capacity });
    this.#mask = capacity - 1;
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  get first(): Task | undefined {
    return this.#slots[this.#head & this.#mask];
  }

  get last(): Task | undefined {
    return this.size === 0 ? undefined : this.#slots[(this.#tail - 1) & this.#mask];
  }

  /** How long it is expected to take until all are done, in milliseconds. */
  get expectedMs(): number {
    return this.#expectedMs;
  }

  push(task: Task): void {
    task.expectedMs = task.fn.itemMs * task.items;
    this.#expectedMs += task.expectedMs;
    this.#slots[this.#tail++ & this.#mask] = task;
  }

  /** The one of that number. */
  find(number: number): Task | undefined {
    for (let at = this.#head; at < this.#tail; at++) {
      const task = this.#slots[at & this.#mask];
      if (task?.number === number) return task;
    }
    return undefined;
  }

  /** Takes out the one of that number. */
  take(number: number): Task | undefined {
    const task = this.find(number);
    if (task === undefined) return undefined;
    if (task !== this.first) this.#bringToFront(task);
    this.#slots[this.#head & this.#mask] = undefined;
    this.#head += 1;
    this.#lighten(task);
    return task;
  }

  /** Takes out the last. */
  pop(): Task | undefined {
    if (this.size === 0) return undefined;
    const at = --this.#tail & this.#mask;
    const task = this.#slots[at] as Task;
    this.#slots[at] = undefined;
    this.#lighten(task);
    return task;
  }

  includes(task: Task): boolean {
    for (const each of this) if (each === task) return true;
    return false;
  }

  /** Takes out all. */
  drain(): Task[] {
    const all = [...this];
    this.#slots.fill(undefined);
    this.#head = this.#tail = 0;
    this.#expectedMs = 0;
    return all;
  }

  /** Those before it move up. */
  #bringToFront(task: Task): void {
    let each = task;
    for (let at = this.#head; ; at++) {
      const next = this.#slots[at & this.#mask] as Task;
      this.#slots[at & this.#mask] = each;
      if (next === task) return;
      each = next;
    }
  }

  #lighten({ expectedMs }: Task): void {
    // From nothing it starts anew, or the errors of adding and subtracting would gather.
    this.#expectedMs = this.size === 0 ? 0 : this.#expectedMs - expectedMs;
  }

  *[Symbol.iterator](): Iterator<Task> {
    for (let at = this.#head; at < this.#tail; at++) yield this.#slots[at & this.#mask] as Task;
  }
}
