/**
 * The wire format: tags and constants.
 *
 * A message is a header of 8 bytes, the encoded value, and, when functions in it import modules, a list of those:
 *
 * | byte | holds                                                          |
 * |------|----------------------------------------------------------------|
 * | 0    | format version                                                 |
 * | 1    | flags: MODULES, HANDLES, REFERENCES                            |
 * | 4–7  | where the list of modules starts, counted from the header      |
 *
 * A value is a tag and what the tag says. Objects are numbered in the order in which they first occur, on both sides;
 * `ref` names an earlier one, so shared references and cycles survive. All numbers are little-endian and unaligned.
 */

export const VERSION = 2;
export const HEADER_BYTES = 8;

export const Flag = { modules: 1, handles: 2, references: 4 } as const;

export const Tag = {
  undefined: 0,
  null: 1,
  true: 2,
  false: 3,
  int32: 4,
  double: 5,
  /** One byte of length, then latin1. */
  shortString: 6,
  latin1: 7,
  utf16: 8,
  bigint: 9,
  hugeBigint: 10,
  ref: 11,
  /** A plain object with keys of its own, and one with the keys of an earlier one. */
  object: 12,
  shaped: 13,
  array: 14,
  /** An array with holes. */
  sparse: 15,
  map: 16,
  set: 17,
  date: 18,
  regexp: 19,
  arrayBuffer: 20,
  /** A view that stands for all its bytes, and one into a buffer that is encoded as an object. */
  bytes: 21,
  view: 22,
  boxed: 23,
  url: 24,
  searchParams: 25,
  registeredSymbol: 26,
  wellKnownSymbol: 27,
  uniqueSymbol: 28,
  error: 29,
  domException: 30,
  /** An object that is more than its kind: a prototype of its own, further properties, frozen. */
  special: 31,
  /** Something that has to be known first (a class), then the value. */
  prelude: 32,
  reduced: 33,
  handle: 34,
  moduleReference: 35,
  builtinReference: 36,
  boundFunction: 37,
  sourceFunction: 38,
  /** An object that starts empty; what it has follows as properties. */
  bare: 39,
  /** `prototype` of a class or constructor. */
  prototypeOf: 40,
  /** An `ArrayBuffer` that can grow: its limit, then its bytes. */
  resizableBuffer: 41,
  /** An object of the platform: the name of its class, then what its constructor is given. */
  platformObject: 42,
  /** From here on: the integers from 0. */
  smallInt: 64,
} as const;

export const SMALL_INTS: number = 256 - Tag.smallInt;

/** Kinds of views, in the order of their numbers on the wire. */
export const VIEW_TYPES: readonly string[] = [
  "Int8Array",
  "Uint8Array",
  "Uint8ClampedArray",
  "Int16Array",
  "Uint16Array",
  "Int32Array",
  "Uint32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
  "BigUint64Array",
  "DataView",
  "Buffer",
  "Float16Array",
];

/** The length of a view that is as long as its buffer lets it. */
export const TRACKS_LENGTH = -1;

/** Bits of a property's flags. */
export const PropertyFlag = { enumerable: 1, configurable: 2, writable: 4, getter: 8, setter: 16 } as const;

/** Where the prototype of a special object comes from. */
export const Prototype = { own: 0, null: 1, ofClass: 2, object: 3 } as const;

export const Integrity = { extensible: 0, sealed: 1, frozen: 2, fixed: 3 } as const;

/** What an error is rebuilt from when its class is not the user's. */
export const ErrorClass = { builtin: 0, ours: 1, users: 2 } as const;

/** Deeper nesting is refused: the stack would overflow, here or at the receiver. */
export const MAX_DEPTH = 1000;
