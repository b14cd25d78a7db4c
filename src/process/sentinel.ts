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
        let subscribed = true;
        link.hold();
        link.onExit(() => subscribed && wake());
        return () => {
          if (subscribed) link.release();
          subscribed = false;
        };
      },
    };
  }
}
