/** Own properties as descriptors: for instances, functions, and plain objects that have accessors or symbols. */

import { PropertyFlag } from "./wire.ts";
import type { Writer } from "./writer.ts";

export type PropertyList = readonly (readonly [string | symbol, PropertyDescriptor])[];

export function writeProperties(writer: Writer, properties: PropertyList, holder: object | undefined): void {
  writer.uint32(properties.length);
  for (const [key, descriptor] of properties) writeProperty(writer, key, descriptor, holder);
}

/** The own properties of an object, but for those that its kind brings along. */
export function ownProperties(value: object, except: (key: string | symbol) => boolean): PropertyList {
  const list: [string | symbol, PropertyDescriptor][] = [];
  for (const key of Reflect.ownKeys(value)) {
    if (!except(key)) list.push([key, Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor]);
  }
  return list;
}

export function writeKey(writer: Writer, key: string | symbol): void {
  writer.value(key);
}

export function writeProperty(
  writer: Writer,
  key: string | symbol,
  { value, get, set, enumerable, configurable, writable }: PropertyDescriptor,
  holder: object | undefined,
): void {
  writeKey(writer, key);
  const shared = (enumerable ? PropertyFlag.enumerable : 0) | (configurable ? PropertyFlag.configurable : 0);
  const name = typeof key === "string" ? key : `[${String(key)}]`;
  if (get === undefined && set === undefined) {
    writer.byte(shared | (writable ? PropertyFlag.writable : 0));
    return writer.child(name, value, holder);
  }
  writer.byte(shared | (get ? PropertyFlag.getter : 0) | (set ? PropertyFlag.setter : 0));
  if (get !== undefined) writer.child(name, get, holder);
  if (set !== undefined) writer.child(name, set, holder);
}
