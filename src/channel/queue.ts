import type { Readable } from "node:stream";
import type { WaitOptions } from "../core/deadline.ts";
import { QueueShutdownError } from "../core/errors.ts";
import { defineHandle, registerHandle } from "../core/handle.ts";
import { checkBoolean } from "../core/options.ts";
import { forgetObject, knownObject, rememberObject } from "../memory/index.ts";
import { NOTHING } from "../ring/index.ts";
import { WAITABLE, type Readiness } from "../wait/index.ts";
import { QueueCore, reviveQueue } from "./queue-core.ts";
import { readableOf } from "./streams.ts";

/** Options of a queue. */
export interface QueueOptions {
  /**
   * Most bytes that its items may take up in shared memory; default and largest: 2³⁰ (1 GiB). Looked at when the queue needs
   * more memory, so that up to twice as much can be in it; a single item may be larger.
   */
  readonly maxBytes?: number;
}

/**
 * A queue between processes: many producers, many consumers.
 *
 * - First in, first out for each producer. `size`, `empty` and `full` are exact.
 * - What a completed put handed over is there for whoever gets, also if the producer is killed right after. There is no thread
 *   that feeds it, and no exit waits for it.
 * - With a `maxSize`, producers wait for room. Without one it grows up to `maxBytes` (1 GiB); over that, put fails with a QueueFullError.
 * - A process that is killed in the middle of a put or get damages nothing: half an item is no item, and an item half taken stays.
 *
 * Any value that travels can be put in; it is encoded at once, so what is changed afterwards does not change the item.
 *
 * @example
 * ```ts
 * import { Process, Queue } from "multiproc";
 *
 * const queue = new Queue<number>();
 * const child = new Process(() => {
 *   for (let i = 0; i < 3; i++) queue.putSync(i * i);
 *   queue.shutdown();
 * }).start();
 * for await (const square of queue) console.log(square); // 0
 * await child.join();
 * ```
 */
export class Queue<T = unknown> {
  readonly #core: QueueCore;

  static {
    defineHandle(Queue, (queue) => queue.#core.transfer(queue.constructor === Queue ? "Queue" : "JoinableQueue"));
    Object.defineProperty(Queue.prototype, WAITABLE, {
      value(this: Queue): Readiness {
        return this.#core.readiness();
      },
    });
  }

  /**
   * @param maxSize Most items that it holds; 0, the default, for no limit.
   * @throws {TypeError | RangeError} If an argument makes no sense.
   */
  constructor(maxSize: number = 0, options: QueueOptions = {}) {
    this.#core = QueueCore.of(maxSize, options);
    rememberObject(this.#core.cell.id, this);
  }

  /** How many items are in it now. */
  get size(): number {
    return this.#open().ring.size;
  }

  /** True while there is no item. */
  get empty(): boolean {
    return this.#open().ring.size === 0;
  }

  /** True when a put would have to wait for another item to be taken. */
  get full(): boolean {
    const { ring } = this.#open();
    return ring.maxRecords > 0 && ring.size >= ring.maxRecords;
  }

  /** Most items that it holds; 0 for no limit. */
  get maxSize(): number {
    return this.#open().ring.maxRecords;
  }

  /**
   * Puts a value in; waits while the queue is full. Resolves when the value is in.
   *
   * Rejects with SerializationError if the value cannot travel, QueueFullError when the time ran out, QueueShutdownError when the queue is
   * shut down, with the reason when aborted.
   */
  put(value: T, options?: WaitOptions): Promise<void> {
    return this.#core.put(value, options, "put");
  }

  /** As `put`, blocking. */
  putSync(value: T, options?: WaitOptions): void {
    this.#core.putSync(value, options, "putSync");
  }

  /** As `put`, without waiting. @returns false when the queue is full. */
  tryPut(value: T): boolean {
    return this.#core.tryPut(value, "tryPut");
  }

  /**
   * Takes the oldest item; waits while the queue is empty.
   *
   * Rejects with QueueEmptyError when the time ran out, QueueShutdownError when the queue is shut down and empty, with the reason when
   * aborted.
   */
  get(options?: WaitOptions): Promise<T> {
    return this.#core.get(options, "get") as Promise<T>;
  }

  /** As `get`, blocking. */
  getSync(options?: WaitOptions): T {
    return this.#core.getSync(options, "getSync") as T;
  }

  /** As `get`, without waiting. @returns undefined when the queue is empty. */
  tryGet(): T | undefined {
    const got = this.#core.tryGet("tryGet");
    return got === NOTHING ? undefined : (got as T);
  }

  /**
   * Nothing can be put in any more, by any process; those who get take what is left and then see a QueueShutdownError, and `for await` ends.
   * Repeatable.
   */
  shutdown({ immediate = false }: { immediate?: boolean } = {}): void {
    checkBoolean("options.immediate", immediate);
    this.#core.shutdown(immediate);
  }

  /** Takes items until the queue is shut down and empty. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let item: T;
      try {
        item = await this.get();
      } catch (error) {
        if (error instanceof QueueShutdownError) return;
        throw error;
      }
      yield item;
    }
  }

  /** A stream of the items, in object mode, which ends when the queue is shut down and empty. It takes items ahead, up to its high-water mark. */
  toReadable(): Readable {
    this.#open();
    return readableOf({
      take: (signal) => this.get({ signal }),
      isEnd: (error) => error instanceof QueueShutdownError,
    });
  }

  /** Lets go of the queue in this process: any use afterwards throws. It lives on while another process has it. Repeatable. */
  close(): void {
    if (!this.#core.closed) forgetObject(this.#core.cell.id, this);
    this.#core.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** For queues that derive from this one. @internal */
  protected get core(): QueueCore {
    return this.#core;
  }

  #open(): QueueCore {
    this.#core.check("use");
    return this.#core;
  }
}

registerHandle("Queue", (data: never) => reviveQueue(data, knownObject, (core) => new Queue(core as never)));
