/** Counts the starts of workers that fail, until it is clear that none will succeed. */

import type { Exit } from "../process/child-link.ts";

/** A worker that fails to start this often in a row means that none can. */
const MAX_FAILED = 2;
/** A worker that is killed from outside has not failed, unless it is always so: the system may have no memory for it. */
const MAX_KILLED = 10;

export class StartFailures {
  #failed = 0;
  #killed = 0;

  add({ signal }: Exit): void {
    if (signal === "SIGKILL") this.#killed += 1;
    else this.#failed += 1;
  }

  /** A worker has come up. */
  clear(): void {
    this.#failed = 0;
    this.#killed = 0;
  }

  get isHopeless(): boolean {
    return this.#failed >= MAX_FAILED || this.#killed >= MAX_KILLED;
  }
}
