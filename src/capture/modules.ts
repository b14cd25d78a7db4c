/** Modules that a received function imports: loaded ahead asynchronously, then found synchronously. */

import { SerializationError } from "../core/errors.ts";
import { fs, nodeModule, nodePath, nodeUrl } from "../core/node-builtins.ts";
import { ownFolder, ownModule } from "../core/own-modules.ts";
import { importerOf, quietly } from "./file-values.ts";
import type { BuiltinImage, ModuleImage, ModuleReference, VariableReference } from "./image.ts";

const loaded = new Map<string, unknown>();
/** What was loaded here, and as what: a function that uses it and travels on takes no copy along. */
const origins = new WeakMap<object, ModuleImage>();

function keyOf({ how, importer, specifier }: ModuleReference): string {
  return `${how} ${importer ?? ""} ${specifier}`;
}

/** Loads a module as its importer would; the namespace for an import, what `require` gives for a require. */
export async function loadModule(reference: ModuleReference): Promise<unknown> {
  const key = keyOf(reference);
  if (loaded.has(key)) return loaded.get(key);
  if (reference.how === "require" && hasLoaders()) await shareFacade();
  if (reference.how === "require") return keep(reference, requireFrom(reference));
  // At once, a module of this package takes two thirds of the time: it is on the way to a worker's first task.
  if (reference.specifier.startsWith(ownFolder()) && whyNotSync(reference) === undefined)
    return loadedModule(reference);
  return keep(reference, await importerOf(reference.importer ?? ownFolder())(reference.specifier));
}

let facadeShared: Promise<void> | undefined;

/** A loader makes another copy of this package for `require`: it is told that there is one. */
function shareFacade(): Promise<void> {
  return (facadeShared ??= (async () => {
    const url = ownModule("index.js");
    const file = nodeUrl.fileURLToPath(url);
    const { cache } = nodeModule().createRequire(url);
    if (cache[file] !== undefined) return;
    const exports = (await import(url)) as object;
    const { Module } = nodeModule();
    cache[file] = Object.assign(new Module(file), { filename: file, loaded: true, exports });
  })());
}

/**
 * The module if it is loaded already, or can be loaded synchronously without the danger of a second copy.
 * @throws SerializationError when only `loadModule` can load it.
 */
export function loadedModule(reference: ModuleReference): unknown {
  const key = keyOf(reference);
  if (loaded.has(key)) return loaded.get(key);
  return keep(reference, reference.how === "require" ? requireFrom(reference) : importSync(reference));
}

function keep(reference: ModuleReference, value: unknown): unknown {
  loaded.set(keyOf(reference), value);
  rememberOrigin(value, { kind: "module", module: reference, exportName: "*" });
  return value;
}

function rememberOrigin(value: unknown, image: ModuleImage): void {
  if (typeof value === "object" && value !== null && !origins.has(value)) origins.set(value, image);
}

/** The module that this object is, if it was loaded for a received function. */
export function originOfModule(value: object): ModuleImage | undefined {
  return origins.get(value);
}

/** The value of a function or object that travelled as a reference; its module must be loaded, or loadable at once. */
export function resolveImage(image: ModuleImage | BuiltinImage): unknown {
  if (image.kind === "module") return resolveVariable(image);
  let value: unknown = image.from === "globalThis" ? globalThis : builtinModule(image.from);
  for (const name of image.path) value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}

/** The value of an imported variable. */
export function resolveVariable({ module, exportName, interop }: VariableReference): unknown {
  let value = loadedModule(module);
  if (interop !== undefined) {
    value = wrap(value as object, interop);
    rememberOrigin(value, { kind: "module", module, exportName: "*", interop });
  }
  return pick(value, exportName, module.specifier);
}

/** What has an imported variable as it is now, under the name of its export. */
export function liveExports(reference: VariableReference): object {
  const { exportName, interop, module } = reference;
  resolveVariable(reference);
  const exports = loadedModule(module) as object;
  if (interop === undefined && isNamespace(exports) && exportName in exports) return exports;
  return Object.defineProperty({}, exportName, { get: () => resolveVariable(reference) });
}

