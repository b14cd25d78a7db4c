import type { WaitOptions } from "../core/deadline.ts";
import { defineHandle, registerHandle } from "../core/handle.ts";
import { forgetObject, knownObject, rememberObject } from "../memory/index.ts";
import { type Readiness, WAITABLE } from "../wait/index.ts";
import { QueueCore, reviveQueue } from "./queue-core.ts";

/**
 * A queue without a limit, with little to it: put, get and empty. For more, see Queue; this one is there for those who know it from Python.
 *
 * @example
 * ```ts
 * import { SimpleQueue } from "multiproc";
 *
 * const queue = new SimpleQueue<string>();
 * queue.putSync("hello");
 * console.log(queue.getSync()); // hello
 * ```
 */
export class SimpleQueue<T = unknown> {
  readonly #core: QueueCore;

  static {
    defineHandle(SimpleQueue, (queue) => queue.#core.transfer("SimpleQueue"));
    Object.defineProperty(SimpleQueue.prototype, WAITABLE, {
      value(this: SimpleQueue): Readiness {
        return this.#core.readiness();
      },
    });
  }

  constructor();
  constructor(core?: QueueCore) {
    this.#core = QueueCore.of(core as never, {});
    rememberObject(this.#core.cell.id, this);
  }

  /** True while there is no item. */
  get empty(): boolean {
    this.#core.check("use");
    return this.#core.ring.size === 0;
  }

  /** Puts a value in. Rejects with QueueFullError when the items take up more than 1 GiB. */
  put(value: T, options?: WaitOptions): Promise<void> {
    return this.#core.put(value, options, "put");
  }

  /** As `put`, blocking. */
  putSync(value: T, options?: WaitOptions): void {
    this.#core.putSync(value, options, "putSync");
  }

  /** Takes the oldest item; waits while the queue is empty. Rejects with QueueEmptyError when the time ran out. */
  get(options?: WaitOptions): Promise<T> {
    return this.#core.get(options, "get") as Promise<T>;
  }

  /** As `get`, blocking. */
  getSync(options?: WaitOptions): T {
    return this.#core.getSync(options, "getSync") as T;
  }

  /** Lets go of the queue in this process: any use afterwards throws. Repeatable. */
  close(): void {
    if (!this.#core.closed) forgetObject(this.#core.cell.id, this);
    this.#core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

registerHandle("SimpleQueue", (data: never) =>
  reviveQueue(data, knownObject, (core) => new (SimpleQueue as new (core: QueueCore) => SimpleQueue)(core)),
);
