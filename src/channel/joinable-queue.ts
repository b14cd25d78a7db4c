import type { WaitOptions } from "../core/deadline.ts";
import { StateError } from "../core/errors.ts";
import { registerHandle } from "../core/handle.ts";
import { knownObject } from "../memory/index.ts";
import { reviveQueue } from "./queue-core.ts";
import { Queue } from "./queue.ts";

/**
 * A Queue that knows when its items are done with: consumers say `taskDone()` for each item they took, and `join()` waits until that
 * was said as often as something was put.
 *
 * @example
 * ```ts
 * import { JoinableQueue, Process } from "multiproc";
 *
 * const tasks = new JoinableQueue<number>();
 * new Process({
 *   daemon: true,
 *   target: async () => {
 *     for await (const task of tasks) {
 *       console.log("did", task);
 *       tasks.taskDone();
 *     }
 *   },
 * }).start();
 * await tasks.put(1);
 * await tasks.join();
 * ```
 */
export class JoinableQueue<T = unknown> extends Queue<T> {
  /** One item is done with. @throws {StateError} If that was said more often than something was put. */
  taskDone(): void {
    this.core.check("use");
    if (!this.core.ring.finish(1)) {
      throw new StateError("Cannot say taskDone(): it was said for all items that were put already");
    }
  }

  /** Waits until all items that were put are done with. @returns false when the time ran out. */
  join(options?: WaitOptions): Promise<boolean> {
    return this.core.join(options);
  }

  /** As `join`, blocking. */
  joinSync(options?: WaitOptions): boolean {
    return this.core.joinSync(options);
  }
}

registerHandle("JoinableQueue", (data: never) =>
  reviveQueue(data, knownObject, (core) => new JoinableQueue(core as never)),
);
