import { checkFunction } from "../../core/options.ts";
import { type Items, itemsOf } from "./content.ts";
import { isEqual } from "./equal.ts";
import { placeOf } from "./place.ts";

/** A list. Indexes below 0 count from the end. */
export class ManagedList<T = unknown> {
  readonly #items: T[];

  constructor(items: Items<T> = []) {
    this.#items = itemsOf("items", items);
  }

  /** The item; undefined if there is no such index. */
  at(index: number): T | undefined {
    return this.#items.at(index);
  }

  /** As `at`. */
  get(index: number): T | undefined {
    return this.#items.at(index);
  }

  /** Replaces an item. @throws {RangeError} If there is no such index; names it. */
  set(index: number, item: T): void {
    this.#items[this.#check(index)] = item;
  }

  /** How many items there are. */
  length(): number {
    return this.#items.length;
  }

  /** Adds items at the end; gives the new length. */
  push(...items: T[]): number {
    return this.#items.push(...items);
  }

  /** Adds all items of an iterable, or of another list, at the end; gives the new length. */
  extend(items: Items<T>): number {
    for (const item of itemsOf("items", items)) this.#items.push(item);
    return this.#items.length;
  }

  /** Removes the last item, or the one at `index`, and gives it; undefined if the list is empty. */
  pop(index?: number): T | undefined {
    if (index === undefined) return this.#items.pop();
    return this.#items.splice(this.#check(index), 1)[0];
  }

  /** Removes the first item and gives it; undefined if the list is empty. */
  shift(): T | undefined {
    return this.#items.shift();
  }

  /** Adds items at the beginning; gives the new length. */
  unshift(...items: T[]): number {
    return this.#items.unshift(...items);
  }

  /** Puts an item in before `index`. */
  insert(index: number, item: T): void {
    this.#items.splice(index, 0, item);
  }

  /** Removes the first item that is equal, as for `indexOf`; gives false if there is none. */
  remove(item: T): boolean {
    const index = this.indexOf(item);
    if (index !== -1) this.#items.splice(index, 1);
    return index !== -1;
  }

  /** As `splice` of an array: removes and inserts items; gives those removed. */
  splice(start: number, deleteCount?: number, ...items: T[]): T[] {
    return deleteCount === undefined ? this.#items.splice(start) : this.#items.splice(start, deleteCount, ...items);
  }

  /** A copy of a part, as `slice` of an array. */
  slice(start?: number, end?: number): T[] {
    return this.#items.slice(start, end);
  }

  /** A copy with more items, as `concat` of an array. */
  concat(...others: (T | T[])[]): T[] {
    return this.#items.concat(...others);
  }

  /** Where the first item is that is equal, from an index on; -1 if there is none. Objects are equal if what is in them is. */
  indexOf(item: T, from: number = 0): number {
    const start = from < 0 ? from + this.#items.length : from;
    return this.#items.findIndex((each, i) => i >= start && isEqual(each, item));
  }

  /** True if an item is equal, as for `indexOf`. */
  includes(item: T): boolean {
    return this.indexOf(item) !== -1;
  }

  /** How many items are equal, as for `indexOf`. */
  count(item: T): number {
    return this.#items.filter((each) => isEqual(each, item)).length;
  }

  /** Turns the order round. */
  reverse(): void {
    this.#items.reverse();
  }

  /** Sorts as `Array.prototype.sort`; the comparing function runs in the manager. */
  sort(compare?: (a: T, b: T) => number): void {
    if (compare !== undefined) checkFunction("compare", compare);
    this.#items.sort(compare);
  }

  /** Replaces items by one, as `fill` of an array. */
  fill(item: T, start?: number, end?: number): void {
    this.#items.fill(item, start, end);
  }

  /** Removes all items. */
  clear(): void {
    this.#items.length = 0;
  }

  /** A copy of it. */
  toArray(): T[] {
    return this.#items;
  }

  /** Replaces an item by what `fn`, which runs in the manager, makes of it; no other call is served meanwhile. Gives the new one. */
  async update(index: number, fn: (item: T) => T | Promise<T>): Promise<T> {
    checkFunction("fn", fn);
    const at = this.#check(index);
    const item = await fn(this.#items[at] as T);
    this.#items[at] = item;
    return item;
  }

  /**
   * Runs `fn` in the manager with the array itself, atomically: no other call to this list is served until it has returned
   * (and until its promise, if it gives one, is settled). Gives what `fn` gives.
   */
  use<R>(fn: (items: T[]) => R): R {
    checkFunction("fn", fn);
    return fn(this.#items);
  }

  #check(index: number): number {
    return placeOf(index, this.#items.length);
  }
}
