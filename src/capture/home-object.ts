/**
 * Where `super` starts: at the prototype of the object whose method the code is (its home object, in the terms of ECMA-262).
 * V8 does not show that object, so it is looked for: where the method was found, or in what `this` of an arrow is.
 */

import { types } from "node:util";
import { queueMicrotask } from "../core/timers.ts";
import type { FunctionSite, Node, Scope } from "./scope-tree.ts";
import { functionsOf } from "./properties.ts";
import type { ScriptRecord } from "./scripts.ts";

/** The classes that were read last, in this turn of the event loop; by their place in their file. */
let lastRead = new Map<Node, Function>();

/** Says that a class is being sent: decorated methods of it, which no property holds any more, belong to it. */
export function rememberClassSite(cls: Function, site: FunctionSite): void {
  if (lastRead.size === 0) queueMicrotask(() => (lastRead = new Map()));
  lastRead.set(site.node, cls);
}

/**
 * The prototype of the home object of a function that uses `super`; undefined if it is not found.
 * @param start Where to look: the object that has the method, what it is bound to, `this` of an arrow.
 */
export function homePrototype(
  fn: Function,
  site: FunctionSite,
  { source }: ScriptRecord,
  start: unknown,
): { readonly value: object | null } | undefined {
  const member = memberAround(site);
  if (member === undefined) return undefined;
  const home =
    member.cls === undefined ? objectHome(fn, site, member, source, start) : classHome(member, source, start);
  return home === undefined ? undefined : { value: Object.getPrototypeOf(home) as object | null };
}

/** Whether an object was made by the class around a field's arrow (or, for a static field, is that class). */
export function isMadeHere(object: object, site: FunctionSite, { source }: ScriptRecord): boolean {
  const member = memberAround(site);
  return member?.cls !== undefined && classHomeIn(object, member, source) !== undefined;
}

/** The method, field or block in which the code stands, and the class that it belongs to, if it is not an object's. */
interface Member {
  readonly element: Node;
  readonly cls: Node | undefined;
}

function memberAround(site: FunctionSite): Member | undefined {
  if (site.syntax !== "arrow") return memberIn(site.scope, site.element);
  for (let scope: Scope | undefined = site.scope; scope !== undefined; scope = scope.parent) {
    if (scope.node !== site.owner || scope.parent?.node === site.owner) continue;
    return memberIn(scope.parent, site.owner);
  }
  return undefined;
}

function memberIn(scope: Scope | undefined, owner: Node | undefined): Member | undefined {
  if (scope === undefined || owner === undefined) return undefined;
  const isClass = scope.node.type === "ClassDeclaration" || scope.node.type === "ClassExpression";
  if (!isClass) return { element: owner, cls: undefined };
  const elements = (scope.node["body"] as Node)["body"] as Node[];
  const element = elements.find((each) => each === owner || each["value"] === owner);
  return element === undefined ? undefined : { element, cls: scope.node };
}

function classHome(member: Member, source: string, start: unknown): object | undefined {
  const known = lastRead.get(member.cls as Node);
  return classHomeIn(start, member, source) ?? (isStatic(member) ? known : (known?.prototype as object | undefined));
}

function classHomeIn(start: unknown, member: Member, source: string): object | undefined {
  const { start: from, end } = member.cls as Node;
  const text = source.slice(from, end);
  for (const object of chainOf(start)) {
    const candidate = isStatic(member) ? object : constructorOf(object);
    if (typeof candidate === "function" && Function.prototype.toString.call(candidate) === text) return object;
  }
  return undefined;
}

function isStatic({ element }: Member): boolean {
  return element["static"] === true || element.type === "StaticBlock";
}

function constructorOf(object: object): unknown {
  const value: unknown = Object.getOwnPropertyDescriptor(object, "constructor")?.value;
  return typeof value === "function" && value.prototype === object ? value : undefined;
}

/** The last one that has the method: others before it may have been given it. */
function objectHome(
  fn: Function,
  site: FunctionSite,
  { element }: Member,
  source: string,
  start: unknown,
): object | undefined {
  // Of the method around an arrow only the text is known, and only without its name.
  const body = site.syntax === "arrow" ? source.slice((element["body"] as Node).start, element.end) : undefined;
  const isIt = (part: Function): boolean =>
    body === undefined ? part === fn : Function.prototype.toString.call(part).endsWith(body);
  let home: object | undefined;
  for (const object of chainOf(start)) {
    const descriptors = Object.values(Object.getOwnPropertyDescriptors(object));
    if (descriptors.some((each) => functionsOf(each).some(isIt))) home = object;
  }
  return home;
}

/** An object and its prototypes; up to a Proxy, whose traps must not run. */
function* chainOf(start: unknown): Generator<object> {
  let object = start as object | null;
  if (typeof object !== "object" && typeof object !== "function") return;
  while (object !== null && !types.isProxy(object)) {
    yield object;
    object = Object.getPrototypeOf(object) as object | null;
  }
}
