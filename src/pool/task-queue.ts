/** The tasks that no worker has. */

import type { Task } from "./task.ts";

/** Places of deleted tasks that may stay before they are swept out. */
const MAX_HOLES = 64;

/**
 * First in, first out; what was taken back goes to the front. Deleting takes the same time wherever a task is: it says of
 * itself whether it is queued, and its place is swept out later.
 */
export class TaskQueue implements Iterable<Task> {
  #front: Task[] = [];
  #items: (Task | undefined)[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(task: Task): void {
    this.#enter(task);
    this.#items.push(task);
  }

  unshift(task: Task): void {
    this.#enter(task);
    this.#front.push(task);
  }

  shift(): Task | undefined {
    for (let task = this.#next(); task !== undefined; task = this.#next()) {
      if (!task.queued) continue;
      this.#leave(task);
      return task;
    }
    return undefined;
  }

  /** Nothing happens if it is not there. A deleted task does not come back. */
  delete(task: Task): void {
    if (!task.queued) return;
    this.#leave(task);
    const places = this.#front.length + this.#items.length - this.#head;
    if (places - this.#size > MAX_HOLES + this.#size) this.#sweep();
  }

  drain(): Task[] {
    const all = [...this];
    for (const task of all) this.#leave(task);
    this.#sweep();
    return all;
  }

  *[Symbol.iterator](): Iterator<Task> {
    for (let i = this.#front.length - 1; i >= 0; i--) {
      const task = this.#front[i] as Task;
      if (task.queued) yield task;
    }
    for (let i = this.#head; i < this.#items.length; i++) {
      const task = this.#items[i] as Task;
      if (task.queued) yield task;
    }
  }

  #enter(task: Task): void {
    task.queued = true;
    this.#size += 1;
  }

  #leave(task: Task): void {
    task.queued = false;
    this.#size -= 1;
  }

  /** What is in the first place, deleted or not. */
  #next(): Task | undefined {
    const first = this.#front.pop();
    if (first !== undefined) return first;
    if (this.#head === this.#items.length) return undefined;
    const task = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return task;
  }

  #sweep(): void {
    this.#front = this.#front.filter(({ queued }) => queued);
    this.#items = this.#items.slice(this.#head).filter((task) => (task as Task).queued);
    this.#head = 0;
  }
}
