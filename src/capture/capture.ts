/** From a function to its image: the door of this folder for whoever sends. */

import { types } from "node:util";
import { exportOfScript } from "../core/own-script.ts";
import { analysisOf, parseAlone } from "./analysed-function.ts";
import { builtinNamed } from "./builtins.ts";
import { type Analysis, analyse } from "./definition.ts";
import { definitionId } from "./definition-id.ts";
import { originOfSpecial, toFileUrl } from "./file-values.ts";
import { moduleOfFunction } from "./from-module.ts";
import { GLOBAL_NAMES } from "./global-names.ts";
import { cachedExport, knownImport, rememberImport } from "./identities.ts";
import type { FunctionDefinition, FunctionImage, ModuleImage, SourceImage } from "./image.ts";
import { factsOf, type FunctionFacts, hasInspector } from "./inspector.ts";
import { mainModule } from "./main-module.ts";
import { referenceOf } from "./origins.ts";
import { plainDefinition } from "./plain-function.ts";
import { isBare, ownProperties, prototypeProperties } from "./properties.ts";
import { isConstant, parentOf, readImage, refuse } from "./read-image.ts";
import { restoredParts } from "./restore.ts";
import { restoredBinding } from "./restore-bound.ts";
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
  const constant = constantImage(fn);
  if (constant !== undefined) return constant;
  const before = known.get(fn);
  if (before !== undefined && before.image === undefined)
    return readImage(fn, before.analysis, factsOf(fn), before.record, path, holder);
  if (types.isProxy(fn)) refuse(path, "it is a Proxy");
  return byReference(fn) ?? restored(fn, path) ?? captureText(fn, path, holder);
}

/** The image of a function that was captured before, if it is the same for ever: nothing that may change is in it. */
export function constantImage(fn: Function): FunctionImage | undefined {
  const before = known.get(fn);
  return before?.image === undefined || (before.isBare && !isBare(fn)) ? undefined : before.image;
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
    const parent = parentOf(fn, definition);
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
      ...(parts.homePrototype === undefined ? {} : { homePrototype: parts.homePrototype }),
      ...(parent === undefined ? {} : { parent }),
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
  if (record.url.startsWith("node:")) return captureBuiltin(fn, path, record.url, facts);
  rememberImports(record, facts);
  const reference = knownImport(fn) ?? exportOf(fn, facts, record);
  if (reference !== undefined) {
    known.set(fn, { image: reference, isBare: false });
    return reference;
  }
  const analysis = analysisOf(fn, text, facts, record, path);
  known.set(fn, { image: undefined, analysis, record });
  const image = readImage(fn, analysis, facts, record, path, holder);
  if (isConstant(analysis) && isBare(fn)) known.set(fn, { image, isBare: true });
  return image;
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

function captureBuiltin(fn: Function, path: string, url: string, facts: FunctionFacts): FunctionImage {
  const image = builtinNamed(fn) ?? promisified(facts, url);
  if (image === undefined) refuse(path, `it is an internal function of Node (${fn.name || "without a name"}, ${url})`);
  known.set(fn, { image, isBare: false });
  return image;
}

/** What `util.promisify` made: made again of the function that it was made of. */
function promisified({ scopes }: FunctionFacts, url: string): SourceImage | undefined {
  const original: unknown = scopes.find(({ values }) => Object.hasOwn(values, "original"))?.values["original"];
  if (url !== "node:internal/util" || typeof original !== "function") return undefined;
  const module = { importer: undefined, specifier: "node:util", how: "import" } as const;
  const parts = {
    source: "(...args) => promisify(original)(...args)",
    syntax: "arrow",
    name: original.name,
    url: "node:util",
    line: 0,
    column: 0,
    strict: true,
    isModule: true,
    variables: [{ name: "promisify", reference: { module, exportName: "promisify" } }, { name: "original" }],
    keyParameters: [],
  } as const;
  const definition = { id: definitionId(parts), ...parts };
  return { ...bareImage(definition), values: [undefined, original], cells: [undefined, undefined] };
}

/** What the file imports is known by identity from now on, whichever way it is reached. */
function rememberImports(record: ScriptRecord, { scopes }: FunctionFacts): void {
  if (seenScripts.has(record)) return;
  seenScripts.add(record);
  const tree = record.scopes();
  const values = scopes.find(({ type }) => type === "Module")?.values;
  if (tree === undefined || values === undefined) return;
  const site = { url: record.url, isModule: record.isModule, scopes: tree, source: record.source };
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
  const own = exportOfScript(url, fn);
  if (own !== undefined) return moduleImage(url, own);
  if (!record.isModule) return cachedExport(fn, record.url);
  const values = scopes.find(({ type }) => type === "Module")?.values;
  for (const [local, exportName] of record.scopes()?.exports ?? []) {
    if (values === undefined || !Object.hasOwn(values, local) || readVariable(values, local) !== fn) continue;
    return moduleImage(url, exportName);
  }
  return undefined;
}

function moduleImage(url: string, exportName: string): ModuleImage {
  return { kind: "module", module: { importer: undefined, specifier: url, how: "import" }, exportName };
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
  const analysis = analyse(
    { ...place, name: fn.name, isKnown: () => undefined, valueOf: () => undefined, inherits: false },
    path,
  );
  return {
    ...bareImage(analysis.definition),
    properties: ownProperties(fn, analysis),
    prototypeProperties: prototypeProperties(fn, analysis),
  };
}

export { referenceTo } from "./identities.ts";
