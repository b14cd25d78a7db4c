import { isDeepStrictEqual } from "node:util";
import { isHandle } from "../../core/handle.ts";

/**
 * Equal as values: what comes from another process is a copy, never the same object. Handles (proxies, locks, queues) come as
 * themselves and are equal only to themselves, also inside of arrays and objects.
 */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isHandle(a) || isHandle(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((each, i) => isEqual(each, b[i]));
  if (isPlain(a) && isPlain(b)) return haveEqualValues(a, b);
  return isDeepStrictEqual(a, b);
}

type Plain = Readonly<Record<string, unknown>>;

function isPlain(value: object): value is Plain {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function haveEqualValues(a: Plain, b: Plain): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isEqual(a[key], b[key]));
}
