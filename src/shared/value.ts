import { StateError } from "../core/errors.ts";
import { defineHandle, type HandleTransfer, registerHandle } from "../core/handle.ts";
import {
  allocateCell,
  arena,
  type BlockRef,
  type Cell,
  forgetObject,
  knownObject,
  openCell,
  rememberObject,
  retractRef,
} from "../memory/index.ts";
import type { RLock } from "../sync/index.ts";
import { type AtomicElements, atomicElements } from "./atomic-elements.ts";
import { type ElementKind, elementKind, type ElementName, type ElementOf, type ElementType } from "./element-types.ts";

import { lockIn, OwnedLock } from "./owned-lock.ts";

const TAG = "Value";

interface Transferred {
  readonly type: ElementName;
  readonly ref: BlockRef;
  readonly lock: RLock;
}

/** A Value that is there already, to make a handle for. */
class Existing {
  readonly kind: ElementKind;
  readonly cell: Cell;
  readonly lock: RLock;

  constructor(kind: ElementKind, cell: Cell, lock: RLock) {
    this.kind = kind;
    this.cell = cell;
    this.lock = lock;
  }
}

/**
 * One number in shared memory, which all processes that have the handle read and write. Every operation is atomic; `lock`
 * is for programs that must do several of them together.
 *
 * What does not fit the type is refused and nothing is written: a TypeError for the wrong type (64-bit integers are bigint,
 * all others number), a RangeError for a number outside the range or a fraction for an integer.
 *
 * @example
 * ```ts
 * import { Process, Value } from "multiproc";
 *
 * const done = new Value("int32", 0);
 * const child = new Process(() => done.add(1)).start();
 * await child.join();
 * console.log(done.value); // 1
 * ```
 */
export class Value<T extends ElementType = ElementType> {
  readonly #kind: ElementKind;
  readonly #cell: Cell;
  readonly #lock: OwnedLock;
  #element: AtomicElements | undefined;

  static {
    defineHandle(Value, (value) => value.#transfer());
  }

  /**
   * @param type The type, as a name or one of Python's letters.
   * @param initial What it holds at first; default 0.
   * @param options `lock`: an RLock to guard it with, which may guard others too; default one of its own.
   */
  constructor(type: T, initial?: ElementOf<T>, options?: { readonly lock?: RLock | undefined });
  constructor(type: T | Existing, initial?: ElementOf<T>, options: { readonly lock?: RLock | undefined } = {}) {
    this.#lock = new OwnedLock(type instanceof Existing ? type.lock : lockIn("Value", options));
    if (type instanceof Existing) {
      this.#kind = type.kind;
      this.#cell = type.cell;
    } else {
      this.#kind = elementKind(type);
      if (initial !== undefined) this.#kind.check("initial", initial);
      this.#cell = allocateCell(8);
    }
    const view = this.#kind.view(arena().words.buffer as ArrayBuffer, this.#cell.offset, 1);
    this.#element = atomicElements(this.#kind, view);
    if (initial !== undefined) this.#element.store(0, initial);
    rememberObject(this.#cell.id, this);
  }

  /** The name of the type; for Python's letters the long one. */
  get type(): ElementName {
    return this.#kind.name;
  }

  /** What it holds now. */
  get value(): ElementOf<T> {
    return this.#open().load(0) as ElementOf<T>;
  }

  set value(value: ElementOf<T>) {
    this.#kind.check("value", value);
    this.#open().store(0, value);
  }

  /** Adds, atomically; gives the value before. A sum that does not fit is refused with a RangeError. */
  add(amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.#open().add(0, amount) as ElementOf<T>;
  }

  /** Subtracts, atomically; gives the value before. A difference that does not fit is refused with a RangeError. */
  sub(amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.#open().sub(0, amount) as ElementOf<T>;
  }

  /** Writes a value and gives the one before, atomically. */
  exchange(value: ElementOf<T>): ElementOf<T> {
    this.#kind.check("value", value);
    return this.#open().exchange(0, value) as ElementOf<T>;
  }

  /** Writes `value` if it holds `expected`, atomically; gives what it held before. */
  compareExchange(expected: ElementOf<T>, value: ElementOf<T>): ElementOf<T> {
    this.#kind.check("expected", expected);
    this.#kind.check("value", value);
    return this.#open().compareExchange(0, expected, value) as ElementOf<T>;
  }

  /** For doing several things together. Reading and writing take no lock, so they work while this one is held. */
  get lock(): RLock {
    return this.#lock.get();
  }

  /** Holds `lock` around `fn`, whatever `fn` does. */
  use<R>(fn: (value: this) => R | Promise<R>): Promise<R> {
    return this.lock.use(() => fn(this));
  }

  /** Like `use`, blocking the thread until it has the lock. */
  useSync<R>(fn: (value: this) => R): R {
    return this.lock.useSync(() => fn(this));
  }

  /** Lets go of the memory, which is freed when no process holds it any more. Repeatable; any other use afterwards throws. */
  close(): void {
    if (this.#element === undefined) return;
    this.#element = undefined;
    forgetObject(this.#cell.id, this);
    this.#cell.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #transfer(): HandleTransfer {
    this.#open();
    const ref = this.#cell.refer();
    const data: Transferred = { type: this.#kind.name, ref, lock: this.lock };
    return { tag: TAG, data, abort: () => retractRef(ref) };
  }

  #open(): AtomicElements {
    if (this.#element === undefined) throw new StateError("Cannot use this Value: it is closed");
    return this.#element;
  }
}

registerHandle(TAG, ({ type, ref, lock }: Transferred) => {
  const cell = openCell(ref);
  const known = knownObject(cell.id);
  if (known === undefined) return new Value(new Existing(elementKind(type), cell, lock) as never);
  cell.release();
  return known;
});
