/** The tasks that no worker has. */

import type { Task } from "./task.ts";

/** First in, first out; what was taken back goes to the front. */
export class TaskQueue implements Iterable<Task> {
  #front: Task[] = [];
  #items: (Task | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#front.length + this.#items.length - this.#head;
  }

  push(task: Task): void {
    this.#items.push(task);
  }

  unshift(task: Task): void {
    this.#front.push(task);
  }

  shift(): Task | undefined {
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

  delete(task: Task): void {
    const inFront = this.#front.indexOf(task);
    if (inFront !== -1) return void this.#front.splice(inFront, 1);
    const at = this.#items.indexOf(task, this.#head);
    if (at !== -1) this.#items.splice(at, 1);
  }

  keep(isKept: (task: Task) => boolean): void {
    this.#front = this.#front.filter(isKept);
    this.#items = this.#items.slice(this.#head).filter((task) => isKept(task as Task));
    this.#head = 0;
  }

  drain(): Task[] {
    const all = [...this];
    this.#front = [];
    this.#items = [];
    this.#head = 0;
    return all;
  }

  *[Symbol.iterator](): Iterator<Task> {
    for (let i = this.#front.length - 1; i >= 0; i--) yield this.#front[i] as Task;
    for (let i = this.#head; i < this.#items.length; i++) yield this.#items[i] as Task;
  }
}
