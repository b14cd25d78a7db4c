/** Own properties, as `encode-properties.ts` writes them. */

import type { Reader } from "./reader.ts";
import { PropertyFlag } from "./wire.ts";

export function readProperties(reader: Reader): [string | symbol, PropertyDescriptor][] {
  const list: [string | symbol, PropertyDescriptor][] = [];
  for (let left = reader.count(); left > 0; left--) list.push(readProperty(reader));
  return list;
}

export function defineProperties(
  object: object,
  properties: readonly (readonly [string | symbol, PropertyDescriptor])[],
): void {
  for (const [key, descriptor] of properties) Object.defineProperty(object, key, descriptor);
}

export function readKey(reader: Reader): string | symbol {
  const key = reader.value();
  return typeof key === "string" || typeof key === "symbol" ? key : reader.fail("a key was expected");
}

function readProperty(reader: Reader): [string | symbol, PropertyDescriptor] {
  const key = readKey(reader);
  const flags = reader.byte();
  const shared = {
    enumerable: (flags & PropertyFlag.enumerable) !== 0,
    configurable: (flags & PropertyFlag.configurable) !== 0,
  };
  if ((flags & (PropertyFlag.getter | PropertyFlag.setter)) === 0) {
    return [key, { ...shared, writable: (flags & PropertyFlag.writable) !== 0, value: reader.value() }];
  }
  const accessors: PropertyDescriptor = shared;
  if ((flags & PropertyFlag.getter) !== 0) accessors.get = accessor(reader) as () => unknown;
  if ((flags & PropertyFlag.setter) !== 0) accessors.set = accessor(reader) as (value: unknown) => void;
  return [key, accessors];
}

function accessor(reader: Reader): Function {
  const value = reader.value();
  return typeof value === "function" ? value : reader.fail("a function was expected");
}
