import { inspect } from "node:util";
import { checkFunction, typeError } from "../../core/options.ts";
import { RemoteProxy } from "../remote-proxy.ts";
import { contentOf } from "./content.ts";

/** What a dict can be made of; also of the proxy of a dict or a namespace of the same manager. */
export type DictSource<K, V> =
  | Iterable<readonly [K, V]>
  | { toMap(): Promise<Map<K, V>> }
  | (K extends string ? Readonly<Record<K, V>> : never)
  | { readonly [key: string]: V };

/** The error for a key that is not there. */
function noSuchKey(key: unknown): RangeError {
  return Object.assign(new RangeError(`The dict has no key ${inspect(key)}`), { code: "ERR_NO_SUCH_KEY" });
}

/** Keys and values. Keys are primitive: an object would arrive as another one each time, and never be found again. */
export class ManagedDict<K = string, V = unknown> {
  readonly #map = new Map<K, V>();

  constructor(source?: DictSource<K, V>) {
    this.#setAll(source);
  }

  /** The value; if there is no such key, `fallback`, or undefined. */
  get(key: K, fallback: V): V;
  get(key: K): V | undefined;
  get(key: K, fallback?: V): V | undefined {
    const value = this.#map.get(key);
    return value !== undefined || fallback === undefined || this.#map.has(key) ? value : fallback;
  }

  /** The value. @throws {RangeError} If there is no such key; names it. */
  getOrThrow(key: K): V {
    if (!this.#map.has(key)) throw noSuchKey(key);
    return this.#map.get(key) as V;
  }

  /** Sets a value. @throws {TypeError} If the key is an object or a function. */
  set(key: K, value: V): void {
    checkKey(key);
    this.#map.set(key, value);
  }

  /** True if there is such a key. */
  has(key: K): boolean {
    return this.#map.has(key);
  }

  /** Removes a key; gives false if it was not there. */
  delete(key: K): boolean {
    return this.#map.delete(key);
  }

  /** How many entries there are. */
  size(): number {
    return this.#map.size;
  }

  /** Removes all entries. */
  clear(): void {
    this.#map.clear();
  }

  /** The keys, in the order in which they were added. */
  keys(): K[] {
    return [...this.#map.keys()];
  }

  /** The values, in the order of the keys. */
  values(): V[] {
    return [...this.#map.values()];
  }

  /** Pairs of key and value, in the order of the keys. */
  entries(): [K, V][] {
    return [...this.#map.entries()];
  }

  /** A copy of it, as a Map. */
  toMap(): Map<K, V> {
    return this.#map;
  }

  /** A plain object with all entries; keys become strings. */
  toObject(): Record<string, V> {
    return Object.fromEntries(this.#map as Map<string, V>);
  }

  /** Removes a key and gives its value; else the fallback. @throws {RangeError} If there is neither; names the key. */
  pop(...args: [key: K, fallback?: V]): V {
    const [key, fallback] = args;
    if (!this.#map.has(key)) {
      if (args.length < 2) throw noSuchKey(key);
      return fallback as V;
    }
    const value = this.#map.get(key) as V;
    this.#map.delete(key);
    return value;
  }

  /** Removes the entry that was added last and gives it; undefined if there is none. */
  popItem(): [K, V] | undefined {
    const last = [...this.#map.entries()].at(-1);
    if (last !== undefined) this.#map.delete(last[0]);
    return last;
  }

  /** The value; if there is no such key it is added with this value. */
  setDefault(key: K, value: V): V {
    if (!this.#map.has(key)) this.set(key, value);
    return this.#map.get(key) as V;
  }

  /**
   * `update(key, fn)`: as `compute`. `update(source)`: adds all entries of an object, a Map or pairs, at once.
   */
  update(...args: [key: K, fn: (value: V | undefined) => V | Promise<V>] | [source: DictSource<K, V>]): V | Promise<V> {
    if (args.length >= 2) return this.compute(args[0] as K, args[1] as () => V);
    this.#setAll(args[0] as DictSource<K, V>);
    return undefined as V;
  }

  /**
   * Replaces a value by what `fn` makes of it (of undefined, if there is no such key), atomically: no other call to this dict
   * is served meanwhile. `fn` runs in the manager. Gives the new value.
   */
  compute(key: K, fn: (value: V | undefined) => V | Promise<V>): V | Promise<V> {
    checkFunction("fn", fn);
    checkKey(key);
    const value = fn(this.#map.get(key));
    if (value instanceof Promise) return value.then((settled: V) => this.#put(key, settled));
    return this.#put(key, value);
  }

  /** Runs `fn` in the manager with the Map that holds the entries; no other call to this dict is served meanwhile. */
  use<R>(fn: (map: Map<K, V>) => R): R {
    checkFunction("fn", fn);
    return fn(this.#map);
  }

  #put(key: K, value: V): V {
    this.#map.set(key, value);
    return value;
  }

  #setAll(given: DictSource<K, V> | undefined): void {
    if (given === undefined) return;
    const source = contentOf("source", given);
    if (typeof source !== "object" || source === null || source instanceof RemoteProxy) {
      throw typeError("source", "an object, a Map, pairs, or a dict", given);
    }
    const entries = Symbol.iterator in source ? source : (Object.entries(source) as [K, V][]);
    const checked: [K, V][] = [];
    for (const entry of entries as Iterable<readonly [K, V]>) {
      if (!Array.isArray(entry)) throw typeError("entry", "a pair of a key and a value", entry);
      checkKey(entry[0]);
      checked.push([entry[0] as K, entry[1] as V]);
    }
    for (const [key, value] of checked) this.#map.set(key, value);
  }
}

function checkKey(key: unknown): void {
  if ((typeof key === "object" && key !== null) || typeof key === "function") {
    throw typeError("key", "a primitive value (a string, a number …)", key);
  }
}
