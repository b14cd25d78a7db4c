/** From a function to its image: the door of this folder for whoever sends. */

import { types } from "node:util";
import { SerializationError } from "../core/errors.ts";
import { analysisOf, parseAlone, scopeWith } from "./analysed-function.ts";
import { builtinNamed } from "./builtins.ts";
import { cellOf } from "./cells.ts";
import { type Analysis, analyse, type KeySource, type VariableSource } from "./definition.ts";
import { originOfSpecial, toFileUrl } from "./file-values.ts";
import { moduleOfFunction } from "./from-module.ts";
import { GLOBAL_NAMES } from "./global-names.ts";
import { cachedExport, knownImport, rememberImport } from "./identities.ts";
import type { FunctionDefinition, FunctionImage, ModuleImage, SourceImage } from "./image.ts";
import { factsOf, type FunctionFacts, hasInspector } from "./inspector.ts";
import { lexicalThis } from "./lexical-this.ts";
import { mainModule } from "./main-module.ts";
import { referenceOf } from "./origins.ts";
import { plainDefinition } from "./plain-function.ts";
import { functionsOf, isBare, ownProperties, prototypeProperties } from "./properties.ts";
import { restoredBinding, restoredParts } from "./restore.ts";
import { selfContained } from "./self-contained.ts";
import { type ScriptRecord, scriptOf } from "./scripts.ts";

/** What is remembered of a function: an image that never changes, or how to read its variables again. */
type Known =
  | { readonly image: FunctionImage; readonly isBare: boolean }
  | { readonly image: undefined; readonly analysis: Analysis; readonly record: ScriptRecord };

const known = new WeakMap<Function, Known>();
const seenScripts = new WeakSet<ScriptRecord>();

/**
 * Takes a snapshot of a function or class: its text, and the values of its captured variables as they are now.
 * Synchronous. `path` is the name under which errors speak of the function: `task`, `args[0].callback`.
 * What the values refer to (further functions, objects) is the caller's to walk.
 * `holder` is the object of which the function was found as a property: an arrow in a class field has it as its `this`.
 * @throws SerializationError when the function cannot travel.
 */
export function capture(fn: Function, path: string, holder?: object): FunctionImage {
  const before = known.get(fn);
  if (before !== undefined) {
    if (before.image === undefined) return readImage(fn, before.analysis, factsOf(fn), before.record, path, holder);
    if (!before.isBare || isBare(fn)) return before.image;
  }
  if (types.isProxy(fn)) refuse(path, "it is a Proxy");
  return byReference(fn) ?? restored(fn, path) ?? captureText(fn, path, holder);
}

function refuse(path: string, why: string): never {
  throw new SerializationError(`Cannot send \`${path}\`: ${why}`, { path });
}

function byReference(fn: Function): FunctionImage | undefined {
  const image = moduleOfFunction(fn) ?? knownImport(fn);
  if (image !== undefined) known.set(fn, { image, isBare: false });
  return image;
}

/** A function that came from another process travels on as what it was. */
function restored(fn: Function, path: string): FunctionImage | undefined {
  const binding = restoredBinding(fn);
  if (binding?.target !== undefined) return { kind: "bound", ...binding, target: binding.target };
  const parts = restoredParts(fn);
  if (parts !== undefined) {
    const { definition, values, cells } = parts;
    const isSimple = definition.syntax !== "class" && isBare(fn);
    const shape = isSimple ? undefined : parseAlone(definition.source, definition.isModule);
    if (!isSimple && shape === undefined) refuse(path, "its text cannot be parsed");
    return {
      kind: "source",
      definition,
      values,
      cells,
      keys: parts.keys,
      ...(definition.thisParameter === undefined ? {} : { lexicalThis: { value: parts.lexicalThis } }),
      ...(definition.parentParameter === undefined ? {} : { parent: { value: parentOf(fn) } }),
      properties: shape === undefined ? [] : ownProperties(fn, { site: shape.site, definition }),
      prototypeProperties: shape === undefined ? [] : prototypeProperties(fn, shape),
    };
  }
  const special = originOfSpecial(fn);
  return special === undefined ? undefined : specialImage(special.file, special.special);
}

/** `import()` or `require` of a file, as a value: an arrow that gives it would do, but for its identity. */
function specialImage(file: string, special: string): SourceImage {
  const definition = {
    id: `${special} ${file}`,
    source: `(...a) => $special(...a)`,
    syntax: "arrow",
    name: special,
    url: file,
    line: 0,
    column: 0,
    strict: true,
    isModule: true,
    variables: [{ name: "$special", special: special as "require" }],
    keyParameters: [],
  } as const satisfies FunctionDefinition;
  return {
    kind: "source",
    definition,
    values: [undefined],
    cells: [undefined],
    keys: [],
    properties: [],
    prototypeProperties: [],
  };
}

