/** What all kinds of queues are made of: a ring in a cell, and the rules of a queue. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { QueueEmptyError, QueueFullError, QueueShutdownError, StateError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { checkInteger, rangeError } from "../core/options.ts";
import { allocateCell, type BlockRef, type Cell, openCell, retractRef, sweepDead } from "../memory/index.ts";
import { drainRing, NOTHING, registerRings, Ring, RING_BYTES, Written } from "../ring/index.ts";
import type { Readiness } from "../wait/index.ts";
import { isTurnOver } from "./fairness.ts";
import { isSmallInteger, MessageKind, Outgoing, readValue } from "./message.ts";
import { ReceivePort, type ReceiveRules } from "./receive-port.ts";
import { SendPort, type SendRules } from "./send-port.ts";

/** Cells of this kind hold a queue. */
const QUEUE_CELL = 32;

/** Bytes of items that a queue holds at most unless told otherwise. */
const DEFAULT_MAX_BYTES: number = 2 ** 30;
const MAX_MAX_BYTES: number = 2 ** 30;
const SLICES_BETWEEN_SWEEPS = 10;

registerRings(QUEUE_CELL, [0]);

export class QueueCore implements SendRules, ReceiveRules {
  readonly cell: Cell;
  readonly ring: Ring;
  readonly #sends: SendPort;
  readonly #receives: ReceivePort;
  #closed = false;
  /** Calls of this process that wait: while there are any, the memory is kept. */
  #waits = 0;
  #slices = 0;
  #timeout: number | undefined;

  private constructor(cell: Cell) {
    this.cell = cell;
    this.ring = new Ring(cell.word);
    this.#sends = new SendPort(this.ring, this);
    this.#receives = new ReceivePort(this.ring, this);
  }

  static make(maxSize: number, maxBytes: number = DEFAULT_MAX_BYTES): QueueCore {
    checkInteger("maxSize", maxSize, 0, 2 ** 31 - 1);
    if (typeof maxBytes !== "number" || !(maxBytes >= 1024 && maxBytes <= MAX_MAX_BYTES)) {
      throw rangeError("options.maxBytes", `a number of bytes from 1024 to ${MAX_MAX_BYTES}`, maxBytes);
    }
    const cell = allocateCell(RING_BYTES, QUEUE_CELL);
    Ring.format(cell.word, { maxRecords: maxSize, maxBytes });
    return new QueueCore(cell);
  }

  static open(cell: Cell): QueueCore {
    return new QueueCore(cell);
  }

  /** For constructors, which make a queue for their users and get one from `reviveQueue`. */
  static of(maxSize: number | QueueCore = 0, { maxBytes }: { readonly maxBytes?: number }): QueueCore {
    return maxSize instanceof QueueCore ? maxSize : QueueCore.make(maxSize, maxBytes);
  }

