/** A child that this process has started without node, and so watches and reaps itself. */

import { closeSync } from "node:fs";
import { constants } from "node:os";
import { openPidFd, type Program, reapExit, spawnProgram, type Watch, watchReadable } from "../platform/index.ts";
import type { Child, ExitListener } from "./child.ts";
import { signalName } from "./signal-name.ts";

export class DirectChild implements Child {
  readonly pid: number;
  readonly stdin = null;
  readonly stdout = null;
  readonly stderr = null;
  readonly #pidFd: number;
  readonly #watch: Watch;
  readonly #listeners: ExitListener[] = [];
  #ended = false;

  /** @throws {SystemError} If the system has no room for it; nothing is left behind. */
  constructor(program: Program) {
    this.pid = spawnProgram(program);
    try {
      this.#pidFd = openPidFd(this.pid);
    } catch (error) {
      process.kill(this.pid, "SIGKILL");
      reapExit(this.pid, { wait: true });
      throw error;
    }
    this.#watch = watchReadable(this.#pidFd, () => this.look());
  }

  ref(): void {
    this.#watch.ref();
  }

  unref(): void {
    this.#watch.unref();
  }

  kill(signal: NodeJS.Signals): boolean {
    // Once reaped it has no pid any more.
    return !this.#ended && process.kill(this.pid, signal);
  }

  onceExit(listener: ExitListener): void {
    this.#listeners.push(listener);
  }

  look(): void {
    if (this.#ended) return;
    const status = reapExit(this.pid);
    if (status === undefined) return;
    this.#ended = true;
    this.#watch.close();
    closeSync(this.#pidFd);
    // An addon, say, may reap whatever ends, and nobody knows how that has ended then.
    const { code, signal } = status === "reaped" ? { code: null, signal: constants.signals.SIGKILL } : status;
    for (const listener of this.#listeners) listener(code, signal === null ? null : signalName(signal));
  }
}
