/** Who this process is. */

import { toFilePath } from "../capture/file-values.ts";
import { mainModule } from "../capture/main-module.ts";
import { SerializationError, StateError } from "../core/errors.ts";
import { TO_HANDLE } from "../core/handle.ts";
import { inheritance } from "../core/inheritance.ts";
import type { BaseRun } from "./bootstrap.ts";

/** Recursion that divides its work gets by with far fewer. */
const MAX_DEPTH = 64;

/** What a process knows of itself. */
export interface CurrentProcess {
  /** `MainProcess` in the first one. */
  readonly name: string;
  /** Its process id, the same as `process.pid`. */
  readonly pid: number;
  /** True if it ends when its parent ends; its children are daemons, too, unless they say otherwise. */
  readonly daemon: boolean;
  /** null: it runs. */
  readonly exitCode: number | null;
  /** True: it asks. */
  isAlive(): boolean;
}

/** What a process knows of its parent. */
export interface ParentProcess {
  /** `MainProcess`, or the name that its own parent gave it. */
  readonly name: string;
  /** Its process id. */
  readonly pid: number;
  /** False when it has ended: this process is about to end, too. */
  isAlive(): boolean;
}

/** Who is described is known by where it is asked: sent elsewhere, such an object would speak of somebody else. */
function refuseToTravel(cls: { readonly prototype: object }, what: string): void {
  Object.defineProperty(cls.prototype, TO_HANDLE, {
    value() {
      throw new SerializationError(`Cannot send ${what}: only this process can use it; send its name or pid`);
    },
  });
}

class ThisProcess implements CurrentProcess {
  static {
    refuseToTravel(this, "the current process");
  }

  get name(): string {
    return inheritance.name;
  }

  get pid(): number {
    return process.pid;
  }

  get daemon(): boolean {
    return inheritance.daemon;
  }

  get exitCode(): null {
    return null;
  }

  isAlive(): boolean {
    return true;
  }
}

class Parent implements ParentProcess {
  readonly pid: number;
  readonly name: string;

  static {
    refuseToTravel(this, "the parent process");
  }

  constructor({ pid, name }: { readonly pid: number; readonly name: string }) {
    this.pid = pid;
    this.name = name;
    Object.freeze(this);
  }

  isAlive(): boolean {
    // Who is orphaned gets another parent at once. (It lives for a moment only: see lifeline.ts.)
    return process.ppid === this.pid;
  }
}

let self: CurrentProcess | undefined;
let parent: ParentProcess | null | undefined;

/**
 * This process: `name`, `pid`, `daemon`. While `run()` of a class of one's own runs, it is that object.
 *
 * @example
 * ```ts
 * import { currentProcess, Process } from "multiproc";
 *
 * console.log(currentProcess().name); // MainProcess
 * console.log(await new Process({ target: () => currentProcess().name, name: "reader" }).start().result()); // reader
 * ```
 */
export function currentProcess(): CurrentProcess {
  return (inheritance.running?.object as CurrentProcess | undefined) ?? (self ??= new ThisProcess());
}

/**
 * The parent of this process: `name`, `pid`, `isAlive()`; `null` in the first process.
 *
 * @example
 * ```ts
 * import { parentProcess, Process } from "multiproc";
 *
 * console.log(parentProcess()); // null
 * const child = new Process(() => parentProcess()?.pid).start();
 * console.log((await child.result()) === process.pid); // true
 * ```
 */
export function parentProcess(): ParentProcess | null {
  return (parent ??= inheritance.parent === null ? null : new Parent(inheritance.parent));
}

/** Makes an object the current process: the one whose `run()` is being called. */
export function setCurrentProcess(object: CurrentProcess, baseRun?: BaseRun): void {
  inheritance.running = { object, base: baseRun };
}

/** What `run()` of the base class calls for the current process. */
export function baseRunOf(object: object): BaseRun | undefined {
  const { running } = inheritance;
  return object === running?.object ? (running.base as BaseRun | undefined) : undefined;
}

/** Says whether the modules that a target needs are being imported just now. */
export function setImporting(isImporting: boolean): void {
  inheritance.importing = isImporting;
}

/**
 * A program must not multiply itself.
 * @throws {StateError} In a child that is still importing what its target needs; in one that has too many ancestors.
 */
export function checkMayStart(): void {
  if (inheritance.importing) {
    throw new StateError(
      `Cannot start a process while a module that the target needs is being imported: ${whatToDo(new Error().stack ?? "")}`,
    );
  }
  if (inheritance.identity.length < MAX_DEPTH) return;
  throw new StateError(
    `Cannot start a process: this one has ${MAX_DEPTH} ancestors, each started by the one before; does a child run again what starts it?`,
  );
}

function whatToDo(stack: string): string {
  const main = mainModule();
  if (main === "" || !(stack.includes(main) || stack.includes(toFilePath(main))))
    return "the module would start it again in every child; start it in a function, or in the main file";
  return "it imports the main file, which would start it again in every child; move what both need to a file of its own";
}
