/** What the platform gives and everybody can name: `Math`, `Math.max`, `node:fs`, its `readFileSync`. Found by identity. */

import { builtinModules, createRequire } from "node:module";
import { types } from "node:util";
import { ownFolder } from "../core/own-modules.ts";
import { GLOBAL_NAMES } from "./global-names.ts";
import type { BuiltinImage } from "./image.ts";

const require = createRequire(ownFolder());
const MAX_DEPTH = 3;

let globals: Map<object, BuiltinImage> | undefined;
let modules = new Map<object, BuiltinImage>();
let loadedCount = 0;

/** The name of something of the platform, or undefined. */
export function builtinNamed(value: object): BuiltinImage | undefined {
  globals ??= globalTable();
  return globals.get(value) ?? moduleTable().get(value) ?? lazyGlobal(value);
}

/** As `builtinNamed`, for the objects that it is cheap to ask about: what stands on the global object, and builtin modules. */
export function builtinObject(value: object): BuiltinImage | undefined {
  globals ??= globalTable();
  const found = globals.get(value) ?? (value === process.env ? ENV : undefined) ?? moduleTable().get(value);
  return found ?? (typeof value === "object" && !isPlain(value) ? lazyGlobal(value) : undefined);
}

/**
 * Globals that exist from the start. The others (`FormData`, `Crypto` …) are made when they are first looked at, even by asking for
 * a property descriptor, which takes up to 30 ms: they are looked up by name, once something of that name is met.
 */
const EAGER_GLOBALS =
  `AggregateError Array ArrayBuffer Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError FinalizationRegistry
  Float16Array Float32Array Float64Array Function Int16Array Int32Array Int8Array Intl Iterator JSON Map Math Number Object Promise Proxy RangeError
  ReferenceError Reflect RegExp Set SharedArrayBuffer String SuppressedError Symbol SyntaxError Temporal TypeError URIError Uint16Array
  Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly clearImmediate clearInterval clearTimeout console decodeURI
  decodeURIComponent encodeURI encodeURIComponent escape eval isFinite isNaN parseFloat parseInt queueMicrotask setImmediate
  setInterval setTimeout structuredClone unescape`.split(/\s+/);

/** Not worth a closer look, or not to be looked at: traps of a Proxy would run. */
function isPlain(value: object): boolean {
  if (types.isProxy(value)) return true;
  const prototype = Object.getPrototypeOf(value) as object | null;
  const isCommon = prototype === Object.prototype || prototype === null || prototype === Array.prototype;
  return isCommon && !Object.hasOwn(value, "constructor");
}

const ENV: BuiltinImage = { kind: "builtin", from: "globalThis", path: ["process", "env"] };

