/**
 * Blocking views of shared objects that look like ordinary ones: `d.sync.x = 1`, `for (const v of l.sync)`. Each access is a call
 * that blocks this thread until the manager has answered. A view travels as the proxy that it belongs to, and arrives as that one's view.
 */

import type { ElementOf, ElementType } from "../shared/element-types.ts";
import { type HandleTransfer, registerHandle, TO_HANDLE } from "../core/handle.ts";
import { isRemoteIterator, syncIterator } from "./remote-iterator.ts";
import { type RemoteProxy, refOf } from "./remote-proxy.ts";
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

const TAG = "ManagerView";

registerHandle(TAG, (proxy: { readonly sync: object }) => proxy.sync);

/** The view of an object, by its kind. */
export function syncViewOf(proxy: RemoteProxy): object {
  const ref = refOf(proxy);
  const toHandle = (): HandleTransfer => ({ tag: TAG, data: proxy });
  switch (ref.surface.builtIn) {
    case "dict":
      return recordView(ref, "entries", toHandle);
    case "namespace":
      return recordView(ref, "", toHandle);
    case "list":
      return listView(ref, toHandle);
    case "array":
      return arrayView(ref, toHandle);
    case "set":
      return Object.freeze(unlisted(setView(ref), TO_HANDLE, toHandle));
    case "value":
      return Object.freeze(unlisted(valueView(ref), TO_HANDLE, toHandle));
    default:
      // A value that is only written into the view would be lost.
      return Object.freeze(unlisted(objectView(ref), TO_HANDLE, toHandle));
  }
}

type ToHandle = () => HandleTransfer;

/** `console.log` looks at what stands behind a view: it is shown a copy of what the manager has. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as typeof INSPECT;

/** Gives an object a property that no loop sees. */
function unlisted<T extends object>(target: T, name: symbol, value: unknown): T {
  return Object.defineProperty(target, name, { value, configurable: true });
}

const DESCRIPTOR = { writable: true, enumerable: true, configurable: true };

/** An object with the keys of a dict or a namespace. */
function recordView(ref: RemoteRef, entries: string, toHandle: ToHandle): object {
  return new Proxy(
    unlisted(Object.create(null) as object, INSPECT, () => ref.callSync("toObject", [])),
    {
      get(_, name) {
        if (name === TO_HANDLE) return toHandle;
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
      ownKeys: () => (ref.callSync("keys", []) as unknown[]).filter((key) => typeof key === "string"),
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

function listView(ref: RemoteRef, toHandle: ToHandle): object {
  const copy = (): unknown[] => ref.callSync("toArray", []) as unknown[];
  const view: object = new Proxy(unlisted([] as unknown[], INSPECT, copy), {
    get(_, name) {
      if (name === TO_HANDLE) return toHandle;
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

function arrayView(ref: RemoteRef, toHandle: ToHandle): object {
  const copy = (): unknown[] => ref.callSync("toArray", []) as unknown[];
  return new Proxy(unlisted(Object.create(null) as object, INSPECT, copy), {
    get(_, name) {
      if (name === TO_HANDLE) return toHandle;
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
  return {
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
  };
}

function valueView(ref: RemoteRef): object {
  return {
    get value() {
      return ref.callSync("get", []);
    },
    set value(value: unknown) {
      ref.callSync("set", [value]);
    },
  };
}

/** An object of a class: its methods block, its properties are read and written. */
function objectView(ref: RemoteRef): object {
  const { methods, generators, properties } = ref.surface;
  const view = {};
  for (const name of methods) {
    const value = (...args: unknown[]): unknown => {
      const result = ref.callSync(name, args);
      return isRemoteIterator(result) ? syncIterator(result, generators.includes(name)) : result;
    };
    Object.defineProperty(view, name, { value, enumerable: false });
  }
  for (const name of properties) {
    const get = (): unknown => ref.getSync(name);
    const set = (value: unknown): void => ref.setSync(name, value);
    Object.defineProperty(view, name, { get, set, enumerable: true });
  }
  return view;
}
