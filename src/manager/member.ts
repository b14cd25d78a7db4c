/** Calling a method, reading or writing a property of a shared object. */

import { Op } from "./protocol.ts";
import type { SharedObject } from "./shared-object.ts";

/** @throws {TypeError} If the object exposes no such method or property; names it. */
export function checkMember(object: SharedObject, op: number, name: string): void {
  const isCall = op === Op.call;
  if (isCall ? object.hasMethod(name) : object.hasProperty(name)) return;
  const other = isCall ? object.hasProperty(name) : object.hasMethod(name);
  const hint = other ? ` (it has a ${isCall ? "property" : "method"} of that name)` : "";
  throw Object.assign(
    new TypeError(`${object.surface.kind} has no ${isCall ? "method" : "property"} "${name}"${hint}`),
    {
      code: isCall ? "ERR_NO_SUCH_METHOD" : "ERR_NO_SUCH_PROPERTY",
    },
  );
}

export function perform({ target }: SharedObject, op: number, name: string, args: readonly unknown[]): unknown {
  const members = target as Record<string, unknown>;
  if (op === Op.call)
    return (members[name] as (...args: readonly unknown[]) => unknown).apply(target, args as unknown[]);
  if (op === Op.get) return members[name];
  members[name] = args[0];
  return undefined;
}
