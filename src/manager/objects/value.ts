import { checkFunction } from "../../core/options.ts";
import {
  type ElementKind,
  elementKind,
  type ElementName,
  type ElementOf,
  type ElementType,
} from "../../shared/element-types.ts";

/** One number; each operation is atomic. What does not fit the type is refused. */
export class ManagedValue<T extends ElementType = ElementType> {
  readonly #kind: ElementKind;
  #value: ElementOf<T>;

  constructor(type: T, value?: ElementOf<T>) {
    this.#kind = elementKind(type);
    if (value !== undefined) this.#kind.check("value", value);
    this.#value = value ?? (this.#kind.zero as ElementOf<T>);
  }

  /** The number. */
  get(): ElementOf<T> {
    return this.#value;
  }

  /** Writes a number. @throws {RangeError} If it does not fit the type. */
  set(value: ElementOf<T>): void {
    this.#kind.check("value", value);
    this.#value = value;
  }

  /** The name of the type: `"int32"`. */
  type(): ElementName {
    return this.#kind.name;
  }

  /** Adds; gives the value before. */
  add(amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.exchange(((this.#value as number) + (amount as number)) as ElementOf<T>);
  }

  /** Subtracts; gives the value before. */
  sub(amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.exchange(((this.#value as number) - (amount as number)) as ElementOf<T>);
  }

  /** Writes a value; gives the one before. */
  exchange(value: ElementOf<T>): ElementOf<T> {
    const before = this.#value;
    this.set(value);
    return before;
  }

  /** Writes `value` if it holds `expected`; gives the value before. */
  compareExchange(expected: ElementOf<T>, value: ElementOf<T>): ElementOf<T> {
    this.#kind.check("expected", expected);
    this.#kind.check("value", value);
    const before = this.#value;
    if (Object.is(before, expected)) this.#value = value;
    return before;
  }

  /** Replaces the value by what `fn`, which runs in the manager, makes of it; nothing else happens to it meanwhile. Gives the new one. */
  async update(fn: (value: ElementOf<T>) => ElementOf<T> | Promise<ElementOf<T>>): Promise<ElementOf<T>> {
    checkFunction("fn", fn);
    this.set(await fn(this.#value));
    return this.#value;
  }
}
