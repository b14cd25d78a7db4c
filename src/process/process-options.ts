/** The options of a process, checked when it is made. */

import { fstatSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  checkBoolean,
  checkFunction,
  checkInteger,
  checkKnownOptions,
  checkString,
  isRecord,
  rangeError,
  typeError,
} from "../core/options.ts";
import { saysWhatToRun } from "./exec-argv.ts";
import type { StdioPlan } from "./launch.ts";
import { checkStartMethod, type StartMethod } from "./start-method.ts";

/** What one of the standard streams of a child is; as in `child_process.spawn`. */
export type StdioChoice = "inherit" | "pipe" | "ignore" | number | null | undefined;

/** How a process is made. `A` are the parameters of its target, `R` what the target returns. */
export interface ProcessOptions<A extends readonly unknown[] = readonly unknown[], R = unknown> {
  /** What runs in the process: any function, async function, generator function (it is run to its end) or class (made with `new`). */
  readonly target?: ((...args: A) => R) | (new (...args: A) => R);
  /** Arguments of the target: any iterable. Default: none. */
  readonly args?: Iterable<unknown> & (A | Iterable<unknown>);
  /** Default: `Process-1`, `Process-2`, and `Process-1:2` for the second child of `Process-1`. */
  readonly name?: string;
  /** A daemon is ended when its parent ends. Default: as the parent is. */
  readonly daemon?: boolean;
  /** Working directory. Default: the parent's at `start()`. */
  readonly cwd?: string | URL;
  /** The whole environment, as in `child_process.spawn`. Default: the parent's at `start()`. */
  readonly env?: NodeJS.ProcessEnv;
  /** Standard streams: one choice for all three, or three of them. Default: `"inherit"`. */
  readonly stdio?: StdioChoice | readonly StdioChoice[];
  /** Flags for node. Default: the parent's, but for those that say what to run, and inspector, test and watch flags. */
  readonly execArgv?: readonly string[];
  /** Limit of the JavaScript heap, in bytes; buffers outside the heap are not counted. Default: node's. */
  readonly maxMemory?: number;
  /** Aborting it ends the process: `result()` then rejects with its reason, `join()` gives -9. */
  readonly signal?: AbortSignal;
  /** How it is started. Default: what `setStartMethod` says. */
  readonly method?: StartMethod;
}

/** The options as they are kept. */
export interface CheckedOptions {
  readonly target: Function | undefined;
  readonly args: readonly unknown[];
  readonly name: string | undefined;
  readonly daemon: boolean | undefined;
  readonly cwd: string | undefined;
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly stdio: StdioPlan;
  readonly inheritsStdio: boolean;
  readonly execArgv: readonly string[] | undefined;
  readonly maxMemory: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly method: StartMethod | undefined;
}

const KNOWN: readonly string[] = [
  "target",
  "args",
  "name",
  "daemon",
  "cwd",
  "env",
  "stdio",
  "execArgv",
  "maxMemory",
  "signal",
  "method",
];

const MIN_MEMORY = 8 * 2 ** 20;

export function checkOptions(options: ProcessOptions): CheckedOptions {
  checkKnownOptions("Process", options, KNOWN);
  const { target, args, name, daemon, cwd, env, execArgv, maxMemory, signal, method } = options;
  if (target !== undefined) checkFunction("target", target);
  if (name !== undefined) checkString("name", name);
  if (daemon !== undefined) checkBoolean("daemon", daemon);
  if (method !== undefined) checkStartMethod("method", method);
  if (maxMemory !== undefined) checkInteger("maxMemory", maxMemory, MIN_MEMORY);
  if (signal !== undefined && typeof (signal as AbortSignal | null)?.throwIfAborted !== "function") {
    throw typeError("signal", "an AbortSignal", signal);
  }
  const stdio = checkStdio(options.stdio);
  return {
    target,
    args: checkArgs(args),
    name: name === "" ? undefined : name,
    daemon,
    cwd: cwd === undefined ? undefined : checkCwd(cwd),
    env: env === undefined ? undefined : checkEnv(env),
    stdio,
    inheritsStdio: stdio.every((choice, i) => choice === "inherit" || choice === i),
    execArgv: execArgv === undefined ? undefined : checkExecArgv(execArgv),
    maxMemory,
    signal,
    method,
  };
}

function checkArgs(args: unknown): readonly unknown[] {
  if (args === undefined) return [];
  const iterator = (args as Iterable<unknown> | null)?.[Symbol.iterator];
  // A string is iterable, but its characters are never meant.
  if (typeof iterator !== "function" || typeof args === "string")
    throw typeError("args", "an array or another iterable", args);
  return [...(args as Iterable<unknown>)];
}

function checkCwd(cwd: unknown): string {
  if (typeof cwd !== "string" && !(cwd instanceof URL)) throw typeError("cwd", "a path or a file: URL", cwd);
  if (cwd instanceof URL && cwd.protocol !== "file:") throw rangeError("cwd", "a path or a file: URL", cwd.href);
  const path = resolve(cwd instanceof URL ? fileURLToPath(cwd) : cwd);
  assertFolder(path);
  return path;
}

/** Asked again when the process is started: it may be gone then. */
export function assertFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw rangeError("cwd", "a directory that exists", path);
  }
}

function checkEnv(env: unknown): NodeJS.ProcessEnv {
  if (!isRecord(env)) throw typeError("env", "an object of strings", env);
  for (const [name, value] of Object.entries(env)) {
    // The system ends a name at its first "=".
    if (name === "" || name.includes("=")) throw rangeError("a name in env", 'not empty and without "="', name);
    if (value === undefined) continue;
    if (typeof value !== "string") throw typeError(`env.${name}`, "a string", value);
    // Such a string ends there for the system: a fresh process would refuse it, and a spare would see another value.
    if (`${name}${value}`.includes("\0")) throw typeError(`env.${name}`, "a string without null bytes", value);
  }
  return env as NodeJS.ProcessEnv;
}

function checkExecArgv(execArgv: unknown): readonly string[] {
  if (!Array.isArray(execArgv) || execArgv.some((flag) => typeof flag !== "string")) {
    throw typeError("execArgv", "an array of strings", execArgv);
  }
  const command = execArgv.find(saysWhatToRun);
  if (command !== undefined) throw rangeError("execArgv", "flags that leave open what node runs", command);
  return execArgv as string[];
}

function checkStdio(stdio: unknown): StdioPlan {
  const choices = Array.isArray(stdio) ? (stdio as unknown[]) : [stdio, stdio, stdio];
  if (choices.length > 3) throw rangeError("stdio", "one choice, or up to three of them", stdio);
  return [0, 1, 2].map((i) =>
    checkStdioChoice(choices[i], Array.isArray(stdio) ? `stdio[${i}]` : "stdio"),
  ) as unknown as StdioPlan;
}

function checkStdioChoice(choice: unknown, name: string): unknown {
  if (choice === undefined || choice === null) return "inherit";
  if (choice === "inherit" || choice === "pipe" || choice === "ignore") return choice;
  if (typeof choice === "number" && Number.isInteger(choice) && choice >= 0) return checkOpen(choice, name);
  throw typeError(name, '"inherit", "pipe", "ignore" or a descriptor', choice);
}

function checkOpen(fd: number, name: string): number {
  try {
    fstatSync(fd);
    return fd;
  } catch {
    throw rangeError(name, "a descriptor that is open", fd);
  }
}
