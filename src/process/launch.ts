/** Starts a node process that runs the child's entry. */

import type { ChildProcess, SpawnOptions, StdioOptions } from "node:child_process";
import { accessSync, closeSync, constants } from "node:fs";
import { constants as os } from "node:os";
import { fileURLToPath } from "node:url";
import { childProcess } from "../core/node-builtins.ts";
import { MultiprocError } from "../core/errors.ts";
import { ownModule } from "../core/own-modules.ts";
import { arenaFd } from "../memory/index.ts";
import { createMemoryFile, createPipe, createSocketPair, systemError } from "../platform/index.ts";
import { ChildLink } from "./child-link.ts";
import { createLifeline } from "./lifeline.ts";

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
 * Starts a child, in this process's working directory. Nothing of it runs user code before `go`.
 * @throws {SystemError} If the system has no room for it; nothing is left behind.
 */
export function launch({ execArgv, env, stdio }: LaunchOptions): ChildLink {
  const arena = arenaFd();
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
    const child = spawn([...execArgv, ENTRY, TITLE_ROOM], {
      stdio: [...stdio, childControl, mailbox, arena, lifeline.fd] as StdioOptions,
      env,
    });
    lifeline.arm(child.pid as number);
    return new ChildLink(child, control, mailbox, { env, cwd: currentFolder() });
  } catch (error) {
    for (const fd of kept) closeSync(fd);
    throw error;
  } finally {
    for (const fd of opened) closeSync(fd);
  }
}

/** undefined when the folder was deleted meanwhile: then the child is in it, too. */
export function currentFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

function spawn(args: readonly string[], options: SpawnOptions): ChildProcess {
  let child: ChildProcess;
  try {
    child = childProcess().spawn(process.execPath, args, options);
  } catch (error) {
    throw asSystemError(error);
  }
  // The reason of a failure comes as an event, which would end the program if nobody listened.
  child.on("error", () => {});
  if (child.pid === undefined) throw whyNotStarted();
  return child;
}

/** The event comes too late for who starts a process; so its reason is found again: node has events for these only. */
function whyNotStarted(): unknown {
  try {
    // What the start of a process takes, too.
    for (const fd of createPipe()) closeSync(fd);
    accessSync(process.execPath, constants.X_OK);
  } catch (error) {
    return asSystemError(error);
  }
  return systemError("spawn", os.errno.EAGAIN, "the limit of processes is reached");
}

function asSystemError(error: unknown): unknown {
  const { errno, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof MultiprocError || errno === undefined) return error;
  return systemError(syscall ?? "spawn", Math.abs(errno), process.execPath);
}
