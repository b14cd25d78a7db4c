/** Something to wait for that becomes ready when a process ends. */

import { type Readiness, WAITABLE } from "../wait/index.ts";
import type { ChildLink } from "./child-link.ts";

/** Ready when the process has ended; for `wait()`. Having it does not keep the program alive, waiting for it does. */
export class Sentinel {
  readonly #link: ChildLink;

  constructor(link: ChildLink) {
    this.#link = link;
    Object.defineProperty(this, WAITABLE, { value: (): Readiness => this.#readiness() });
  }

  /** The process that it stands for. */
  get pid(): number {
    return this.#link.pid;
  }

  #readiness(): Readiness {
    const link = this.#link;
    return {
      isReady: () => link.exit !== undefined,
      subscribe(wake) {
        link.hold();
        const forget = link.onExit(wake);
        return () => {
          forget();
          link.release();
        };
      },
      descriptor: () => link.pidFd(),
    };
  }
}
