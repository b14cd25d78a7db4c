/** A child that node has started: with pipes, in a worker thread (which cannot watch processes), or under a permission model. */

import type { ChildProcess, SpawnOptions } from "node:child_process";
import { accessSync, closeSync, constants } from "node:fs";
import { constants as os } from "node:os";
import type { Readable, Writable } from "node:stream";
import { MultiprocError } from "../core/errors.ts";
import { childProcess } from "../core/node-builtins.ts";
import { createPipe, systemError } from "../platform/index.ts";
import type { Child, ExitListener } from "./child.ts";

export class NodeChild implements Child {
  readonly pid: number;
  readonly #child: ChildProcess;

  /** @throws {SystemError} If the system has no room for it. */
  constructor(args: readonly string[], options: SpawnOptions) {
    this.#child = spawn(args, options);
    this.pid = this.#child.pid as number;
  }

  get stdin(): Writable | null {
    return this.#child.stdin;
  }

  get stdout(): Readable | null {
    return this.#child.stdout;
  }

  get stderr(): Readable | null {
    return this.#child.stderr;
  }

  ref(): void {
    this.#child.ref();
  }

  unref(): void {
    this.#child.unref();
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.#child.kill(signal);
  }

  onceExit(listener: ExitListener): void {
    this.#child.once("exit", listener);
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