function captureText(fn: Function, path: string, holder: object | undefined): FunctionImage {
  const text = Function.prototype.toString.call(fn);
  if (/\{\s*\[native code\]\s*\}$/.test(text)) return captureNative(fn, path);
  const simplest = selfContained(fn, text);
  if (simplest !== undefined) return rememberBare(fn, simplest);
  if (!hasInspector()) return withoutInspector(fn, text, path);
  const facts = factsOf(fn);
  const plain = plainDefinition(fn, text, facts);
  if (plain !== undefined) return rememberBare(fn, plain);
  if (facts.location === undefined) refuse(path, "V8 does not tell where it comes from");
  const isModule = facts.scopes.some(({ type }) => type === "Module");
  const record = scriptOf(facts.location, text, isModule);
  if (record.url.startsWith("node:")) return captureBuiltin(fn, path, record.url);
  rememberImports(record, facts);
  const reference = knownImport(fn) ?? exportOf(fn, facts, record);
  if (reference !== undefined) {
    known.set(fn, { image: reference, isBare: false });
    return reference;
  }
  const analysis = analysisOf(fn, text, facts, record, path);
  known.set(fn, { image: undefined, analysis, record });
  return readImage(fn, analysis, facts, record, path, holder);
}

function rememberBare(fn: Function, definition: FunctionDefinition): SourceImage {
  const image = bareImage(definition);
  known.set(fn, { image, isBare: true });
  return image;
}

function bareImage(definition: FunctionDefinition): SourceImage {
  return { kind: "source", definition, values: [], cells: [], keys: [], properties: [], prototypeProperties: [] };
}

function captureNative(fn: Function, path: string): FunctionImage {
  const named = builtinNamed(fn);
  if (named !== undefined) {
    known.set(fn, { image: named, isBare: false });
    return named;
  }
  const bound = hasInspector() ? factsOf(fn).bound : undefined;
  if (bound === undefined)
    refuse(path, `it is a native function (${fn.name || "without a name"}) that has no public name`);
  return { kind: "bound", ...bound };
}

function captureBuiltin(fn: Function, path: string, url: string): FunctionImage {
  const image = builtinNamed(fn);
  if (image === undefined) refuse(path, `it is an internal function of Node (${fn.name || "without a name"}, ${url})`);
  known.set(fn, { image, isBare: false });
  return image;
}

/** What the file imports is known by identity from now on, whichever way it is reached. */
function rememberImports(record: ScriptRecord, { scopes }: FunctionFacts): void {
  if (seenScripts.has(record)) return;
  seenScripts.add(record);
  const tree = record.scopes();
  const values = scopes.find(({ type }) => type === "Module")?.values;
  if (tree === undefined || values === undefined) return;
  const site = { url: record.url, isModule: record.isModule, scopes: tree };
  for (const binding of tree.root.bindings.values()) {
    if (binding.kind !== "import" || !Object.hasOwn(values, binding.name)) continue;
    const reference = referenceOf(binding, site);
    if (reference === undefined || reference.module.specifier.startsWith("node:")) continue;
    const { module, exportName } = reference;
    rememberImport(readVariable(values, binding.name), { kind: "module", module, exportName });
  }
}

/** A variable's value, or undefined as long as it has none. */
function readVariable(values: Record<string, unknown>, name: string): unknown {
  try {
    return values[name];
  } catch {
    return undefined;
  }
}

/** The export of its own file that this function is, unless that is the program's main file. */
function exportOf(fn: Function, { scopes }: FunctionFacts, record: ScriptRecord): ModuleImage | undefined {
  const url = toFileUrl(record.url);
  if (url === mainModule()) return undefined;
  if (!record.isModule) return cachedExport(fn, record.url);
  const values = scopes.find(({ type }) => type === "Module")?.values;
  for (const [local, exportName] of record.scopes()?.exports ?? []) {
    if (values === undefined || !Object.hasOwn(values, local) || readVariable(values, local) !== fn) continue;
    return { kind: "module", module: { importer: undefined, specifier: url, how: "import" }, exportName };
  }
  return undefined;
}

