/** What hangs on a function besides its code: static fields, properties that were put there, patched members. */

import { prototypeHere } from "../core/realms.ts";
import type { SourceImage } from "./image.ts";
import type { Analysis } from "./definition.ts";
import type { Node } from "./scope-tree.ts";

type Properties = SourceImage["properties"];

const NONE: Properties = [];
const OWN = new Set<string | symbol>(["length", "name", "prototype", "arguments", "caller"]);

/** True when there is nothing but what the language itself puts on functions: the common case, told fast. */
export function isBare(fn: Function): boolean {
  const keys = Reflect.ownKeys(fn);
  if (keys.length === 2 && keys[0] === "length" && keys[1] === "name") return true;
  for (const key of keys) if (!OWN.has(key)) return false;
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, "prototype")?.value;
  if (typeof prototype !== "object" || prototype === null) return true;
  return Reflect.ownKeys(prototype).length <= 1 && !inherits(prototype);
}

/** Whether the prototype of an old-style constructor was given a prototype. (Those of generators have no constructor.) */
export function inherits(prototype: unknown): boolean {
  if (typeof prototype !== "object" || prototype === null) return false;
  return (
    Object.hasOwn(prototype, "constructor") &&
    prototypeHere(Object.getPrototypeOf(prototype) as object | null) !== Object.prototype
  );
}

/** Own properties that the text does not make. */
export function ownProperties(fn: Function, { site, definition }: Pick<Analysis, "site" | "definition">): Properties {
  const members = site.syntax === "class" ? membersOf(site.node, true) : undefined;
  const found = Reflect.ownKeys(fn).flatMap((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(fn, key) as PropertyDescriptor;
    const isName = key === "name" && typeof descriptor.value === "string";
    if (isName ? !isRenamed(descriptor.value as string, definition) : OWN.has(key) && key !== "name") return [];
    return isFromText(descriptor, members) ? [] : [[key, descriptor] as const];
  });
  return found.length === 0 ? NONE : found;
}

/** A lone method is given its name by its text; a computed one cannot be. */
function isRenamed(name: string, { syntax, source, name: known }: Analysis["definition"]): boolean {
  return name !== known || name === "__proto__" || (syntax === "method" && !source.includes(name));
}

/** Properties of `prototype` that the text does not make. */
export function prototypeProperties(fn: Function, { site }: Pick<Analysis, "site">): Properties {
  if (site.syntax !== "class" && (site.syntax !== "function" || site.node["generator"] === true)) return NONE;
  const prototype: unknown = Object.getOwnPropertyDescriptor(fn, "prototype")?.value;
  if (typeof prototype !== "object" || prototype === null) return NONE;
  const members = site.syntax === "class" ? membersOf(site.node, false) : undefined;
  const found = Reflect.ownKeys(prototype).flatMap((key) => {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key) as PropertyDescriptor;
    if (key === "constructor" && descriptor.value === fn) return [];
    return isFromText(descriptor, members) ? [] : [[key, descriptor] as const];
  });
  return found.length === 0 ? NONE : found;
}

/** The texts of a class's methods and accessors. */
function membersOf(node: Node, isStatic: boolean): ReadonlySet<string> {
  const cache = isStatic ? staticTexts : instanceTexts;
  let texts = cache.get(node);
  if (texts === undefined) {
    const elements = ((node["body"] as Node)["body"] as Node[]).filter(
      (element) => element.type === "MethodDefinition" && element["static"] === isStatic,
    );
    texts = new Set(elements.map((element) => element["text"] as string));
    cache.set(node, texts);
  }
  return texts;
}

const staticTexts = new WeakMap<Node, ReadonlySet<string>>();
const instanceTexts = new WeakMap<Node, ReadonlySet<string>>();

/** A member whose code stands in the class's text is made by it; a decorated or patched one is not. */
function isFromText(descriptor: PropertyDescriptor, members: ReadonlySet<string> | undefined): boolean {
  if (members === undefined) return false;
  const parts = functionsOf(descriptor);
  return parts.length > 0 && parts.every((part) => members.has(Function.prototype.toString.call(part)));
}

/** The functions in a descriptor: a method, or an accessor's parts. */
export function functionsOf(descriptor: PropertyDescriptor): Function[] {
  return Object.values(descriptor).filter((part): part is Function => typeof part === "function");
}
