/** Instances of which a part cannot be read from outside: `#private` members, or what stands for them (see private-stores.ts). */

import { TO_HANDLE } from "../core/handle.ts";
import { parseAlone, scopeWith } from "./analysed-function.ts";
import { factsOf, hasInspector, type ScopeValues } from "./inspector.ts";
import { storeKind } from "./private-stores.ts";
import type { Node } from "./scope-tree.ts";

const verdicts = new WeakMap<Function, boolean>();

/** Whether the instances of a class have members that a copy of them would lack. Asked once for each class. */
export function hasPrivateMembers(constructor: Function, prototype: object): boolean {
  let verdict = verdicts.get(constructor);
  if (verdict === undefined) verdicts.set(constructor, (verdict = judge(constructor, prototype)));
  return verdict;
}

function judge(constructor: Function, prototype: object): boolean {
  const text = Function.prototype.toString.call(constructor);
  if (!text.startsWith("class")) return false;
  const mayDeclare = /#[\p{ID_Start}$_]/u.test(text);
  // Classes of this library say by themselves how their instances travel.
  const mayStore = STORING.test(text) && !Object.hasOwn(prototype, TO_HANDLE) && hasInspector();
  if (!mayDeclare && !mayStore) return false;
  const found = parseAlone(text, true);
  const elements = ((found?.site.node["body"] as Node | undefined)?.["body"] ?? []) as Node[];
  if (elements.some(declaresPrivate)) return true;
  return mayStore && stores(constructor, elements.filter(isConstruction), found?.source ?? "");
}

/** The brand of an instance cannot be made again; static members are no matter. */
function declaresPrivate(element: Node): boolean {
  return (element["key"] as Node | undefined)?.type === "PrivateIdentifier" && element["static"] !== true;
}

/** What runs when an instance is made: the constructor, and the values of fields. */
function isConstruction(element: Node): boolean {
  return element["kind"] === "constructor" || (element.type === "PropertyDefinition" && element["static"] !== true);
}

const STORING = /([\w$]+)\.(?:set|add)\(\s*this\b|\(\s*this\s*,\s*([\w$]+)/;

/** Whether each new instance is put into a WeakMap or WeakSet. */
function stores(constructor: Function, parts: readonly Node[], source: string): boolean {
  const names = parts.flatMap(({ start, end }) =>
    [...source.slice(start, end).matchAll(new RegExp(STORING, "g"))].map(([, store, argument]) => store ?? argument),
  );
  if (names.length === 0) return false;
  const { scopes } = factsOf(constructor);
  return names.some((name) => storeKind(valueOf(scopes, name as string)) !== undefined);
}

function valueOf(scopes: readonly ScopeValues[], name: string): unknown {
  try {
    return scopeWith(scopes, name)?.values[name];
  } catch {
    return undefined; // not initialised yet
  }
}
