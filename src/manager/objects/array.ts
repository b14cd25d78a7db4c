import { checkFunction, checkInteger, rangeError } from "../../core/options.ts";
import {
  type ElementKind,
  elementKind,
  type ElementName,
  type ElementOf,
  type ElementType,
} from "../../shared/element-types.ts";
import { type Items, itemsOf } from "./content.ts";
import { elementsOf } from "./elements.ts";
import { placeOf } from "./place.ts";

/** Numbers of one type; the length is fixed. Indexes below 0 count from the end. What does not fit is refused. */
export class ManagedArray<T extends ElementType = ElementType> {
  readonly #kind: ElementKind;
  readonly #values: ElementOf<T>[];

  /** @param values The values, or how many zeros. */
  constructor(type: T, values: number | Items<ElementOf<T>>) {
    this.#kind = elementKind(type);
    if (typeof values === "number") {
      checkInteger("length", values, 0, 2 ** 32 - 1);
      this.#values = elementsOf(this.#kind, values);
    } else {
      const list = itemsOf("values", values);
      list.forEach((value, i) => this.#kind.check(`values[${i}]`, value));
      this.#values = elementsOf(this.#kind, list.length);
      for (const [i, value] of list.entries()) this.#values[i] = value;
    }
  }

  /** How many numbers there are. */
  length(): number {
    return this.#values.length;
  }

  /** The name of the type: `"int32"`. */
  type(): ElementName {
    return this.#kind.name;
  }

  /** The number at an index. @throws {RangeError} If there is no such index. */
  get(index: number): ElementOf<T> {
    return this.#values[this.#check(index)] as ElementOf<T>;
  }

  /** As `get`, but undefined if there is no such index. */
  at(index: number): ElementOf<T> | undefined {
    return this.#values.at(index);
  }

  /** Writes a number. @throws {RangeError} If there is no such index, or the value does not fit. */
  set(index: number, value: ElementOf<T>): void {
    this.#kind.check("value", value);
    this.#values[this.#check(index)] = value;
  }

  /** Adds to an element; gives its value before. */
  add(index: number, amount: ElementOf<T>): ElementOf<T> {
    const before = this.get(index);
    this.#kind.check("amount", amount);
    this.set(index, ((before as number) + (amount as number)) as ElementOf<T>);
    return before;
  }

  /** Writes several values, from `index` on. */
  setAll(index: number, values: Items<ElementOf<T>>): void {
    const list = itemsOf("values", values);
    list.forEach((value, i) => this.#kind.check(`values[${i}]`, value));
    if (list.length === 0) return;
    const from = this.#check(index);
    if (from + list.length > this.#values.length) {
      throw rangeError("values", `at most ${this.#values.length - from} values from index ${index} on`, list.length);
    }
    for (const [i, value] of list.entries()) this.#values[from + i] = value;
  }

  /** As `fill` of an array. */
  fill(value: ElementOf<T>, start?: number, end?: number): void {
    this.#kind.check("value", value);
    this.#values.fill(value, start, end);
  }

  /** As `slice` of an array. */
  slice(start?: number, end?: number): ElementOf<T>[] {
    return Array.from(this.#values.slice(start, end));
  }

  /** A copy of it. */
  toArray(): ElementOf<T>[] {
    return Array.from(this.#values);
  }

  /** Replaces an element by what `fn`, which runs in the manager, makes of it; nothing else happens meanwhile. Gives the new one. */
  async update(
    index: number,
    fn: (value: ElementOf<T>) => ElementOf<T> | Promise<ElementOf<T>>,
  ): Promise<ElementOf<T>> {
    checkFunction("fn", fn);
    this.set(index, await fn(this.get(index)));
    return this.get(index);
  }

  #check(index: number): number {
    return placeOf(index, this.#values.length);
  }
}
