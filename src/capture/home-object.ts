/**
 * Where `super` starts: at the prototype of the object whose method the code is (its home object, in the terms of ECMA-262).
 * V8 does not show that object, so it is looked for: where the method was found, or in what `this` of an arrow is.
 */

import { types } from "node:util";
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

function classHome({ element, cls }: Member, source: string, start: unknown): object | undefined {
  const isStatic = element["static"] === true || element.type === "StaticBlock";
  const text = source.slice((cls as Node).start, (cls as Node).end);
  for (const object of chainOf(start)) {
    const candidate = isStatic ? object : constructorOf(object);
    if (typeof candidate === "function" && Function.prototype.toString.call(candidate) === text) return object;
  }
  const known = lastRead.get(cls as Node);
  return isStatic ? known : (known?.prototype as object | undefined);
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
