/** Starts a node process that runs the child's entry. */

import type { StdioOptions } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { currentFolder, inheritance } from "../core/inheritance.ts";
import { ownModule } from "../core/own-modules.ts";
import { arenaFd } from "../memory/index.ts";
import { createMemoryFile, createSocketPair, isMainThread, type Program } from "../platform/index.ts";
import type { Child } from "./child.ts";
import { ChildLink } from "./child-link.ts";
import { DirectChild } from "./direct-child.ts";
import { inheritedExecArgv, namesFile } from "./exec-argv.ts";
import { codeFile } from "./kept-code.ts";
import { createLifeline } from "./lifeline.ts";
import { NodeChild } from "./node-child.ts";

/** What cannot be changed once a process runs. */
export interface LaunchOptions {
  readonly execArgv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdio: StdioPlan;
}

/** What the child's standard input, output and error are. */
export type StdioPlan = readonly [unknown, unknown, unknown];

const ENTRY = fileURLToPath(ownModule("entry/child.cjs"));
/** `process.title` can be no longer than the command line was. */
const TITLE_ROOM: string = " ".repeat(96);

/**
 * Starts a child, in this process's working directory or where its flags mean what they say. Nothing of it runs user code before `go`.
 * @throws {SystemError} If the system has no room for it; nothing is left behind.
 */
export function launch({ execArgv, env, stdio }: LaunchOptions): ChildLink {
  const arena = arenaFd();
  const code = codeFile();
  const opened: number[] = [];
  const kept: number[] = [];
  try {
    const [control, childControl] = createSocketPair();
    kept.push(control);
    opened.push(childControl);
    const mailbox = createMemoryFile("multiproc-mailbox", 0);
    kept.push(mailbox);
    const lifeline = createLifeline();
    opened.push(lifeline.fd);
    const inherited = [childControl, mailbox, arena, lifeline.fd, code.fd];
    const standard = standardFds(stdio, opened);
    const args = [...execArgv, ENTRY, TITLE_ROOM];
    const folder = folderOfFlags(execArgv, env);
    const child: Child =
      standard === undefined || folder !== undefined
        ? new NodeChild(args, { stdio: [...stdio, ...inherited] as StdioOptions, env, cwd: folder })
        : new DirectChild({ ...programOf(args, env), fds: [...standard, ...inherited] });
    lifeline.arm(child.pid);
    return new ChildLink(child, control, mailbox, {
      env,
      cwd: folder ?? currentFolder(),
      mayKeepCode: code.isWritable,
    });
  } catch (error) {
    for (const fd of kept) closeSync(fd);
    throw error;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/**
 * Where the child's flags are to be read, if that is not where this process is by now: inherited ones may name files, and were
 * written for the folder in which this process was started. The child goes where it is to be by itself.
 */
function folderOfFlags(execArgv: readonly string[], env: NodeJS.ProcessEnv): string | undefined {
  const { folder } = inheritance;
  if (folder === undefined || folder === currentFolder()) return undefined;
  const inherited = inheritedExecArgv();
  const isInherited = inherited.every((flag, i) => execArgv[i] === flag);
  const { NODE_OPTIONS = "" } = env;
  const flags = NODE_OPTIONS === process.env["NODE_OPTIONS"] ? NODE_OPTIONS.split(/\s+/) : [];
  if (isInherited) flags.push(...inherited);
  return flags.some(namesFile) && existsSync(folder) ? folder : undefined;
}

/** The descriptors that a child is given as its first three; undefined when only node can start it. */
function standardFds(stdio: StdioPlan, opened: number[]): number[] | undefined {
  const isSimple = stdio.every((choice) => choice === "inherit" || choice === "ignore" || typeof choice === "number");
  if (!isSimple || !isMainThread() || "permission" in process) return undefined;
  return stdio.map((choice, i) => {
    if (choice === "inherit") return i;
    if (typeof choice === "number") return choice;
    const nowhere = openSync("/dev/null", "r+");
    opened.push(nowhere);
    return nowhere;
  });
}

function programOf(args: readonly string[], env: NodeJS.ProcessEnv): Omit<Program, "fds"> {
  const { execPath } = process;
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // As node does it: what measures the coverage of a program measures its children.
  const coverage = process.env["NODE_V8_COVERAGE"];
  if (coverage !== undefined && coverage !== "" && !("NODE_V8_COVERAGE" in env))
    pairs.push(`NODE_V8_COVERAGE=${coverage}`);
  return { path: execPath, args: [execPath, ...args], env: pairs };
}
