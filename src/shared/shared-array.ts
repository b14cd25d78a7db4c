import { StateError } from "../core/errors.ts";
import { defineHandle, type HandleTransfer, registerHandle } from "../core/handle.ts";
import { checkInteger, rangeError, typeError } from "../core/options.ts";
import {
  allocateExtent,
  type BlockRef,
  type Extent,
  forgetObject,
  knownObject,
  openExtent,
  rememberObject,
  retractRef,
} from "../memory/index.ts";
import type { RLock } from "../sync/index.ts";
import { type AtomicElements, atomicElements } from "./atomic-elements.ts";
import {
  type AnyElement,
  type AnyView,
  type ElementKind,
  elementKind,
  type ElementName,
  type ElementOf,
  type ElementType,
  type ViewOf,
} from "./element-types.ts";
import { giveIndexedAccess } from "./indexed-access.ts";
import { lockIn, OwnedLock } from "./owned-lock.ts";

const TAG = "SharedArray";

interface Transferred {
  readonly type: ElementName;
  readonly length: number;
  readonly ref: BlockRef;
  readonly lock: RLock;
}

/** An array that is there already, to make a handle for. */
class Existing {
  readonly kind: ElementKind;
  readonly length: number;
  readonly extent: Extent;
  readonly lock: RLock;

  constructor(kind: ElementKind, length: number, extent: Extent, lock: RLock) {
    this.lock = lock;
    this.kind = kind;
    this.length = length;
    this.extent = extent;
  }
}

/** The bytes as this process sees them; mapped at the first use, so that passing an array on costs nothing. */
interface Opened {
  readonly view: AnyView;
  readonly atomic: AtomicElements;
}

/**
 * A typed array in shared memory, of a fixed length. Sending it costs the same whatever its size: nothing is copied.
 *
 * Three ways to the elements: `a[i]` and `a.set(i, x)` refuse an index that does not exist and a value that does not fit
 * (RangeError, or TypeError for the wrong type); `view` is the real typed array over the shared bytes, as fast as any and
 * unchecked like any; `add`, `exchange` and the like are atomic, and checked.
 *
 * @example
 * ```ts
 * import { Process, SharedArray } from "multiproc";
 *
 * const halves = new SharedArray("float64", 1000);
 * const child = new Process(() => {
 *   const { view } = halves; // the real Float64Array: as fast as any
 *   for (let i = 0; i < view.length; i++) view[i] = i / 2;
 * }).start();
 * await child.join();
 * console.log(halves[999]); // 499.5
 * ```
 */
export class SharedArray<T extends ElementType = ElementType> {
  /** An element: an index that does not exist, and a value that does not fit, are refused. */
  [index: number]: ElementOf<T>;

  /** How many elements there are. */
  readonly length: number;
  readonly #kind: ElementKind;
  readonly #extent: Extent;
  readonly #lock: OwnedLock;
  #opened: Opened | undefined;

