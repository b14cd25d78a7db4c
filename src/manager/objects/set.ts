import { checkFunction, typeError } from "../../core/options.ts";
import { type Items, itemsOf } from "./content.ts";

/** A set of primitive values. */
export class ManagedSet<T = unknown> {
  readonly #set = new Set<T>();

  constructor(values: Items<T> = []) {
    this.addAll(values);
  }

  /** Adds a value; gives false if it was there already. */
  add(value: T): boolean {
    checkValue(value);
    const { size } = this.#set;
    return this.#set.add(value).size > size;
  }

  /** Adds all, or none if one cannot be added. */
  addAll(values: Items<T>): void {
    const list = itemsOf("values", values);
    for (const value of list) checkValue(value);
    for (const value of list) this.#set.add(value);
  }

  /** True if the value is there. */
  has(value: T): boolean {
    return this.#set.has(value);
  }

  /** Removes a value; gives false if it was not there. */
  delete(value: T): boolean {
    return this.#set.delete(value);
  }

  /** Removes some value and gives it; undefined if there is none. */
  pop(): T | undefined {
    for (const value of this.#set) {
      this.#set.delete(value);
      return value;
    }
    return undefined;
  }

  /** How many values there are. */
  size(): number {
    return this.#set.size;
  }

  /** Removes all values. */
  clear(): void {
    this.#set.clear();
  }

  /** The values, in the order in which they were added. */
  values(): T[] {
    return [...this.#set];
  }

  /** A copy of the values, in the order in which they were added. */
  toArray(): T[] {
    return [...this.#set];
  }

  /** A copy of it, as a Set. */
  toSet(): Set<T> {
    return this.#set;
  }

  /** Runs `fn` in the manager with the Set itself; no other call to it is served meanwhile. */
  use<R>(fn: (set: Set<T>) => R): R {
    checkFunction("fn", fn);
    return fn(this.#set);
  }
}

function checkValue(value: unknown): void {
  if ((typeof value === "object" && value !== null) || typeof value === "function") {
    throw typeError("value", "a primitive value (a string, a number …)", value);
  }
}
