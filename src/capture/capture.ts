/** From a function to its image: the door of this folder for whoever sends. */

import { SerializationError } from "../core/errors.ts";
import type { BuiltinImage, FunctionImage, ModuleImage } from "./image.ts";

/**
 * Takes a snapshot of a function or class: its text, and the values of its captured variables as they are now.
 * Synchronous. `path` is the name under which errors speak of the function: `task`, `args[0].callback`.
 * What the values refer to (further functions, objects) is the caller's to walk.
 * @throws SerializationError when the function cannot travel.
 */
export function capture(fn: Function, path: string): FunctionImage {
  throw new SerializationError(`Cannot send \`${path}\` (${fn.name})`, { path });
}

/**
 * For an object that travels by reference (a module's namespace, a builtin module such as `fs`, something of the platform that has a
 * name such as `Math` or `process`): how to find it again. To be asked before an object is walked. Undefined for all other objects.
 */
export function referenceTo(value: object): ModuleImage | BuiltinImage | undefined {
  return value === Math ? { kind: "builtin", from: "globalThis", path: ["Math"] } : undefined;
}