  static {
    defineHandle(SharedArray, (array) => array.#transfer());
    giveIndexedAccess<SharedArray>(SharedArray, {
      has: (object): object is SharedArray => #kind in object,
      get: (array, index) => array.#read(index),
      set: (array, index, value) => array.#write(index, value),
    });
  }

  /**
   * @param type The type of the elements, as a name or one of Python's letters.
   * @param lengthOrValues How many elements, all zero; or the elements.
   * @param options `lock`: an RLock to guard it with, which may guard others too; default one of its own.
   */
  constructor(
    type: T,
    lengthOrValues: number | Iterable<ElementOf<T>>,
    options?: { readonly lock?: RLock | undefined },
  );
  constructor(type: T | Existing, lengthOrValues?: unknown, options: { readonly lock?: RLock | undefined } = {}) {
    this.#lock = new OwnedLock(type instanceof Existing ? type.lock : lockIn("SharedArray", options));
    if (type instanceof Existing) {
      this.#kind = type.kind;
      this.#extent = type.extent;
      this.length = type.length;
    } else {
      this.#kind = elementKind(type);
      const values = valuesOf(lengthOrValues);
      if (values !== undefined) checkAll(this.#kind, values);
      this.length = values?.length ?? (lengthOrValues as number);
      this.#extent = allocateExtent(this.length * this.#kind.bytes);
      if (values !== undefined) fill(this.#open().view, 0, values);
    }
    rememberObject(this.#extent.id, this);
  }

  /** The name of the type; for Python's letters the long one. */
  get type(): ElementName {
    return this.#kind.name;
  }

  /** Bytes of all elements together. */
  get byteLength(): number {
    return this.length * this.#kind.bytes;
  }

  /**
   * The typed array over the shared bytes. Unchecked: it wraps what does not fit and ignores what is out of range. Once the
   * SharedArray is closed this throws, and a view taken before is detached: of length 0, reads give `undefined`.
   */
  get view(): ViewOf<T> {
    return (this.#opened ?? this.#open()).view as ViewOf<T>;
  }

  /** An element; a negative index counts from the end. An index that does not exist is refused with a RangeError. */
  at(index: number): ElementOf<T> {
    const element = (this.#opened ?? this.#open()).view[index];
    return (element ?? this.#read(index < 0 ? index + this.length : index)) as ElementOf<T>;
  }

  /** Writes an element, or several from an index on (default 0). If one does not fit, nothing is written. */
  set(index: number, value: ElementOf<T>): void;
  set(values: Iterable<ElementOf<T>>, from?: number): void;
  set(target: number | Iterable<ElementOf<T>>, value?: ElementOf<T> | number): void {
    if (typeof target === "number") this.#write(target < 0 ? target + this.length : target, value);
    else this.#writeAll(target, value as number | undefined);
  }

  /** Copies elements into an ordinary typed array, with indexes as in `Array.prototype.slice`. */
  slice(start?: number, end?: number): ViewOf<T> {
    return (this.view as Float64Array).slice(start, end) as unknown as ViewOf<T>;
  }

  /** Copies the elements into an ordinary array. */
  toArray(): ElementOf<T>[] {
    return Array.from(this.view as Iterable<ElementOf<T>>);
  }

  /** Reads an element atomically, in one order with all atomic operations. */
  load(index: number): ElementOf<T> {
    return this.#atomic(index).load(index) as ElementOf<T>;
  }

  /** Writes an element atomically, in one order with all atomic operations. */
  store(index: number, value: ElementOf<T>): void {
    this.#kind.check("value", value);
    this.#atomic(index).store(index, value);
  }

  /** Adds to an element, atomically; gives the value before. A sum that does not fit is refused with a RangeError. */
  add(index: number, amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.#atomic(index).add(index, amount) as ElementOf<T>;
  }

  /** Subtracts from an element, atomically; gives the value before. A result that does not fit is refused with a RangeError. */
  sub(index: number, amount: ElementOf<T>): ElementOf<T> {
    this.#kind.check("amount", amount);
    return this.#atomic(index).sub(index, amount) as ElementOf<T>;
  }

  /** Bitwise and, atomically; gives the value before. For integers only. */
  and(index: number, bits: ElementOf<T>): ElementOf<T> {
    this.#kind.check("bits", bits);
    return this.#atomic(index).bitwise("and", index, bits) as ElementOf<T>;
  }

  /** Bitwise or, atomically; gives the value before. For integers only. */
  or(index: number, bits: ElementOf<T>): ElementOf<T> {
    this.#kind.check("bits", bits);
    return this.#atomic(index).bitwise("or", index, bits) as ElementOf<T>;
  }

  /** Bitwise exclusive or, atomically; gives the value before. For integers only. */
  xor(index: number, bits: ElementOf<T>): ElementOf<T> {
    this.#kind.check("bits", bits);
    return this.#atomic(index).bitwise("xor", index, bits) as ElementOf<T>;
  }

  /** Writes an element and gives the value before, atomically. */
  exchange(index: number, value: ElementOf<T>): ElementOf<T> {
    this.#kind.check("value", value);
    return this.#atomic(index).exchange(index, value) as ElementOf<T>;
  }

  /** Writes `value` if the element is `expected`, atomically; gives what it was before. */
  compareExchange(index: number, expected: ElementOf<T>, value: ElementOf<T>): ElementOf<T> {
    this.#kind.check("expected", expected);
    this.#kind.check("value", value);
    return this.#atomic(index).compareExchange(index, expected, value) as ElementOf<T>;
  }

  /** For elements that belong together. Reading and writing take no lock, so they work while this one is held. */
  get lock(): RLock {
    return this.#lock.get();
  }

  /** Holds `lock` around `fn`, whatever `fn` does. */
  use<R>(fn: (array: this) => R | Promise<R>): Promise<R> {
    return this.lock.use(() => fn(this));
  }

  /** Like `use`, blocking the thread until it has the lock. */
  useSync<R>(fn: (array: this) => R): R {
    return this.lock.useSync(() => fn(this));
  }

  *[Symbol.iterator](): IterableIterator<ElementOf<T>> {
    for (let i = 0; i < this.length; i++) yield this.#read(i) as ElementOf<T>;
  }

  /**
   * Lets go of the memory, which is freed when no process holds it any more. Repeatable; any other use afterwards throws,
   * and views taken before are detached. Without `close` the memory is let go when the array and its views are collected.
   */
  close(): void {
    if (this.#extent.released) return;
    this.#opened = undefined;
    forgetObject(this.#extent.id, this);
    this.#extent.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #transfer(): HandleTransfer {
    this.#assertOpen();
    const ref = this.#extent.refer();
    const data: Transferred = { type: this.#kind.name, length: this.length, ref, lock: this.lock };
    return { tag: TAG, data, abort: () => retractRef(ref) };
  }

  #assertOpen(): void {
    if (this.#extent.released) throw new StateError("Cannot use this SharedArray: it is closed");
  }

  #open(): Opened {
    this.#assertOpen();
    const view = this.#kind.view(this.#extent.map(), 0, this.length);
    this.#opened = { view, atomic: atomicElements(this.#kind, view) };
    return this.#opened;
  }

  #atomic(index: number): AtomicElements {
    const { atomic } = this.#opened ?? this.#open();
    if (!(Number.isInteger(index) && index >= 0 && index < this.length)) throw this.#noSuchIndex(index);
    return atomic;
  }

  #read(index: number): AnyElement {
    const element = (this.#opened ?? this.#open()).view[index];
    if (element === undefined) throw this.#noSuchIndex(index);
    return element;
  }

  #write(index: number, value: unknown): void {
    const { view } = this.#opened ?? this.#open();
    this.#kind.check("value", value);
    if (!(Number.isInteger(index) && index >= 0 && index < this.length)) throw this.#noSuchIndex(index);
    view[index] = value as number;
  }

  #writeAll(source: Iterable<ElementOf<T>>, from = 0): void {
    const { view } = this.#opened ?? this.#open();
    const values = valuesOf(source) as AnyElement[];
    checkInteger("from", from, 0);
    if (from + values.length > this.length) {
      throw rangeError("values", `at most ${Math.max(0, this.length - from)} elements`, values.length);
    }
    checkAll(this.#kind, values);
    fill(view, from, values);
  }

  #noSuchIndex(index: unknown): Error {
    if (typeof index !== "number") return typeError("index", "a number", index);
    return rangeError("index", `an integer from 0 to ${this.length - 1}`, index);
  }
}

/** The values as an array or typed array; undefined if it is a length that was given. */
function valuesOf(lengthOrValues: unknown): ArrayLike<AnyElement> | undefined {
  if (typeof lengthOrValues === "number") {
    checkInteger("length", lengthOrValues, 0);
    return undefined;
  }
  const expected = "a length, or an array or other iterable of values";
  if (typeof lengthOrValues !== "object" || lengthOrValues === null)
    throw typeError("lengthOrValues", expected, lengthOrValues);
  if (Array.isArray(lengthOrValues) || (ArrayBuffer.isView(lengthOrValues) && !(lengthOrValues instanceof DataView))) {
    return lengthOrValues as unknown as AnyElement[];
  }
  if (!(Symbol.iterator in lengthOrValues)) throw typeError("lengthOrValues", expected, lengthOrValues);
  return Array.from(lengthOrValues as Iterable<AnyElement>);
}

/** Holes of sparse arrays are refused, too. */
function checkAll(kind: ElementKind, values: ArrayLike<AnyElement>): void {
  for (let i = 0; i < values.length; i++) {
    try {
      kind.check("values", values[i]);
    } catch {
      kind.check(`values[${i}]`, values[i]);
    }
  }
}

function fill(view: AnyView, from: number, values: ArrayLike<AnyElement>): void {
  (view as Float64Array).set(values as ArrayLike<number>, from);
}

registerHandle(TAG, ({ type, length, ref, lock }: Transferred) => {
  const extent = openExtent(ref);
  const known = knownObject(extent.id);
  if (known === undefined) return new SharedArray(new Existing(elementKind(type), length, extent, lock) as never, 0);
  extent.release();
  return known;
});
