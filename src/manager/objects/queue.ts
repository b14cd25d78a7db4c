import { Deadline, type WaitOptions } from "../../core/deadline.ts";
import { QueueEmptyError, QueueFullError, QueueShutdownError, StateError } from "../../core/errors.ts";
import { checkInteger } from "../../core/options.ts";
import { type Call, currentCall } from "../call-context.ts";
import { Fifo } from "./fifo.ts";
import { WaitList } from "./wait-list.ts";

/** A queue. An item that was handed to a process which died before it took it goes to the next one. */
export class ManagedQueue<T = unknown> {
  readonly #items = new Fifo<T>();
  readonly #getters = new WaitList<boolean>();
  readonly #putters = new WaitList<boolean>();
  readonly #maxSize: number;
  #down = false;

  /** @param maxSize Items that it takes; 0 (the default): any number. */
  constructor(maxSize = 0) {
    checkInteger("maxSize", maxSize, 0);
    this.#maxSize = maxSize;
  }

  /**
   * Puts an item in; waits while it is full.
   * @throws {QueueFullError} If the time ran out. @throws {QueueShutdownError} If it was shut down.
   */
  put(item: T, options?: WaitOptions): void | Promise<void> {
    const deadline = Deadline.from(options);
    this.#assertUp();
    if (!this.full()) return this._add(item);
    if (deadline.expired) throw this.#fullError();
    return this.#putLater(item, deadline);
  }

  /** Puts an item in if there is room. */
  tryPut(item: T): boolean {
    this.#assertUp();
    if (this.full()) return false;
    this._add(item);
    return true;
  }

  /**
   * Takes the oldest item; waits while there is none.
   * @throws {QueueEmptyError} If the time ran out. @throws {QueueShutdownError} If it was shut down and is empty.
   */
  get(options?: WaitOptions): T | Promise<T> {
    const call = currentCall();
    const deadline = Deadline.from(options);
    if (this.#items.size > 0) return this.#take(call);
    if (this.#down) throw this.#downError("get from");
    if (deadline.expired) throw new QueueEmptyError("Cannot get from the queue: it is empty");
    return this.#getLater(call, deadline);
  }

  /** Takes the oldest item if there is one; else gives undefined. */
  tryGet(): T | undefined {
    if (this.#items.size > 0) return this.#take(currentCall());
    if (this.#down) throw this.#downError("get from");
    return undefined;
  }

  /** How many items there are. */
  size(): number {
    return this.#items.size;
  }

  /** True while there is no item. */
  empty(): boolean {
    return this.#items.size === 0;
  }

  /** True while there are `maxSize` items. */
  full(): boolean {
    return this.#maxSize > 0 && this.#items.size >= this.#maxSize;
  }

  /** Takes no more items; `immediate` drops those that are in it. */
  shutdown({ immediate = false }: { immediate?: boolean } = {}): void {
    this.#down = true;
    if (immediate) while (this.#items.size > 0) this._dropped(this.#items.shift() as T);
    this.#getters.wakeAll(false);
    this.#putters.wakeAll(false);
  }

  _add(item: T): void {
    this.#items.push(item);
    this.#getters.wakeOne(true);
  }

  _dropped(_item: T): void {}

  async #putLater(item: T, deadline: Deadline): Promise<void> {
    const { caller } = currentCall();
    // Somebody else may be quicker than who was woken.
    while (this.full()) {
      if (!(await this.#putters.wait(caller, deadline, false)) && this.full()) {
        this.#assertUp();
        throw this.#fullError();
      }
      this.#assertUp();
    }
    this._add(item);
  }

  async #getLater(call: Call, deadline: Deadline): Promise<T> {
    while (this.#items.size === 0) {
      const woken = await this.#getters.wait(call.caller, deadline, false);
      if (woken || this.#items.size > 0) continue;
      if (this.#down) throw this.#downError("get from");
      throw new QueueEmptyError("Cannot get from the queue: it is empty");
    }
    // Woken and dead at the same moment: somebody else shall have it.
    if (call.caller.gone) {
      this.#getters.wakeOne(true);
      throw new QueueEmptyError("Cannot get from the queue: who asked is gone");
    }
    return this.#take(call);
  }

  #take(call: Call): T {
    const item = this.#items.shift() as T;
    call.undo = () => {
      this.#items.unshift(item);
      this.#getters.wakeOne(true);
    };
    this.#putters.wakeOne(true);
    return item;
  }

  #assertUp(): void {
    if (this.#down) throw this.#downError("put into");
  }

  #downError(action: string): QueueShutdownError {
    return new QueueShutdownError(`Cannot ${action} the queue: it was shut down`);
  }

  #fullError(): QueueFullError {
    return new QueueFullError(`Cannot put into the queue: it is full (${this.#maxSize} items)`);
  }
}

/** A queue that knows how many items are not done yet. */
export class ManagedJoinableQueue<T = unknown> extends ManagedQueue<T> {
  readonly #joiners = new WaitList<boolean>();
  #unfinished = 0;

  /** Says that an item that was got is done. @throws {StateError} If called more often than items were put. */
  taskDone(): void {
    if (this.#unfinished === 0) throw new StateError("Cannot call taskDone: it was called as often as items were put");
    if (--this.#unfinished === 0) this.#joiners.wakeAll(true);
  }

  /** Waits until every item that was put is done; gives false when the time ran out. */
  join(options?: WaitOptions): boolean | Promise<boolean> {
    const deadline = Deadline.from(options);
    return this.#unfinished === 0 || this.#joiners.wait(currentCall().caller, deadline, false);
  }

  override _add(item: T): void {
    this.#unfinished += 1;
    super._add(item);
  }

  override _dropped(): void {
    this.taskDone();
  }
}
