/** `this` of an arrow function: the one variable that V8 does not show among the scopes. */

import { createRequire } from "node:module";
import { ownFolder } from "../core/own-modules.ts";
import { SerializationError } from "../core/errors.ts";
import { toFilePath } from "./file-values.ts";
import { type Location, thisOfCaller } from "./inspector.ts";
import type { FunctionSite, Node } from "./scope-tree.ts";
import type { ScriptRecord } from "./scripts.ts";

const require = createRequire(ownFolder);
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
  const answer = ofOwner(fn, site.owner, location, record, holder);
  if (answer === undefined) {
    throw new SerializationError(
      `Cannot send \`${path}\`: it uses \`this\` of a function that is not running; write \`const self = this\` there and use \`self\``,
      { path },
    );
  }
  found.set(fn, answer);
  return answer;
}

function ofOwner(
  fn: Function,
  owner: Node,
  location: Location | undefined,
  record: ScriptRecord,
  holder: object | undefined,
): { readonly value: unknown } | undefined {
  if (owner.type === "Program") {
    return { value: record.isModule ? undefined : (require.cache[toFilePath(record.url)]?.exports as unknown) };
  }
  if (owner.type === "PropertyDefinition" || owner.type === "StaticBlock") {
    // A class field: whoever has it as a property is the instance (or, if static, the class) that made it.
    const isHeld = holder !== undefined && Object.values(holder).includes(fn);
    return isHeld ? { value: holder } : undefined;
  }
  const body = owner["body"] as Node;
  return thisOfCaller(({ scriptId, lineNumber, columnNumber }) => {
    if (scriptId !== location?.scriptId) return false;
    const at = (record.lines[lineNumber] ?? 0) + columnNumber;
    return at >= owner.start && at <= body.start;
  });
}