function readImage(
  fn: Function,
  analysis: Analysis,
  facts: FunctionFacts,
  record: ScriptRecord,
  path: string,
  holder: object | undefined,
): SourceImage {
  const { definition, sources, site } = analysis;
  const values: unknown[] = [];
  const cells: (object | undefined)[] = [];
  for (let i = 0; i < sources.length; i++) {
    const source = sources[i] as VariableSource;
    values.push(source.from === "nowhere" ? undefined : readSource(source, facts, path));
    cells.push(definition.variables[i]?.written === true ? cellOfSource(source, facts, fn, analysis) : undefined);
  }
  const image: SourceImage = {
    kind: "source",
    definition,
    values,
    cells,
    keys: analysis.keys.map((key) => readKey(fn, key, facts, path)),
    ...(definition.thisParameter === undefined
      ? {}
      : { lexicalThis: lexicalThis(fn, site, facts.location, record, path, holder) }),
    ...(definition.parentParameter === undefined ? {} : { parent: { value: parentOf(fn) } }),
    properties: ownProperties(fn, analysis),
    prototypeProperties: prototypeProperties(fn, analysis),
  };
  const isConstant =
    sources.every(({ from }) => from === "nowhere") &&
    definition.thisParameter === undefined &&
    site.syntax !== "class" &&
    isBare(fn);
  if (isConstant) known.set(fn, { image, isBare: true });
  return image;
}

function readSource({ name, from, members }: VariableSource, { scopes }: FunctionFacts, path: string): unknown {
  if (from === "global") return (globalThis as Record<string, unknown>)[name];
  const scope = scopeWith(scopes, name);
  if (scope === undefined) refuse(path, `V8 does not tell the value of its variable \`${name}\``);
  let value: unknown;
  try {
    value = scope.values[name];
  } catch {
    refuse(path, `its variable \`${name}\` is not initialised yet`);
  }
  if (name === "arguments" && types.isArgumentsObject(value)) return Array.from(value as ArrayLike<unknown>);
  return members === undefined ? value : pickMembers(value as Record<string, unknown>, members);
}

/** Of a module's exports only what is used. */
function pickMembers(exports: Record<string, unknown>, members: readonly string[]): object {
  const entries = members.filter((name) => name in exports).map((name) => [name, exports[name]] as const);
  return Object.fromEntries(entries);
}

function cellOfSource(source: VariableSource, { scopes }: FunctionFacts, fn: Function, { site }: Analysis): object {
  const values = scopeWith(scopes, source.name)?.values ?? {};
  return source.binding === undefined ? {} : cellOf(source.binding, values, fn, site);
}

function readKey(fn: Function, key: KeySource, facts: FunctionFacts, path: string): string | symbol {
  if (key.variable !== undefined) {
    const value: unknown = scopeWith(facts.scopes, key.variable)?.values[key.variable];
    if (typeof value === "string" || typeof value === "symbol") return value;
    refuse(path, `V8 does not tell the name of its computed field [${key.variable}]`);
  }
  const owner: object = key.isStatic ? fn : (fn.prototype as object);
  for (const name of Reflect.ownKeys(owner)) {
    const parts = functionsOf(Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor);
    if (parts.some((part) => Function.prototype.toString.call(part) === key.text)) return name;
  }
  return refuse(path, "a computed member of the class was replaced");
}

/** The class that a class extends; null for `extends null`. */
function parentOf(fn: Function): unknown {
  const parent = Object.getPrototypeOf(fn) as unknown;
  const prototype = Object.getPrototypeOf(fn.prototype) as unknown;
  return prototype === null ? null : parent;
}

/** Where the inspector is forbidden: functions that use only global names, and nothing else. */
function withoutInspector(fn: Function, text: string, path: string): FunctionImage {
  const reference = builtinNamed(fn);
  if (reference !== undefined) return reference;
  const found = parseAlone(text, true) ?? parseAlone(text, false) ?? refuse(path, "its text cannot be parsed");
  const place = { ...found, url: "[function]", isModule: false, line: 0, column: 0 };
  const taken = found.scopes.occurrences.find(
    ({ name, binding }) => binding === undefined && !GLOBAL_NAMES.has(name) && !(name in globalThis),
  );
  if (taken !== undefined) {
    refuse(
      path,
      `it captures \`${taken.name}\`, and the inspector, which could read it, is not available in this process; ` +
        "pass the value as an argument, allow the inspector, or use fromModule()",
    );
  }
  const analysis = analyse({ ...place, name: fn.name, isKnown: () => undefined }, path);
  return {
    ...bareImage(analysis.definition),
    properties: ownProperties(fn, analysis),
    prototypeProperties: prototypeProperties(fn, analysis),
  };
}

export { referenceTo } from "./identities.ts";