  /** For `wait()`: ready when there is an item, or never will be one. */
  readiness(): Readiness {
    this.check("wait for");
    return { isReady: () => this.#receives.ready, subscribe: (wake) => this.#receives.subscribe(wake) };
  }

  /** Throws if this process has closed the queue. */
  check(action: string): void {
    if (this.#closed) throw new StateError(`Cannot ${action} the queue: it is closed`);
  }

  tryPut(value: unknown, method: string): boolean {
    this.check("put into");
    if (this.#sends.busy) return false;
    if (isSmallInteger(value)) {
      const result = this.ring.writer.write(MessageKind.int, value);
      if (result === Written.done) {
        this.ring.written();
        return true;
      }
      // Whoever must be told why is told below.
      if (result === Written.full) return false;
    }
    const message = Outgoing.of(value);
    const done = this.#trySend(message, method);
    if (!done) message.abort();
    return done;
  }

  putSync(value: unknown, options: WaitOptions | undefined, method: string): void {
    this.check("put into");
    if (options === undefined) {
      if (isSmallInteger(value) && !this.#sends.busy) {
        if (this.ring.writer.write(MessageKind.int, value) === Written.done) return this.ring.written();
      }
      const message = Outgoing.of(value);
      if (this.#sends.sendNow(message)) return;
      this.#timeout = undefined;
      return this.#sends.sendSync(message, Deadline.from(options), method);
    }
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    this.#timeout = options?.timeout;
    this.#sends.sendSync(Outgoing.of(value), deadline, method);
  }

  put(value: unknown, options: WaitOptions | undefined, method: string): Promise<void> {
    try {
      this.check("put into");
      const deadline = Deadline.from(options);
      deadline.throwIfAborted();
      const message = Outgoing.of(value);
      const breathe = isTurnOver();
      if (!breathe && !this.#sends.busy && this.#trySend(message, method)) return DONE;
      this.#timeout = options?.timeout;
      return this.#waiting(this.#sends.send(message, deadline, method, breathe));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** @returns NOTHING when there is nothing. */
  tryGet(method: string): unknown {
    this.check("get from");
    if (this.#receives.busy) return NOTHING;
    const got = this.#receives.tryReceive(readValue);
    if (got === NOTHING && this.ended()) throw this.endedError(method);
    return got;
  }

  getSync(options: WaitOptions | undefined, method: string): unknown {
    this.check("get from");
    const got = this.#receives.tryReceive(readValue);
    if (got !== NOTHING) return got;
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    this.#timeout = options?.timeout;
    return this.#receives.receiveSync(readValue, deadline, method);
  }

  get(options: WaitOptions | undefined, method: string): Promise<unknown> {
    try {
      this.check("get from");
      const deadline = Deadline.from(options);
      deadline.throwIfAborted();
      this.#timeout = options?.timeout;
      const breathe = isTurnOver();
      if (!breathe && !this.#receives.busy) {
        const got = this.#receives.tryReceiveLoaded(readValue);
        if (got !== NOTHING) return Promise.resolve(got);
      }
      return this.#waiting(this.#receives.receive(readValue, deadline, method, breathe));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Nothing can be put any more; with `immediate`, what is there is dropped. */
  shutdown(immediate: boolean): void {
    this.check("shut down");
    this.ring.writer.close();
    if (immediate) this.ring.finish(drainRing(this.ring));
    this.ring.wakeAll();
  }

  /** Waits until all that was put is done with. @returns false when the time ran out. */
  join(options: WaitOptions | undefined): Promise<boolean> {
    try {
      this.check("join");
      const deadline = Deadline.from(options);
      deadline.throwIfAborted();
      return this.#waiting(this.#join(deadline));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  joinSync(options: WaitOptions | undefined): boolean {
    this.check("join");
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    const { ring } = this;
    while (ring.unfinished > 0) {
      if (deadline.expired) return false;
      // In slices: who finished the last one may have died before it could wake us.
      const slice = deadline.remaining() < 1000 ? deadline : Deadline.from({ timeout: 1000 });
      ring.allDone.parkSync(slice, { validate: () => ring.unfinished > 0, onSlice: () => this.onSlice() });
    }
    return true;
  }

  /** Lets go of the queue in this process; those of its calls that wait end with a StateError. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#waits === 0) this.#release();
    else this.ring.wakeAll();
  }

  get closed(): boolean {
    return this.#closed;
  }

  transfer(tag: string, data: Record<string, unknown> = {}): HandleTransfer {
    this.check("send");
    const ref = this.cell.refer();
    return { tag, data: { ...data, ref }, abort: () => retractRef(ref) };
  }

  ended(): boolean {
    return this.#closed || this.ring.closed;
  }

  endedError(method: string): Error {
    if (this.#closed) return new StateError(`Cannot go on with ${method}(): the queue was closed`);
    return new QueueShutdownError(`Cannot go on with ${method}(): the queue was shut down`);
  }

  fullError(method: string): Error {
    const { size } = this.ring;
    return new QueueFullError(`Cannot ${method}() into the queue: it is full with ${size} items${this.#patience()}`);
  }

  emptyError(method: string): Error {
    return new QueueEmptyError(`Cannot ${method}() from the queue: it is empty${this.#patience()}`);
  }

  memoryError(method: string): Error | undefined {
    if (this.ring.maxRecords > 0) return undefined;
    return new QueueFullError(
      `Cannot ${method}() into the queue: its ${this.ring.size} items take up ${this.ring.maxBytes} bytes, the most that they may. Give it a maxSize, so that producers wait`,
    );
  }

  onSlice(): void {
    // A producer or consumer that was killed may have left somebody asleep, and perhaps nobody else looks.
    if (++this.#slices % SLICES_BETWEEN_SWEEPS === 0) sweepDead();
  }

  #trySend(message: Outgoing, method: string): boolean {
    try {
      return this.#sends.trySend(message, method);
    } catch (error) {
      message.abort();
      throw error;
    }
  }

  #patience(): string {
    return this.#timeout !== undefined && this.#timeout > 0 ? `, and was for ${this.#timeout} ms` : "";
  }

  async #join(deadline: Deadline): Promise<boolean> {
    const { ring } = this;
    while (ring.unfinished > 0) {
      if (this.#closed) throw new StateError("Cannot go on with join(): the queue was closed");
      if (deadline.expired) return false;
      await ring.allDone.park(deadline, { validate: () => ring.unfinished > 0 && !this.#closed });
    }
    return true;
  }

  async #waiting<T>(call: Promise<T>): Promise<T> {
    this.#waits += 1;
    try {
      return await call;
    } finally {
      this.#waits -= 1;
      if (this.#closed && this.#waits === 0) this.#release();
    }
  }

  #release(): void {
    this.ring.release();
    this.cell.release();
  }
}

const DONE: Promise<void> = Promise.resolve();

/** Gives the queue that a message refers to: the one that this process has, or a new one. */
export function reviveQueue(
  { ref }: { readonly ref: BlockRef },
  known: (id: number) => object | undefined,
  make: (core: QueueCore) => object,
): object {
  const cell = openCell(ref);
  const existing = known(cell.id);
  if (existing === undefined) return make(QueueCore.open(cell));
  cell.release();
  return existing;
}
