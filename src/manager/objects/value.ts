import { checkFunction } from "../../core/options.ts";
import {
  type ElementKind,
  elementKind,
  type ElementName,
  type ElementOf,
  type ElementType,
} from "../../shared/element-types.ts";
import { elementsOf } from "./elements.ts";

/** One number; each operation is atomic. What does not fit the type is refused. */
export class ManagedValue<T extends ElementType = ElementType> {
  readonly #kind: ElementKind;
  /** One element of the type, which rounds what a float32 cannot hold. */
  readonly #cell: ElementOf<T>[];

  constructor(type: T, value?: ElementOf<T>) {
    this.#kind = elementKind(type);
    this.#cell = elementsOf(this.#kind, 1);
    if (value !== undefined) this.set(value);
  }

  /** The number. */
  get(): ElementOf<T> {
    return this.#cell[0] as ElementOf<T>;
  }

  /** Writes a number. @throws {RangeError} If it does not fit the type. */
  set(value: ElementOf<T>): void {
    this.#kind.check("value", value);
    this.#cell[0] = value;
  }

  /** The name of the type: `"int32"`. */
  type(): ElementName {
    return this.#kind.name;
  }

  /** Adds; gives the value before. */
  add(amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.exchange(((this.get() as number) + (amount as number)) as ElementOf<T>);
  }

  /** Subtracts; gives the value before. */
  sub(amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.exchange(((this.get() as number) - (amount as number)) as ElementOf<T>);
  }

  /** Writes a value; gives the one before. */
  exchange(value: ElementOf<T>): ElementOf<T> {
    const before = this.get();
    this.set(value);
    return before;
  }

  /** Writes `value` if it holds `expected`; gives the value before. */
  compareExchange(expected: ElementOf<T>, value: ElementOf<T>): ElementOf<T> {
    this.#kind.check("expected", expected);
    this.#kind.check("value", value);
    const before = this.get();
    this.#cell[0] = expected;
    this.#cell[0] = Object.is(this.get(), before) ? value : before;
    return before;
  }

  /** Replaces the value by what `fn`, which runs in the manager, makes of it; nothing else happens to it meanwhile. Gives the new one. */
  async update(fn: (value: ElementOf<T>) => ElementOf<T> | Promise<ElementOf<T>>): Promise<ElementOf<T>> {
    checkFunction("fn", fn);
    this.set(await fn(this.get()));
    return this.get();
  }
}
