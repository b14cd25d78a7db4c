/**
 * Objects of another realm: those of a context of `node:vm`, and, where this library runs in such a context (Jest), those of Node itself.
 * An array from there is an array, though its prototype is not our `Array.prototype`.
 */

import * as types from "node:util/types";

const NAMES: ReadonlySet<string> = new Set(
  `Object Function Array Map Set Date RegExp String Number Boolean BigInt Symbol ArrayBuffer DataView Error EvalError RangeError
  ReferenceError SyntaxError TypeError URIError AggregateError Uint8Array Int8Array Uint16Array Int16Array Uint32Array Int32Array
  Float16Array Float32Array Float64Array Uint8ClampedArray BigInt64Array BigUint64Array`.split(/\s+/),
);

const ours = new WeakMap<object, object>();

/** The prototype that stands for this one here; the same, unless it is one of the language's of another realm. */
export function prototypeHere<T extends object | null>(prototype: T): T | object {
  if (prototype === null || prototype === Object.prototype || prototype === Array.prototype) return prototype;
  let here = ours.get(prototype);
  if (here === undefined) ours.set(prototype, (here = find(prototype) ?? prototype));
  return here;
}

function find(prototype: object): object | undefined {
  if (types.isProxy(prototype)) return undefined;
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof constructor !== "function" || constructor.prototype !== prototype || !NAMES.has(constructor.name))
    return undefined;
  if (!/\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(constructor))) return undefined;
  return (globalThis as unknown as Record<string, { prototype: object } | undefined>)[constructor.name]?.prototype;
}
