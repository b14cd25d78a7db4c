/** Contexts: the names of the façade, bound to one start method. */

import { fromModule, registerLibraryModule } from "./capture/index.ts";
import * as channel from "./channel/index.ts";
import * as errors from "./core/errors.ts";
import { isBundled, ownModule } from "./core/own-modules.ts";
import { Manager, type ManagerOptions } from "./manager/index.ts";
import { AsyncResult, Pool, type PoolOptions } from "./pool/index.ts";
import {
  activeChildren,
  checkStartMethod,
  cpuCount,
  currentProcess,
  getAllStartMethods,
  getStartMethod,
  parentProcess,
  Process,
  type ProcessOptions,
  setStartMethod,
  type StartMethod,
} from "./process/index.ts";
import * as shared from "./shared/index.ts";
import * as sync from "./sync/index.ts";
import { wait, waitSync } from "./wait/index.ts";

type Common = typeof errors & typeof channel & typeof sync & typeof shared;

/** What starts no processes is the same in every context. */
const COMMON = {
  ...errors,
  ...channel,
  ...sync,
  ...shared,
  activeChildren,
  AsyncResult,
  cpuCount,
  currentProcess,
  fromModule,
  getAllStartMethods,
  parentProcess,
  wait,
  waitSync,
};

/** All exported names but `setStartMethod` and `getContext`, with one start method. */
export interface Context extends Readonly<Common> {
  readonly activeChildren: typeof activeChildren;
  readonly AsyncResult: typeof AsyncResult;
  readonly cpuCount: typeof cpuCount;
  readonly currentProcess: typeof currentProcess;
  readonly fromModule: typeof fromModule;
  readonly getAllStartMethods: typeof getAllStartMethods;
  readonly parentProcess: typeof parentProcess;
  readonly wait: typeof wait;
  readonly waitSync: typeof waitSync;
  /** `Process`, started by this context's method. */
  readonly Process: typeof Process;
  /** `Pool`, whose workers are started by this context's method. */
  readonly Pool: typeof Pool;
  /** `Manager`, whose process is started by this context's method. */
  readonly Manager: typeof Manager;
  /** This context's method. */
  getStartMethod(): StartMethod;
}

function makeContext(method: StartMethod): Context {
  class ContextProcess extends Process {
    constructor(first: ProcessOptions | ((...args: unknown[]) => unknown) = {}, ...args: unknown[]) {
      super(typeof first === "function" ? { method, target: first, args } : { method, ...first });
    }
  }
  class ContextPool extends Pool {
    constructor(processes?: number | PoolOptions, options: PoolOptions = {}) {
      if (typeof processes === "object" && processes !== null) super({ method, ...processes });
      else super(processes, { method, ...options });
    }
  }
  class ContextManager extends Manager {
    static override start(options: ManagerOptions = {}): Promise<never> {
      return super.start({ method, ...options }) as Promise<never>;
    }
  }
  for (const [name, type] of Object.entries({ Process: ContextProcess, Pool: ContextPool, Manager: ContextManager })) {
    Object.defineProperty(type, "name", { value: name });
  }
  return {
    ...COMMON,
    Process: ContextProcess as typeof Process,
    Pool: ContextPool,
    Manager: ContextManager as typeof Manager,
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

if (isBundled()) {
  // A child has the package as it is installed, not the bundle: what a bundle's functions use of it is imported from there.
  const facade = { ...COMMON, Process, Pool, Manager, getContext, getStartMethod, setStartMethod };
  registerLibraryModule(ownModule("index.js"), facade);
}
