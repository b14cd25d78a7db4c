/**
 * Which class is which. A class that is copied to another process and comes back, by itself or with an instance or an error, is
 * the one that was sent: `instanceof` holds. And a process that gets a class twice has it once.
 *
 * A class is known by the process that defined it and a number that it got there. Nothing here keeps a class alive.
 */

import type { FunctionDefinition } from "../capture/image.ts";

/** The name of this process, when it has to give one. */
let home: string | undefined;
const idOfClass = new WeakMap<Function, string>();
const classOfId = new Map<string, WeakRef<Function>>();
const forgotten = new FinalizationRegistry<string>((id) => {
  if (classOfId.get(id)?.deref() === undefined) classOfId.delete(id);
});
let given = 0;

/** Whether a function of this kind is written with an identity; it is empty for one that is no class. */
export function mayBeClass({ syntax }: FunctionDefinition): boolean {
  return syntax === "class" || syntax === "function";
}

/** The identity of a class, the same in every process. */
export function identifyClass(cls: Function): string {
  home ??= `${process.pid.toString(36)}.${process.hrtime.bigint().toString(36)}`;
  const id = idOfClass.get(cls) ?? `${home}.${(++given).toString(36)}`;
  rememberClass(id, cls);
  return id;
}

/** Whether it has an identity: it was sent as a class, or an instance of it was. */
export function isIdentified(fn: Function): boolean {
  return idOfClass.has(fn);
}

/** Says that this class is the one of that identity, here. */
export function rememberClass(id: string, cls: Function): void {
  if (idOfClass.has(cls)) return;
  idOfClass.set(cls, id);
  classOfId.set(id, new WeakRef(cls));
  forgotten.register(cls, id);
}

/** The class of that identity, if this process has it. */
export function knownClass(id: string): Function | undefined {
  return classOfId.get(id)?.deref();
}
