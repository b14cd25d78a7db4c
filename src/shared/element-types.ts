/** The types of elements that Value and SharedArray can hold, and what fits them. */

import { rangeError, typeError } from "../core/options.ts";

interface Views {
  int8: Int8Array;
  uint8: Uint8Array;
  int16: Int16Array;
  uint16: Uint16Array;
  int32: Int32Array;
  uint32: Uint32Array;
  int64: BigInt64Array;
  uint64: BigUint64Array;
  float32: Float32Array;
  float64: Float64Array;
}

interface Typecodes {
  b: "int8";
  B: "uint8";
  h: "int16";
  H: "uint16";
  i: "int32";
  I: "uint32";
  q: "int64";
  Q: "uint64";
  f: "float32";
  d: "float64";
}

/** The name of a type, without Python's letters. */
export type ElementName = keyof Views;

/** What names a type: its name, or Python's letter for it. */
export type ElementType = ElementName | keyof Typecodes;

type NameOf<T extends ElementType> = T extends keyof Typecodes ? Typecodes[T] : T extends ElementName ? T : never;

/** The typed array for elements of a type: `Float64Array` for `"float64"`. */
export type ViewOf<T extends ElementType> = Views[NameOf<T>];

/** What an element is in JavaScript: a bigint for the 64-bit integers, else a number. */
export type ElementOf<T extends ElementType> = NameOf<T> extends "int64" | "uint64" ? bigint : number;

export type AnyView = Views[ElementName];
export type AnyElement = number | bigint;

/** How a type is stored, and what fits it. */
export interface ElementKind {
  readonly name: ElementName;
  readonly bytes: number;
  readonly family: "integer" | "bigint" | "float";
  /** The zero of the type. */
  readonly zero: AnyElement;
  view(buffer: ArrayBuffer, byteOffset: number, length: number): AnyView;
  /** Throws if a value is of the wrong type, or does not fit. @param name What the error calls the value. */
  check(name: string, value: unknown): void;
}

type ViewConstructor = new (buffer: ArrayBuffer, byteOffset: number, length: number) => AnyView;

function integer(name: ElementName, View: ViewConstructor, min: number, max: number): ElementKind {
  return {
    name,
    bytes: bytesOf(View),
    family: "integer",
    zero: 0,
    view: (buffer, byteOffset, length) => new View(buffer, byteOffset, length),
    check(what, value) {
      if (typeof value !== "number") throw typeError(what, `a number (${name})`, value);
      if (!Number.isInteger(value) || value < min || value > max) {
        throw rangeError(what, `an integer from ${min} to ${max} (${name})`, value);
      }
    },
  };
}

function bigInteger(name: ElementName, View: ViewConstructor, min: bigint, max: bigint): ElementKind {
  return {
    name,
    bytes: 8,
    family: "bigint",
    zero: 0n,
    view: (buffer, byteOffset, length) => new View(buffer, byteOffset, length),
    check(what, value) {
      if (typeof value !== "bigint") throw typeError(what, `a bigint (${name})`, value);
      if (value < min || value > max) throw rangeError(what, `from ${min}n to ${max}n (${name})`, value);
    },
  };
}

function float(name: ElementName, View: ViewConstructor, max: number): ElementKind {
  return {
    name,
    bytes: bytesOf(View),
    family: "float",
    zero: 0,
    view: (buffer, byteOffset, length) => new View(buffer, byteOffset, length),
    check(what, value) {
      if (typeof value !== "number") throw typeError(what, `a number (${name})`, value);
      // Infinity and NaN are values of the type; a finite number that would become infinite is not.
      if ((value > max || value < -max) && Number.isFinite(value)) {
        throw rangeError(what, `from ${-max} to ${max} (${name})`, value);
      }
    },
  };
}

function bytesOf(View: ViewConstructor): number {
  return (View as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
}

/** The largest number that rounds to a finite float32: just under half a step above the largest float32. */
const MAX_FLOAT32 = 3.4028235677973362e38;

const kinds: Record<ElementName, ElementKind> = {
  int8: integer("int8", Int8Array, -0x80, 0x7f),
  uint8: integer("uint8", Uint8Array, 0, 0xff),
  int16: integer("int16", Int16Array, -0x8000, 0x7fff),
  uint16: integer("uint16", Uint16Array, 0, 0xffff),
  int32: integer("int32", Int32Array, -0x8000_0000, 0x7fff_ffff),
  uint32: integer("uint32", Uint32Array, 0, 0xffff_ffff),
  int64: bigInteger("int64", BigInt64Array, -(2n ** 63n), 2n ** 63n - 1n),
  uint64: bigInteger("uint64", BigUint64Array, 0n, 2n ** 64n - 1n),
  float32: float("float32", Float32Array, MAX_FLOAT32),
  float64: float("float64", Float64Array, Number.MAX_VALUE),
};

const typecodes: Typecodes = {
  b: "int8",
  B: "uint8",
  h: "int16",
  H: "uint16",
  i: "int32",
  I: "uint32",
  q: "int64",
  Q: "uint64",
  f: "float32",
  d: "float64",
};

/** The kind of a type; throws if there is no such type. */
export function elementKind(type: unknown): ElementKind {
  const expected = `one of ${Object.keys(kinds).join(", ")}, or a typecode of ${Object.keys(typecodes).join(" ")}`;
  if (typeof type !== "string") throw typeError("type", expected, type);
  const name = Object.hasOwn(typecodes, type) ? typecodes[type as keyof Typecodes] : type;
  if (!Object.hasOwn(kinds, name)) throw rangeError("type", expected, type);
  return kinds[name as ElementName];
}
