/**
 * Atomic operations on elements of any type. They give the old value, as `Atomics` does, and refuse results that do not fit
 * instead of wrapping: so arithmetic is a loop around compare-exchange, which costs the same as long as nobody interferes.
 *
 * Floats have no operations of their own in `Atomics`; theirs are done on the bits, seen as integers of the same size.
 */

import { rangeError, typeError } from "../core/options.ts";
import type { AnyElement, AnyView, ElementKind } from "./element-types.ts";

type BitwiseName = "and" | "or" | "xor";

/** Callers have checked the index and that the operands fit the type. */
export interface AtomicElements {
  load(index: number): AnyElement;
  store(index: number, value: AnyElement): void;
  exchange(index: number, value: AnyElement): AnyElement;
  compareExchange(index: number, expected: AnyElement, value: AnyElement): AnyElement;
  add(index: number, value: AnyElement): AnyElement;
  sub(index: number, value: AnyElement): AnyElement;
  bitwise(operation: BitwiseName, index: number, value: AnyElement): AnyElement;
}

export function atomicElements(kind: ElementKind, view: AnyView): AtomicElements {
  if (kind.family === "float") return new AtomicFloats(kind, view as Float32Array | Float64Array);
  if (kind.family === "bigint") return new AtomicBigInts(kind, view as BigInt64Array);
  return new AtomicIntegers(kind, view as Int32Array);
}

class AtomicIntegers implements AtomicElements {
  readonly #kind: ElementKind;
  readonly #view: Int32Array;

  /** @param view Of any integer type up to 32 bits. */
  constructor(kind: ElementKind, view: Int32Array) {
    this.#kind = kind;
    this.#view = view;
  }

  load(index: number): number {
    return Atomics.load(this.#view, index);
  }

  store(index: number, value: number): void {
    Atomics.store(this.#view, index, value);
  }

  exchange(index: number, value: number): number {
    return Atomics.exchange(this.#view, index, value);
  }

  compareExchange(index: number, expected: number, value: number): number {
    return Atomics.compareExchange(this.#view, index, expected, value);
  }

  add(index: number, value: number): number {
    for (let old = Atomics.load(this.#view, index); ;) {
      const sum = old + value;
      this.#kind.check("the sum", sum);
      const found = Atomics.compareExchange(this.#view, index, old, sum);
      if (found === old) return old;
      old = found;
    }
  }

  sub(index: number, value: number): number {
    for (let old = Atomics.load(this.#view, index); ;) {
      const difference = old - value;
      this.#kind.check("the difference", difference);
      const found = Atomics.compareExchange(this.#view, index, old, difference);
      if (found === old) return old;
      old = found;
    }
  }

  bitwise(operation: BitwiseName, index: number, value: number): number {
    return Atomics[operation](this.#view, index, value);
  }
}

class AtomicBigInts implements AtomicElements {
  readonly #kind: ElementKind;
  readonly #view: BigInt64Array;

  /** @param view Signed or unsigned. */
  constructor(kind: ElementKind, view: BigInt64Array) {
    this.#kind = kind;
    this.#view = view;
  }

  load(index: number): bigint {
    return Atomics.load(this.#view, index);
  }

  store(index: number, value: bigint): void {
    Atomics.store(this.#view, index, value);
  }

  exchange(index: number, value: bigint): bigint {
    return Atomics.exchange(this.#view, index, value);
  }

  compareExchange(index: number, expected: bigint, value: bigint): bigint {
    return Atomics.compareExchange(this.#view, index, expected, value);
  }

  add(index: number, value: bigint): bigint {
    for (let old = Atomics.load(this.#view, index); ;) {
      const sum = old + value;
      this.#kind.check("the sum", sum);
      const found = Atomics.compareExchange(this.#view, index, old, sum);
      if (found === old) return old;
      old = found;
    }
  }

  sub(index: number, value: bigint): bigint {
    for (let old = Atomics.load(this.#view, index); ;) {
      const difference = old - value;
      this.#kind.check("the difference", difference);
      const found = Atomics.compareExchange(this.#view, index, old, difference);
      if (found === old) return old;
      old = found;
    }
  }

  bitwise(operation: BitwiseName, index: number, value: bigint): bigint {
    return Atomics[operation](this.#view, index, value);
  }
}

/** One float and its bits. */
interface Scratch {
  readonly float: Float32Array | Float64Array;
  readonly bits: Int32Array | BigInt64Array;
}

class AtomicFloats implements AtomicElements {
  readonly #kind: ElementKind;
  readonly #bits: Int32Array | BigInt64Array;
  readonly #scratch: Scratch;

  constructor(kind: ElementKind, view: Float32Array | Float64Array) {
    this.#kind = kind;
    const wide = kind.bytes === 8;
    const Bits = wide ? BigInt64Array : Int32Array;
    this.#bits = new Bits(view.buffer as ArrayBuffer, view.byteOffset, view.length);
    const buffer = new ArrayBuffer(8);
    this.#scratch = {
      float: wide ? new Float64Array(buffer) : new Float32Array(buffer),
      bits: wide ? new BigInt64Array(buffer) : new Int32Array(buffer),
    };
  }

  load(index: number): number {
    return this.#decode(Atomics.load(this.#bits as Int32Array, index));
  }

  store(index: number, value: number): void {
    Atomics.store(this.#bits as Int32Array, index, this.#encode(value));
  }

  exchange(index: number, value: number): number {
    return this.#decode(Atomics.exchange(this.#bits as Int32Array, index, this.#encode(value)));
  }

  /** Compares by value as `Object.is` does, except that 0 and -0 are the same; every NaN equals every other. */
  compareExchange(index: number, expected: number, value: number): number {
    const wanted = this.#decode(this.#encode(expected));
    const bits = this.#bits as Int32Array;
    for (;;) {
      const found = Atomics.load(bits, index);
      const old = this.#decode(found);
      if (old !== wanted && !(Number.isNaN(old) && Number.isNaN(wanted))) return old;
      if (Atomics.compareExchange(bits, index, found, this.#encode(value)) === found) return old;
    }
  }

  add(index: number, value: number): number {
    const bits = this.#bits as Int32Array;
    for (let found = Atomics.load(bits, index); ;) {
      const old = this.#decode(found);
      const sum = old + value;
      this.#checkSum(sum, old, value);
      const before = Atomics.compareExchange(bits, index, found, this.#encode(sum));
      if (before === found) return old;
      found = before;
    }
  }

  sub(index: number, value: number): number {
    return this.add(index, -value);
  }

  bitwise(operation: BitwiseName): never {
    throw typeError(`the type for "${operation}"`, "one of integers", this.#kind.name);
  }

  /** Infinity may be added to; finite numbers whose sum is not finite are an overflow. */
  #checkSum(sum: number, old: number, value: number): void {
    if (!Number.isFinite(old) || !Number.isFinite(value)) return;
    if (!Number.isFinite(sum)) throw rangeError("the sum", `a finite ${this.#kind.name}`, sum);
    this.#kind.check("the sum", sum);
  }

  /** The 64-bit scratch gives a bigint; both kinds are told apart by nobody but Atomics. */
  #encode(value: number): number {
    this.#scratch.float[0] = value;
    return this.#scratch.bits[0] as number;
  }

  #decode(bits: number | bigint): number {
    this.#scratch.bits[0] = bits as never;
    return this.#scratch.float[0] as number;
  }
}
