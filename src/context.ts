/** Contexts: the names of the façade that start processes, bound to one start method. */

import {
  activeChildren,
  checkStartMethod,
  cpuCount,
  currentProcess,
  getStartMethod,
  parentProcess,
  Process,
  type ProcessOptions,
  type StartMethod,
} from "./process/index.ts";
import { wait, waitSync } from "./wait/index.ts";

/** The library's names, with one start method. */
export interface Context {
  /** `Process`, started by this context's method. */
  readonly Process: typeof Process;
  readonly activeChildren: typeof activeChildren;
  readonly cpuCount: typeof cpuCount;
  readonly currentProcess: typeof currentProcess;
  readonly parentProcess: typeof parentProcess;
  readonly wait: typeof wait;
  readonly waitSync: typeof waitSync;
  getStartMethod(): StartMethod;
}

function makeContext(method: StartMethod): Context {
  class ContextProcess extends Process {
    constructor(first: ProcessOptions | ((...args: unknown[]) => unknown) = {}, ...args: unknown[]) {
      super(typeof first === "function" ? { method, target: first, args } : { method, ...first });
    }
  }
  Object.defineProperty(ContextProcess, "name", { value: "Process" });
  return {
    Process: ContextProcess as typeof Process,
    activeChildren,
    cpuCount,
    currentProcess,
    parentProcess,
    wait,
    waitSync,
    getStartMethod: () => method,
  };
}

/** One for each start method; they travel by these names. */
export const contexts: Readonly<Record<StartMethod, Context>> = {
  spare: makeContext("spare"),
  spawn: makeContext("spawn"),
  forkserver: makeContext("forkserver"),
};

/**
 * The same names, bound to a start method.
 * @param method Default: the current one.
 * @throws {TypeError | RangeError} If there is no such start method.
 * @example
 * ```ts
 * import { getContext } from "multiproc";
 *
 * const { Process } = getContext("spawn");
 * console.log(await new Process(() => "fresh").start().result()); // fresh
 * ```
 */
export function getContext(method: StartMethod = getStartMethod()): Context {
  checkStartMethod("method", method);
  return contexts[method];
}
