/**
 * Things known by identity: exports of modules that were seen as import bindings, of CommonJS modules in the cache, of this library.
 * What is imported travels as a reference, whichever way it was reached.
 */

import { createRequire } from "node:module";
import { types } from "node:util";
import { ownFolder } from "../core/own-modules.ts";
import { isHandle } from "../core/handle.ts";
import { builtinNamed, builtinObject } from "./builtins.ts";
import { toFilePath, toFileUrl } from "./file-values.ts";
import type { BuiltinImage, ModuleImage } from "./image.ts";
import { mainModule } from "./main-module.ts";
import { originOfModule } from "./modules.ts";

const require = createRequire(ownFolder());
const known = new WeakMap<object, ModuleImage>();

/** Remembers what a value can be imported as. The first answer stays. */
export function rememberImport(value: unknown, image: ModuleImage): void {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return;
  if (types.isProxy(value) || known.has(value) || builtinObject(value) !== undefined) return;
  // Locks, queues and their kind are sent as what they are: imported again, they would be others.
  if (isHandle(value)) return;
  known.set(value, image);
  if (!types.isModuleNamespaceObject(value)) return;
  for (const name of Object.keys(value)) {
    rememberImport(readExport(value, name), {
      ...image,
      exportName: image.exportName === "*" ? name : `${image.exportName}.${name}`,
    });
  }
}

function readExport(namespace: object, name: string): unknown {
  try {
    return (namespace as Record<string, unknown>)[name];
  } catch {
    return undefined; // not initialised yet
  }
}

/** The import that gives this value, if it was seen. */
export function knownImport(value: object): ModuleImage | undefined {
  return known.get(value);
}

/**
 * Makes the exports of one of our own modules travel by reference: they are never copied, whatever reaches them.
 * For an entry of the package, with its address and what it exports.
 */
export function registerLibraryModule(url: string, namespace: object): void {
  for (const name of Object.keys(namespace)) {
    rememberImport(readExport(namespace, name), {
      kind: "module",
      module: { importer: undefined, specifier: url, how: "import" },
      exportName: name,
    });
  }
}

/**
 * For an object that travels by reference (a module's namespace, a builtin module such as `fs`, something of the platform that has
 * a name, such as `Math` or `process`, an imported object): how to find it again. To be asked before an object is walked.
 * Undefined for all other objects.
 */
export function referenceTo(value: object): ModuleImage | BuiltinImage | undefined {
  return known.get(value) ?? builtinObject(value) ?? originOfModule(value) ?? standardStream(value);
}

/** `process.stdout` and the like, which exist in the child too; asked for only if they exist here. */
function standardStream(value: object): BuiltinImage | undefined {
  if (types.isProxy(value)) return undefined;
  const fd: unknown = Object.getOwnPropertyDescriptor(value, "fd")?.value;
  if (fd !== 0 && fd !== 1 && fd !== 2) return undefined;
  const name = (["stdin", "stdout", "stderr"] as const)[fd];
  return process[name] === value ? { kind: "builtin", from: "globalThis", path: ["process", name] } : undefined;
}

/** The export of its own CommonJS file that this function is; files of the cache only, never loads anything. */
export function cachedExport(fn: Function, url: string): ModuleImage | undefined {
  const file = toFilePath(url);
  const exports: unknown = require.cache[file]?.exports;
  if (exports === undefined || exports === null || toFileUrl(file) === mainModule()) return undefined;
  const module = { importer: undefined, specifier: toFileUrl(file), how: "require" } as const;
  if (exports === fn) return { kind: "module", module, exportName: "*" };
  if (typeof exports !== "object" && typeof exports !== "function") return undefined;
  for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(exports))) {
    const value: unknown = descriptor.get === undefined ? descriptor.value : readExport(exports, name);
    if (value === fn) return { kind: "module", module, exportName: name };
  }
  return undefined;
}

export { builtinNamed };
