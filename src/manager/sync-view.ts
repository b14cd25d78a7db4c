/**
 * Blocking views of shared objects that look like ordinary ones: `d.sync.x = 1`, `for (const v of l.sync)`. Each access is a call
 * that blocks this thread until the manager has answered.
 */

import type { ElementOf, ElementType } from "../shared/element-types.ts";
import { isRemoteIterator, syncIterator } from "./remote-iterator.ts";
import type { RemoteRef } from "./remote-ref.ts";

/** A dict as an object with its string keys; a loop gives pairs. */
export type DictView<K, V> = { [key in K & string]: V } & Iterable<[K, V]>;
/** A value. */
export interface ValueView<T extends ElementType> {
  value: ElementOf<T>;
}
/** A set, as far as `Set` can be without objects. */
export type SetOf<T> = Pick<
  Set<T>,
  "add" | "has" | "delete" | "clear" | "size" | "forEach" | "values" | "keys" | "entries"
> &
  Iterable<T>;

/** The view of an object, by its kind. */
export function syncViewOf(ref: RemoteRef): object {
  switch (ref.surface.kind) {
    case "dict":
      return recordView(ref, "keys", "entries");
    case "namespace":
      return recordView(ref, "keys", "");
    case "list":
      return listView(ref);
    case "array":
      return arrayView(ref);
    case "set":
      return setView(ref);
    case "value":
      return valueView(ref);
    default:
      return objectView(ref);
  }
}

/** `console.log` looks at what stands behind a view: it is shown a copy of what the manager has. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");

function shown<T extends object>(target: T, copy: () => unknown): T {
  return Object.defineProperty(target, INSPECT, { value: copy, configurable: true });
}

const DESCRIPTOR = { writable: true, enumerable: true, configurable: true };

/** An object with the keys of a dict or a namespace. */
function recordView(ref: RemoteRef, keys: string, entries: string): object {
  return new Proxy(
    shown(Object.create(null) as object, () => ref.callSync("toObject", [])),
    {
      get(_, name) {
        if (name === Symbol.iterator && entries !== "") {
          return () => (ref.callSync(entries, []) as Iterable<unknown>)[Symbol.iterator]();
        }
        if (typeof name === "symbol") return undefined;
        return ref.callSync("get", [name]);
      },
      set(_, name, value) {
        if (typeof name === "symbol") return false;
        ref.callSync("set", [name, value]);
        return true;
      },
      has: (_, name) => typeof name === "string" && (ref.callSync("has", [name]) as boolean),
      deleteProperty(_, name) {
        if (typeof name === "string") ref.callSync("delete", [name]);
        return true;
      },
      ownKeys: () => (ref.callSync(keys, []) as unknown[]).filter((key) => typeof key === "string"),
      getOwnPropertyDescriptor(_, name) {
        if (typeof name === "symbol" || !(ref.callSync("has", [name]) as boolean)) return undefined;
        return { ...DESCRIPTOR, value: ref.callSync("get", [name]) };
      },
      defineProperty(_, name, { value }) {
        if (typeof name === "symbol") return false;
        ref.callSync("set", [name, value]);
        return true;
      },
    },
  );
}

function indexOf(name: PropertyKey): number | undefined {
  if (typeof name !== "string" || !/^(?:0|[1-9]\d*)$/.test(name)) return undefined;
  return Number(name);
}

/** Methods of arrays that change them: one call each, so that they are atomic. All others work on a copy. */
const LIST_CHANGES: ReadonlySet<string> = new Set(["push", "pop", "shift", "unshift", "splice"]);

function listView(ref: RemoteRef): object {
  const copy = (): unknown[] => ref.callSync("toArray", []) as unknown[];
  const view: object = new Proxy(shown([] as unknown[], copy), {
    get(_, name) {
      const index = indexOf(name);
      if (index !== undefined) return ref.callSync("at", [index]);
      if (name === "length") return ref.callSync("length", []);
      if (name === Symbol.iterator) return () => copy()[Symbol.iterator]();
      if (typeof name === "string" && LIST_CHANGES.has(name)) return (...args: unknown[]) => ref.callSync(name, args);
      if (name === "sort" || name === "reverse" || name === "fill") {
        return (...args: unknown[]) => (ref.callSync(name, args), view);
      }
      const member: unknown = Reflect.get(Array.prototype, name);
      return typeof member === "function" ? (...args: unknown[]) => member.apply(copy(), args) as unknown : member;
    },
    set(_, name, value) {
      const index = indexOf(name);
      if (index !== undefined) setItem(ref, index, value);
      else if (name === "length") setLength(ref, value);
      else return false;
      return true;
    },
    has: (_, name) => hasIndex(ref, name) || name in Array.prototype,
    deleteProperty(_, name) {
      const index = indexOf(name);
      if (index !== undefined && hasIndex(ref, name)) ref.callSync("set", [index, undefined]);
      return index !== undefined;
    },
    ownKeys: () => [...copy().keys()].map(String).concat("length"),
    getOwnPropertyDescriptor(_, name) {
      if (name === "length")
        return { value: ref.callSync("length", []), writable: true, enumerable: false, configurable: false };
      return hasIndex(ref, name) ? { ...DESCRIPTOR, value: ref.callSync("at", [indexOf(name)]) } : undefined;
    },
    defineProperty(_, name, { value }) {
      const index = indexOf(name);
      if (index !== undefined) setItem(ref, index, value);
      return index !== undefined;
    },
  });
  return view;
}

