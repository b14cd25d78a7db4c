/** What a manager is started with, and its checks. */

import { checkFunction, checkKnownOptions, checkObject, checkString, typeError } from "../core/options.ts";
import { checkStartMethod, type StartMethod } from "../process/index.ts";
import type { ManagedType, ManagedTypes } from "./control.ts";

/** Options of `Manager.start`. */
export interface ManagerOptions {
  /** Called in the manager's process before it serves; what it throws rejects `start`. */
  initializer?: ((...args: any[]) => unknown) | undefined;
  /** Arguments of the initializer. */
  initArgs?: readonly unknown[] | undefined;
  /** Name of the process; default `"Manager-1"` and so on. */
  name?: string | undefined;
  /** How its process is started; default: as all processes are. */
  method?: StartMethod | undefined;
}

const OPTIONS = ["initializer", "initArgs", "name", "method"];

/** @throws {TypeError | RangeError} If one makes no sense. */
export function checkManagerOptions(options: ManagerOptions): void {
  checkObject("options", options);
  checkKnownOptions("Manager.start", options, OPTIONS);
  if (options.initializer !== undefined) checkFunction("options.initializer", options.initializer);
  if (options.name !== undefined) checkString("options.name", options.name);
  if (options.method !== undefined) checkStartMethod("options.method", options.method);
  if (options.initArgs !== undefined && typeof options.initArgs?.[Symbol.iterator] !== "function") {
    throw typeError("options.initArgs", "iterable", options.initArgs);
  }
}

/** The classes that a manager knows by name. @throws {TypeError} If one is no class or function. */
export function checkTypes(types: ManagedTypes): ManagedTypes {
  checkObject("types", types);
  for (const [name, type] of Object.entries(types)) {
    checkFunction(
      `types.${name}`,
      typeof type === "object" && type !== null ? (type as Exclude<ManagedType, Function>).type : type,
    );
  }
  return types;
}
