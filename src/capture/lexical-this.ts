/** `this` of an arrow function: the one variable that V8 does not show among the scopes. */

import { createRequire } from "node:module";
import { types } from "node:util";
import { ownFolder } from "../core/own-modules.ts";
import { SerializationError } from "../core/errors.ts";
import { toFilePath } from "./file-values.ts";
import { isMadeHere } from "./home-object.ts";
import { type Location, thisOfCaller } from "./inspector.ts";
import type { FunctionSite, Node } from "./scope-tree.ts";
import type { ScriptRecord } from "./scripts.ts";

const require = createRequire(ownFolder());
const found = new WeakMap<Function, { readonly value: unknown }>();

/** `this` as the arrow sees it. @throws SerializationError when the method that it stands in is not running. */
export function lexicalThis(
  fn: Function,
  site: FunctionSite,
  location: Location | undefined,
  record: ScriptRecord,
  path: string,
  holder: object | undefined,
): { readonly value: unknown } {
  const known = found.get(fn);
  if (known !== undefined) return known;
  const answer = ofOwner(fn, site, location, record, holder);
  if (answer === undefined) throw new SerializationError(`Cannot send \`${path}\`: ${whyNot(site.owner)}`, { path });
  found.set(fn, answer);
  return answer;
}

function isOfClass({ type }: Node): boolean {
  return type === "PropertyDefinition" || type === "StaticBlock";
}

function whyNot(owner: Node): string {
  return isOfClass(owner)
    ? "its `this` is the object whose field it is; send that object and call the function on it"
    : "it uses `this` of a function that is not running; write `const self = this` there and use `self`";
}

function has(object: unknown, fn: Function): object is object {
  const isObject = (typeof object === "object" && object !== null) || typeof object === "function";
  return isObject && !types.isProxy(object) && Object.values(object).includes(fn);
}

function ofOwner(
  fn: Function,
  site: FunctionSite,
  location: Location | undefined,
  record: ScriptRecord,
  holder: object | undefined,
): { readonly value: unknown } | undefined {
  const { owner } = site;
  if (owner.type === "Program") {
    return { value: record.isModule ? undefined : (require.cache[toFilePath(record.url)]?.exports as unknown) };
  }
  if (isOfClass(owner)) {
    // A class field: the instance (or, if static, the class) that has it as a property is the one that made it. Others may have it, too.
    const isMaker = (object: unknown): boolean => has(object, fn) && isMadeHere(object, site, record);
    return isMaker(holder) ? { value: holder } : thisOfCaller((_location, readThis) => isMaker(readThis()));
  }
  const body = owner["body"] as Node;
  return thisOfCaller(({ scriptId, lineNumber, columnNumber }) => {
    if (scriptId !== location?.scriptId) return false;
    const at = (record.lines[lineNumber] ?? 0) + columnNumber;
    return at >= owner.start && at <= body.start;
  });
}
