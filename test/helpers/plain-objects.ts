/** Plain objects with all kinds of keys, and messages of them. */

import * as fc from "fast-check";

const ODD_KEYS = [
  ["__proto__", "constructor", "toString", "then", "value", "reader"],
  ["", "0", "1", "10", "-0", "-1", "4294967295", "4294967296", "1.5"],
  ['"', "'", "\\", "`${reader}`", "\n", "\0", "\u2028", "a b", "*/", "}"],
  ["ä", "ÿ", "Ā", "ключ", "😀", "\ud800", "\udc00\ud800", "k".repeat(64), "k".repeat(65), "k".repeat(256)],
].flat();

const key = fc.oneof(fc.constantFrom(...ODD_KEYS), fc.string({ unit: "binary", maxLength: 4 }), fc.string());
const few = fc.uniqueArray(key, { maxLength: 8 });
/** More than a function is compiled for, and more bytes than are remembered. */
const many = fc.nat(400).map((length) => Array.from({ length }, (_, i) => `key ${i} ${"x".repeat(i % 30)}`));

export const keys = fc.oneof({ weight: 9, arbitrary: few }, { weight: 1, arbitrary: many });

const leaf = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string(),
  fc.constantFrom(undefined, null, true, false, -0),
  fc.bigInt(),
  fc.array(fc.nat(9), { maxLength: 3 }),
  fc.array(fc.nat(9), { maxLength: 3 }).map((holes) => Object.assign([], { 1: 1, 2: holes.length })),
);

/** What stands under the keys, in turn. */
export const leaves = fc.array(leaf, { minLength: 1, maxLength: 6 });

/** Also with `__proto__` as a usual key. */
export function objectOf(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const object = {};
  names.forEach((name, i) => set(object, name, values[i % values.length]));
  return object;
}

export function set(object: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}
