/** What a client knows of the death of its manager's server: that it is dead, how it ended, and the error that says so. */

import { ManagerDiedError } from "../core/errors.ts";
import { performance, setTimeout } from "../core/timers.ts";
import type { ManagerCell } from "./manager-cell.ts";

const EXIT_GRACE_MS = 100;
const EXIT_POLL_MS = 5;

export class ServerDeath {
  readonly #manager: ManagerCell;
  readonly #noteExit: () => void;

  /** @param noteExit Has the manager's owner write down how the server ended, if it has. */
  constructor(manager: ManagerCell, noteExit: () => void) {
    this.#manager = manager;
    this.#noteExit = noteExit;
  }

  /** Asks whether the server is dead. */
  hasCome(): boolean {
    this.#noteExit();
    return !this.#manager.isServerAlive();
  }

  /** Calls back when it is known how the server ended; that may take a moment, and is not waited for long. */
  whenKnown(then: () => void, until: number = performance.now() + EXIT_GRACE_MS): void {
    this.#noteExit();
    if (this.#manager.exitKnown || performance.now() >= until) then();
    else setTimeout(() => this.whenKnown(then, until), EXIT_POLL_MS);
  }

  /** As `whenKnown`, blocking. @param block Blocks this thread for some milliseconds. */
  awaitKnown(block: (milliseconds: number) => void): void {
    const until = performance.now() + EXIT_GRACE_MS;
    while (!this.#manager.exitKnown && performance.now() < until) {
      this.#noteExit();
      block(EXIT_POLL_MS);
    }
  }

  /** The error for calls that nobody will answer. @param why What ended the client; "" if it was the server's death. */
  error(why: string): ManagerDiedError {
    const death = this.#manager.death();
    const { pid, signal, exitCode } = death;
    const who = `the manager${pid === undefined ? "" : ` (process ${pid})`}`;
    if (why !== "") return new ManagerDiedError(`Cannot call ${who}: ${why}`, death);
    const how = signal != null ? `ended by ${signal}` : exitCode != null ? `ended with code ${exitCode}` : "gone";
    return new ManagerDiedError(`Cannot call ${who}: it is ${how}`, death);
  }
}
