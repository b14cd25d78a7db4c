/** Event: a flag that processes wait for. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { defineHandle } from "../core/handle.ts";
import { arena, CellHeader, cellWord, forEachCell, onSweep, payloadOffset } from "../memory/index.ts";
import { AdaptiveSpin, type Readiness, TIMED_OUT, WAITABLE, WaitQueue } from "../wait/index.ts";
import { Existing, Primitive, registerPrimitive, SyncKind } from "./primitive.ts";

const TAG = "Event";
/** Word 0 is the flag, words 4–7 the wait queue. */
const BYTES = 32;
const QUEUE = 4;

const spin = new AdaptiveSpin();
const SET: Promise<boolean> = Promise.resolve(true);

/** A flag, cleared at first: `wait` waits until somebody sets it. For `wait()` of several things, it is ready while it is set. */
export class Event extends Primitive {
  static {
    defineHandle(Event, (event) => event.transfer(TAG, undefined));
    registerPrimitive(TAG, (existing) => new Event(existing as never));
    Object.defineProperty(Event.prototype, WAITABLE, {
      value(this: Event): Readiness {
        return this.#readiness();
      },
    });
  }

  readonly #queue: WaitQueue;

  constructor(existing?: never) {
    super(existing as Existing | undefined, BYTES, SyncKind.event);
    this.#queue = new WaitQueue(this.word + QUEUE);
  }

  /** True while it is set. */
  get isSet(): boolean {
    return Atomics.load(this.words, this.word) === 1;
  }

  /** Sets it and wakes all who wait. */
  set(): void {
    this.checkOpen();
    Atomics.store(this.words, this.word, 1);
    if (this.#queue.waiting > 0) this.#queue.unpark();
  }

  /** Clears it: who waits from now on, waits. */
  clear(): void {
    this.checkOpen();
    Atomics.store(this.words, this.word, 0);
  }

  /** Waits until it is set. @returns false when the time ran out. Rejects with `signal.reason` when aborted. */
  wait(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && this.isSet) return SET;
    return this.#wait(options);
  }

  async #wait(options: WaitOptions | undefined): Promise<boolean> {
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    if (this.isSet) return true;
    if (deadline.expired) return false;
    const token = await this.#queue.park(deadline, { validate: () => !this.isSet });
    return token === TIMED_OUT ? this.isSet : true;
  }

  /** As `wait`, blocking. */
  waitSync(options?: WaitOptions): boolean {
    if (options === undefined && this.isSet) return true;
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    if (this.isSet) return true;
    if (deadline.expired) return false;
    if (spin.until(() => this.isSet)) return true;
    return this.#queue.parkSync(deadline, { validate: () => !this.isSet }) === TIMED_OUT ? this.isSet : true;
  }

  #readiness(): Readiness {
    return {
      isReady: () => this.isSet,
      subscribe: (wake) => {
        const stop = new AbortController();
        this.wait({ signal: stop.signal }).then(
          () => wake(),
          () => {},
        );
        return () => stop.abort();
      },
    };
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Wakes who waits for an event that is set: the dead process may have set it and not got as far as to wake them. */
function wakeForSet(): void {
  const { words } = arena();
  forEachCell((id) => {
    if (words[cellWord(id) + CellHeader.kind] !== SyncKind.event) return;
    const word = payloadOffset(id) / 4;
    if (Atomics.load(words, word) === 1) new WaitQueue(word + QUEUE).unpark();
  });
}

onSweep(wakeForSet);
