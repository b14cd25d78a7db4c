/** Objects that cannot travel, and why. */

import { builtinModules, createRequire } from "node:module";
import { types } from "node:util";
import { ownFolder } from "../core/own-modules.ts";
import { prototypeHere } from "../core/realms.ts";
import { GLOBAL_NAMES } from "./global-names.ts";
import { hasPrivateMembers } from "./private-members.ts";

const require = createRequire(ownFolder());

/** Classes of the platform whose instances can be rebuilt from what they hold. */
const ALLOWED_GLOBALS = new Set(
  `Object Function Array Map Set Date RegExp String Number Boolean BigInt Symbol ArrayBuffer DataView Error EvalError RangeError
  ReferenceError SyntaxError TypeError URIError AggregateError SuppressedError DOMException URL URLSearchParams Buffer Uint8Array Int8Array
  Uint16Array Int16Array Uint32Array Int32Array Float16Array Float32Array Float64Array Uint8ClampedArray BigInt64Array BigUint64Array
  Iterator Headers TextEncoder TextDecoder`.split(/\s+/),
);
const ALLOWED_OF_MODULES = new Set(["EventEmitter", "AssertionError", "URL", "URLSearchParams", "Buffer"]);

/** What `util.types` tells without touching a property (a Proxy's traps would run). */
const KINDS: readonly (readonly [(value: object) => boolean, string])[] = [
  [types.isProxy, "a Proxy"],
  [types.isPromise, "a Promise; await it first"],
  [types.isWeakMap, "a WeakMap"],
  [types.isWeakSet, "a WeakSet"],
  [types.isGeneratorObject, "a generator that has been started; send the generator function"],
  [types.isExternal, "an external of native code"],
  [types.isSharedArrayBuffer, "a SharedArrayBuffer; use SharedArray or SharedMemory"],
  [types.isMapIterator, "an iterator of a Map"],
  [types.isSetIterator, "an iterator of a Set"],
  [types.isModuleNamespaceObject, "the namespace of a module of unknown origin"],
];

const verdicts = new WeakMap<object, { readonly reason: string | undefined }>();

/**
 * Why an object (not a function) cannot be sent: "a WeakMap", "an instance of net.Server"; undefined when nothing speaks against it.
 * To be asked before any property of the object is touched.
 */
export function refuseReason(value: object): string | undefined {
  const prototype = types.isProxy(value) ? null : (Object.getPrototypeOf(value) as object | null);
  if (prototype === Object.prototype || (prototype === Array.prototype && Array.isArray(value))) {
    return types.isExternal(value) ? "an external of native code" : undefined;
  }
  for (const [test, reason] of KINDS) if (test(value)) return reason;
  if (Object.prototype.toString.call(value) === "[object WeakRef]") return "a WeakRef";
  return prototype === null ? undefined : ofPrototype(prototype);
}

/** The verdict on all objects with this prototype. */
function ofPrototype(prototype: object): string | undefined {
  let verdict = verdicts.get(prototype);
  if (verdict === undefined) verdicts.set(prototype, (verdict = { reason: judge(prototype) }));
  return verdict.reason;
}

function judge(start: object): string | undefined {
  for (
    let prototype: object | null = start;
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    if (types.isProxy(prototype)) return "an object whose prototype is a Proxy";
    const next: unknown = Object.getOwnPropertyDescriptor(prototype, "next")?.value;
    if (typeof next === "function" && isNative(next))
      return "an iterator that has been started; send what it goes through";
    const constructor: unknown = Object.getOwnPropertyDescriptor(prototypeHere(prototype), "constructor")?.value;
    if (typeof constructor !== "function") continue;
    const platform = platformClass(constructor);
    if (platform !== undefined) return platform.allowed ? undefined : `an instance of ${platform.name}`;
    if (hasPrivateMembers(constructor, prototype))
      return `an instance of ${constructor.name || "a class"}, whose private members cannot be read`;
  }
  return undefined;
}

/** Whether the constructor is one of Node or V8, under which name, and whether its instances travel. */
function platformClass(constructor: Function): { name: string; allowed: boolean } | undefined {
  const { name } = constructor;
  if (GLOBAL_NAMES.has(name) && (globalThis as Record<string, unknown>)[name] === constructor)
    return { name, allowed: ALLOWED_GLOBALS.has(name) };
  const loaded = new Set((process as unknown as { moduleLoadList: readonly string[] }).moduleLoadList);
  for (const module of CLASS_MODULES) {
    if (!loaded.has(`NativeModule ${module}`)) continue;
    const exports = require(module) as Record<string, unknown>;
    if (exports[name] === constructor) return { name: `${module}.${name}`, allowed: ALLOWED_OF_MODULES.has(name) };
  }
  if (isNative(constructor) && !isBoundClass(constructor)) {
    const isOfIntl = (Intl as unknown as Record<string, unknown>)[name] === constructor;
    return { name: isOfIntl ? `Intl.${name}` : name || "a native class", allowed: isOfIntl };
  }
  return INTERNAL.has(name) && isInternal(constructor) ? { name, allowed: false } : undefined;
}

const CLASS_MODULES =
  `net http https http2 tls dgram stream fs child_process worker_threads events zlib crypto readline repl vm inspector perf_hooks
  cluster async_hooks assert url string_decoder stream/web fs/promises dns diagnostics_channel tty util buffer`
    .split(/\s+/)
    .filter((name) => builtinModules.includes(name));

/** Classes of Node that no public module exports. */
const INTERNAL = new Set(
  `Timeout Immediate FSWatcher StatWatcher FileHandle FSReqCallback Pipe TCP UDP TTY Process HTTPParser TLSWrap ChildProcess Hash Hmac Cipheriv Decipheriv
  Sign Verify ReadStream WriteStream KeyObject SecretKeyObject PublicKeyObject PrivateKeyObject CryptoKey Socket Server MessagePort Agent
  ClientRequest IncomingMessage ServerResponse Interface Dir Gzip Gunzip Deflate Inflate BrotliCompress BrotliDecompress`.split(
    /\s+/,
  ),
);

function isNative(fn: Function): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));
}

function isBoundClass(constructor: Function): boolean {
  return constructor.name.startsWith("bound ");
}

/** A class by one of Node's internal names: Node's own if its text uses Node's own words. */
function isInternal(constructor: Function): boolean {
  const text = Function.prototype.toString.call(constructor);
  return /primordials|internalBinding|\bk[A-Z]\w+\b|ERR_|Primordial|ReflectApply|FunctionPrototype|initAsyncResource|async_id_symbol/.test(
    text,
  );
}