/** Writing just behind the end makes a list longer, as it does with arrays; farther out is refused. */
function setItem(ref: RemoteRef, index: number, value: unknown): void {
  if (index === (ref.callSync("length", []) as number)) ref.callSync("push", [value]);
  else ref.callSync("set", [index, value]);
}

function setLength(ref: RemoteRef, length: unknown): void {
  const now = ref.callSync("length", []) as number;
  if (typeof length !== "number" || !Number.isInteger(length) || length < 0 || length > now) {
    throw Object.assign(new RangeError(`length must be an integer from 0 to ${now}, not ${String(length)}`), {
      code: "ERR_OUT_OF_RANGE",
    });
  }
  ref.callSync("splice", [length]);
}

function hasIndex(ref: RemoteRef, name: PropertyKey): boolean {
  const index = indexOf(name);
  return index !== undefined && index < (ref.callSync("length", []) as number);
}

function arrayView(ref: RemoteRef): object {
  const copy = (): unknown[] => ref.callSync("toArray", []) as unknown[];
  return new Proxy(shown(Object.create(null) as object, copy), {
    get(_, name) {
      const index = indexOf(name);
      if (index !== undefined) return ref.callSync("at", [index]);
      if (name === "length") return ref.callSync("length", []);
      if (name === "fill") return (...args: unknown[]) => ref.callSync("fill", args);
      const member: unknown = Reflect.get(Array.prototype, name);
      return typeof member === "function" ? (...args: unknown[]) => member.apply(copy(), args) as unknown : undefined;
    },
    set(_, name, value) {
      const index = indexOf(name);
      if (index === undefined) return false;
      ref.callSync("set", [index, value]);
      return true;
    },
    has: (_, name) => hasIndex(ref, name) || name === "length",
    ownKeys: () => [...copy().keys()].map(String),
    getOwnPropertyDescriptor: (_, name) =>
      hasIndex(ref, name) ? { ...DESCRIPTOR, value: ref.callSync("at", [indexOf(name)]) } : undefined,
  });
}

function setView(ref: RemoteRef): object {
  const copy = (): Set<unknown> => ref.callSync("toSet", []) as Set<unknown>;
  return Object.freeze({
    add(value: unknown) {
      ref.callSync("add", [value]);
      return this;
    },
    has: (value: unknown) => ref.callSync("has", [value]),
    delete: (value: unknown) => ref.callSync("delete", [value]),
    clear: () => ref.callSync("clear", []),
    get size() {
      return ref.callSync("size", []) as number;
    },
    forEach: (fn: (value: unknown, again: unknown) => void) => copy().forEach((value) => fn(value, value)),
    values: () => copy().values(),
    keys: () => copy().keys(),
    entries: () => copy().entries(),
    [Symbol.iterator]: () => copy().values(),
    [INSPECT]: copy,
  });
}

function valueView(ref: RemoteRef): object {
  return Object.freeze({
    get value() {
      return ref.callSync("get", []);
    },
    set value(value: unknown) {
      ref.callSync("set", [value]);
    },
  });
}

/** An object of a class: its methods block, its properties are read and written. */
function objectView(ref: RemoteRef): object {
  const { methods, properties } = ref.surface;
  const view = {};
  for (const name of methods) {
    const value = (...args: unknown[]): unknown => {
      const result = ref.callSync(name, args);
      return isRemoteIterator(result) ? syncIterator(result) : result;
    };
    Object.defineProperty(view, name, { value, enumerable: false });
  }
  for (const name of properties) {
    const get = (): unknown => ref.getSync(name);
    const set = (value: unknown): void => ref.setSync(name, value);
    Object.defineProperty(view, name, { get, set, enumerable: true });
  }
  // A value that is only written into the view would be lost.
  return Object.freeze(view);
}