function builtinModule(name: string): unknown {
  return process.getBuiltinModule(name);
}

function requireFrom({ importer, specifier }: ModuleReference): unknown {
  const require = nodeModule().createRequire(importer ?? ownFolder());
  return require(specifier.startsWith("file:") ? nodeUrl.fileURLToPath(specifier) : specifier) as unknown;
}

/** True when this process rewrites modules as it loads them: then `require` of a module may run a second copy of it. */
export function hasLoaders(): boolean {
  const options = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  return options.some((option) => /^(?:-r|--require|--import|--loader|--experimental-loader)(?:=|$)/.test(option));
}

function importSync(reference: ModuleReference): unknown {
  const { importer, specifier } = reference;
  if (nodeModule().isBuiltin(specifier)) return namespaceOf(builtinModule(specifier) as object);
  const reason = whyNotSync(reference);
  if (reason !== undefined) {
    throw new SerializationError(
      `Cannot load "${specifier}"${importer === undefined ? "" : ` (imported by ${importer})`} synchronously: ${reason}; receive it with the asynchronous call`,
    );
  }
  const require = nodeModule().createRequire(importer ?? ownFolder());
  const value = quietly("Support for loading ES Module in require()", () =>
    require(isPathLike(specifier) ? nodeUrl.fileURLToPath(new URL(specifier, importer ?? ownFolder())) : specifier),
  ) as object;
  return isNamespace(value) ? value : namespaceOf(value);
}

function isPathLike(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier) || specifier.startsWith("file:");
}

function whyNotSync({ importer, specifier }: ModuleReference): string | undefined {
  if (hasLoaders()) return "a module loader is installed";
  if (isPathLike(specifier)) return /[?#]/.test(specifier) ? "its specifier has a query" : undefined;
  if (specifier.startsWith("#") || URL.canParse(specifier)) return "its specifier needs the asynchronous resolver";
  // A package that gives import and require different files must not be loaded through the other door.
  const manifest = manifestOf(specifier, importer ?? ownFolder());
  if (manifest !== undefined && /"(?:import|module|node-addons|module-sync)"\s*:/.test(manifest))
    return "its package has an entry of its own for import";
  return undefined;
}

function manifestOf(specifier: string, importer: string): string | undefined {
  const name = specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
  let folder = nodePath.dirname(importer.startsWith("file:") ? nodeUrl.fileURLToPath(importer) : importer);
  for (;;) {
    const file = nodePath.join(folder, "node_modules", name, "package.json");
    if (fs.existsSync(file)) return fs.readFileSync(file, "utf8");
    if (folder === nodePath.dirname(folder)) return undefined;
    folder = nodePath.dirname(folder);
  }
}

function isNamespace(value: object): boolean {
  return (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === "Module";
}

/** What `import * as ns` of a CommonJS or builtin module shows. */
function namespaceOf(value: object): object {
  // Descriptors, not values: reading everything would run lazy and deprecated getters.
  const descriptors = typeof value === "object" ? Object.getOwnPropertyDescriptors(value) : {};
  return Object.create(null, { ...descriptors, default: { value, enumerable: true } }) as object;
}

/** What compilers put between `require()` and the variable. */
function wrap(module: object, interop: NonNullable<VariableReference["interop"]>): object {
  const isEsModule = (module as { __esModule?: boolean } | null)?.__esModule === true;
  if (isEsModule && interop !== "node") return module;
  return interop === "default" ? { default: module } : { ...module, default: module };
}

function pick(module: unknown, exportName: string, specifier: string): unknown {
  if (exportName === "*") return module;
  let value = module;
  for (const name of module !== null && Object.hasOwn(Object(module) as object, exportName)
    ? [exportName]
    : exportName.split(".")) {
    if (value === undefined || value === null || !(name in Object(value)))
      throw new SerializationError(`Cannot find the export "${exportName}" in "${specifier}"`);
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