function globalTable(): Map<object, BuiltinImage> {
  const table = new Map<object, BuiltinImage>();
  table.set(globalThis, { kind: "builtin", from: "globalThis", path: [] });
  for (const name of EAGER_GLOBALS) addMember(table, globalThis, name, "globalThis", []);
  // Accessors on the global object, but cheap and without effects.
  for (const name of ["process", "Buffer"] as const) add(table, globalThis[name], "globalThis", [name]);
  const typedArray = Object.getPrototypeOf(Uint8Array) as object;
  add(table, typedArray, "globalThis", ["Uint8Array", "__proto__"]);
  return table;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** Adds an object and, a few levels deep, what its data properties hold. Getters are never run: some are lazy, some throw. */
function add(table: Map<object, BuiltinImage>, value: object, from: string, path: readonly string[]): void {
  if (table.has(value) || types.isProxy(value)) return;
  table.set(value, { kind: "builtin", from, path });
  if (path.length >= MAX_DEPTH) return;
  for (const name of Object.getOwnPropertyNames(value)) {
    if (name !== "constructor") addMember(table, value, name, from, path);
  }
}

function addMember(
  table: Map<object, BuiltinImage>,
  owner: object,
  name: string,
  from: string,
  path: readonly string[],
): void {
  const value: unknown = Object.getOwnPropertyDescriptor(owner, name)?.value;
  if (!isObject(value) || (name !== "prototype" && !isPlatform(value))) return;
  add(table, value, from, [...path, name]);
}

/** Functions, namespaces such as `Math`, and prototypes; not the values that properties such as `process.argv` hold. */
function isPlatform(value: object): boolean {
  if (typeof value === "function") return true;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return Symbol.toStringTag in value || Object.hasOwn(value, "constructor") || value === console;
}

/** Builtin modules that are loaded by now, whose objects and functions may be met. */
function moduleTable(): Map<object, BuiltinImage> {
  const { moduleLoadList } = process as unknown as { moduleLoadList: readonly string[] };
  if (moduleLoadList.length === loadedCount) return modules;
  loadedCount = moduleLoadList.length;
  const names = new Set(moduleLoadList);
  const next = new Map<object, BuiltinImage>();
  for (const name of builtinModules) {
    if (name.startsWith("_") || DEPRECATED.has(name) || !names.has(`NativeModule ${name}`)) continue;
    addModule(next, `node:${name}`, require(name) as object);
  }
  loadedCount = moduleLoadList.length;
  return (modules = next);
}

const DEPRECATED = new Set(["punycode", "sys", "domain", "constants", "wasi", "sqlite", "process", "trace_events"]);

function addModule(table: Map<object, BuiltinImage>, from: string, exports: object): void {
  if (!table.has(exports)) table.set(exports, { kind: "builtin", from, path: [] });
  for (const name of Object.getOwnPropertyNames(exports)) {
    const value: unknown = Object.getOwnPropertyDescriptor(exports, name)?.value;
    if (typeof value !== "function" && !isModuleLike(name, value)) continue;
    if (!table.has(value as object)) table.set(value as object, { kind: "builtin", from, path: [name] });
    // Methods of its classes, and functions on functions such as `fs.realpath.native`.
    for (const [owner, path] of [
      [value, [name]],
      [(value as { prototype?: unknown }).prototype, [name, "prototype"]],
    ] as const) {
      if (!isObject(owner)) continue;
      for (const key of Object.getOwnPropertyNames(owner)) {
        const member: unknown = Object.getOwnPropertyDescriptor(owner, key)?.value;
        if (typeof member === "function" && key !== "constructor" && !table.has(member))
          table.set(member, { kind: "builtin", from, path: [...path, key] });
      }
      if (!table.has(owner)) table.set(owner, { kind: "builtin", from, path });
    }
  }
}

/** `path.posix`, `crypto.webcrypto`, `fs.constants`: objects of functions that belong to a module. */
function isModuleLike(name: string, value: unknown): value is object {
  return typeof value === "object" && value !== null && /^(?:posix|win32|strict|promises|constants)$/.test(name);
}

/** Globals that are made when they are first looked at: looked up by the name that the value has itself. */
function lazyGlobal(value: object): BuiltinImage | undefined {
  if (typeof value === "function") {
    return isGlobal(value.name, value) ? { kind: "builtin", from: "globalThis", path: [value.name] } : undefined;
  }
  const constructor: unknown = Object.getOwnPropertyDescriptor(value, "constructor")?.value;
  if (typeof constructor === "function" && constructor.prototype === value && isGlobal(constructor.name, constructor))
    return { kind: "builtin", from: "globalThis", path: [constructor.name, "prototype"] };
  const name = SINGLE_INSTANCES.get(Object.prototype.toString.call(value));
  return name !== undefined && isGlobal(name, value)
    ? { kind: "builtin", from: "globalThis", path: [name] }
    : undefined;
}

const SINGLE_INSTANCES = new Map([
  ["[object Performance]", "performance"],
  ["[object Crypto]", "crypto"],
  ["[object Navigator]", "navigator"],
]);

function isGlobal(name: string, value: object): boolean {
  return GLOBAL_NAMES.has(name) && (globalThis as Record<string, unknown>)[name] === value;
}
