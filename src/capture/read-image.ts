/** Reads what a function holds at the moment of the call: variables, `this`, the parent of a class, properties. */

import { types } from "node:util";
import { SerializationError } from "../core/errors.ts";
import { scopeWith } from "./analysed-function.ts";
import { cellOf } from "./cells.ts";
import type { Analysis, KeySource, VariableSource } from "./definition.ts";
import type { FunctionDefinition, SourceImage } from "./image.ts";
import type { FunctionFacts } from "./inspector.ts";
import { homePrototype, rememberClassSite } from "./home-object.ts";
import { lexicalThis } from "./lexical-this.ts";
import { functionsOf, ownProperties, prototypeProperties } from "./properties.ts";
import type { ScriptRecord } from "./scripts.ts";

/** Whether the image can never change as long as nothing is put on the function. */
export function isConstant({ sources, definition, site }: Analysis): boolean {
  const isClosed = sources.every(({ from }) => from === "nowhere");
  const isFree = definition.thisParameter === undefined && definition.usesSuper === undefined;
  return isClosed && isFree && site.syntax !== "class";
}

/** Throws the error that every refusal of this folder is. */
export function refuse(path: string, why: string): never {
  throw new SerializationError(`Cannot send \`${path}\`: ${why}`, { path });
}

/** The image of a function whose analysis is known, with the values that its variables have now. */
export function readImage(
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
  if (site.syntax === "class") rememberClassSite(fn, site);
  const parent = parentOf(fn, definition);
  const lexical =
    definition.thisParameter === undefined ? undefined : lexicalThis(fn, site, facts.location, record, path, holder);
  return {
    kind: "source",
    definition,
    values,
    cells,
    keys: analysis.keys.map((key) => readKey(fn, key, facts, path)),
    ...(lexical === undefined ? {} : { lexicalThis: lexical }),
    ...(definition.usesSuper === undefined
      ? {}
      : { homePrototype: homeOf(fn, analysis, record, path, lexical === undefined ? holder : lexical.value) }),
    ...(parent === undefined ? {} : { parent }),
    properties: ownProperties(fn, analysis),
    prototypeProperties: prototypeProperties(fn, analysis),
  };
}

function homeOf(
  fn: Function,
  { site }: Analysis,
  record: ScriptRecord,
  path: string,
  start: unknown,
): { readonly value: object | null } {
  const found = homePrototype(fn, site, record, start);
  return found ?? refuse(path, "it uses `super` outside of its class; send the object or the class instead");
}

function readSource(
  { name, from, binding, members }: VariableSource,
  { scopes }: FunctionFacts,
  path: string,
): unknown {
  if (from === "global") return (globalThis as Record<string, unknown>)[name];
  const scope = scopeWith(scopes, name);
  if (scope === undefined && isOfScript(name, binding)) return (globalThis as Record<string, unknown>)[name];
  if (scope === undefined) refuse(path, `V8 does not tell the value of its variable \`${name}\``);
  let value: unknown;
  try {
    value = scope.values[name];
  } catch {
    refuse(path, `its variable \`${name}\` is not initialised yet`);
  }
  if (value === undefined && cannotBeUndefined(binding))
    refuse(path, `its variable \`${name}\` is not initialised yet`);
  if (name === "arguments" && types.isArgumentsObject(value)) return Array.from(value as ArrayLike<unknown>);
  return members === undefined ? value : pickMembers(value as Record<string, unknown>, members);
}

/** What a script that is no module (`node -e`, `vm.runInThisContext`) declares at its top with `var` or `function` stands on the global object. */
function isOfScript(name: string, binding: VariableSource["binding"]): boolean {
  return (binding?.kind === "var" || binding?.kind === "function") && Object.hasOwn(globalThis, name);
}

/** Node 20 shows a variable before its declaration as undefined: caught where the declaration says that it is something. */
function cannotBeUndefined(binding: VariableSource["binding"]): boolean {
  if (binding === undefined || binding.assigned) return false;
  if (binding.kind === "class") return true;
  if (binding.kind === "var" || binding.origin?.from !== "initialiser" || binding.origin.path.length > 0) return false;
  return /^(?:Literal|TemplateLiteral|ObjectExpression|ArrayExpression|NewExpression|ClassExpression|ArrowFunctionExpression|FunctionExpression)$/.test(
    binding.origin.node.type,
  );
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

/** The class that a class extends (null for `extends null`), or that an old-style constructor inherits from. */
export function parentOf(fn: Function, { syntax, parentParameter }: FunctionDefinition): SourceImage["parent"] {
  const own = Object.getOwnPropertyDescriptor(fn, "prototype")?.value as object | null | undefined;
  if (parentParameter === undefined) return undefined;
  if (syntax === "class") {
    return { value: Object.getPrototypeOf(own) === null ? null : (Object.getPrototypeOf(fn) as unknown) };
  }
  const above = Object.getPrototypeOf(own) as { constructor?: unknown } | null;
  const { constructor } = above ?? {};
  return typeof constructor === "function" && constructor.prototype === above
    ? { value: constructor }
    : { value: Object };
}
