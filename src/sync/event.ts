/**
 * Event: a flag that processes wait for.
 *
 * | word | holds                                                   | written by     |
 * |------|---------------------------------------------------------|----------------|
 * | 0    | bit 0: 1 while it is set; above: how often it was set   | set, clear     |
 * | 2, 3 | the note of a lost holder                               | sweepers       |
 * | 4–7  | the wait queue                                          | see WaitQueue  |
 *
 * A setter can be slow: before it wakes anybody, others may have seen the flag, cleared it, and wait for the next time. They
 * are not to be woken for this one. So a waiter notes how often the event had been set, and a setter wakes those who noted less.
 */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import type { ProcessDiedError } from "../core/errors.ts";
import { defineHandle } from "../core/handle.ts";
import { arena, CellHeader, cellWord, forEachCell, onSweep, payloadOffset } from "../memory/index.ts";
import { AdaptiveSpin, NOT_PARKED, type Readiness, WAITABLE, WaitQueue } from "../wait/index.ts";
import { abandoned, ABANDONED, AbandonWatch, readNote } from "./abandonment.ts";
import { Existing, Primitive, registerPrimitive, SyncKind } from "./primitive.ts";

const TAG = "Event";
const BYTES = 32;
const SET_BIT = 1;
const NOTE = 2;
const QUEUE = 4;
/** What a setter gives; a wake-up without it tells nothing. */
const WAS_SET = 1;

const spin = new AdaptiveSpin();
const SET: Promise<boolean> = Promise.resolve(true);

/**
 * A flag, cleared at first: `wait` waits until somebody sets it. For `wait()` of several things, it is ready while it is set.
 *
 * @example
 * ```ts
 * import { Event, Process } from "multiproc";
 *
 * const ready = new Event();
 * const child = new Process(() => ready.set()).start();
 * console.log(await ready.wait({ timeout: 10_000 })); // true
 * await child.join();
 * ```
 */
export class Event extends Primitive {
  static {
    defineHandle(Event, (event) => event.transfer(TAG, undefined));
    registerPrimitive(TAG, (existing) => new (Event as new (existing: Existing) => Event)(existing));
    Object.defineProperty(Event.prototype, WAITABLE, {
      value(this: Event): Readiness {
        return this.#readiness();
      },
    });
  }

  readonly #queue: WaitQueue;

  constructor();
  constructor(existing?: Existing) {
    super(existing, BYTES, SyncKind.event);
    this.#queue = new WaitQueue(this.word + QUEUE);
  }

  /** True while it is set. */
  get isSet(): boolean {
    return (Atomics.load(this.words, this.word) & SET_BIT) !== 0;
  }

  /** Sets it and wakes all who wait. */
  set(): void {
    this.checkOpen();
    const { words, word } = this;
    let before: number;
    let now: number;
    do {
      before = Atomics.load(words, word);
      now = (before + 2) | SET_BIT | 0;
    } while (Atomics.compareExchange(words, word, before, now) !== before);
    if (this.#queue.waiting > 0) this.#queue.unpark(Infinity, WAS_SET, (noted) => ((now - noted) | 0) > SET_BIT);
  }

  /** Clears it: who waits from now on, waits. */
  clear(): void {
    this.checkOpen();
    Atomics.and(this.words, this.word, ~SET_BIT);
  }

  /** Waits until it is set. @returns false when the time ran out. Rejects with `signal.reason` when aborted. */
  wait(options?: WaitOptions): Promise<boolean> {
    if (options === undefined && this.isSet) return SET;
    return this.#wait(options);
  }

  async #wait(options: WaitOptions | undefined): Promise<boolean> {
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    for (;;) {
      const data = Atomics.load(this.words, this.word);
      if ((data & SET_BIT) !== 0) return true;
      if (deadline.expired) return false;
      const token = await this.#queue.park(deadline, { validate: () => this.#isStill(data), data });
      if (token === WAS_SET || token === NOT_PARKED) return true;
    }
  }

  /**
   * As `wait`, blocking.
   * @throws {ProcessDiedError} If a process that held the event is gone, and all who are left are blocked here themselves.
   */
  waitSync(options?: WaitOptions): boolean {
    if (options === undefined && this.isSet) return true;
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    for (;;) {
      const data = Atomics.load(this.words, this.word);
      if ((data & SET_BIT) !== 0) return true;
      if (deadline.expired) return false;
      if (spin.until(() => this.isSet)) return true;
      const onSlice = this.#abandonCheck(deadline);
      const token = this.#queue.parkSync(deadline, { validate: () => this.#isStill(data), data, onSlice });
      if (token === WAS_SET || token === NOT_PARKED) return true;
      if (token === ABANDONED) throw this.#abandoned();
    }
  }

  /** For blocked waits only: a promise may wait for what this very process does next, after a signal, say. */
  #abandonCheck(deadline: Deadline): () => void {
    let watch: AbandonWatch | undefined;
    return () => {
      watch ??= new AbandonWatch(this.cell.id, SyncKind.event, this.word + QUEUE, true);
      watch.check(deadline, () => this.#abandoned());
    };
  }

  #abandoned(): ProcessDiedError {
    return abandoned("wait for the event", "set it", readNote(this.word + NOTE));
  }

  /** False when it was set since, even if it was cleared again. */
  #isStill(noted: number): boolean {
    return Atomics.load(this.words, this.word) === noted;
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
}

/** Wakes who waits for an event that is set: the dead process may have set it and not got as far as to wake them. */
function wakeForSet(): void {
  const { words } = arena();
  forEachCell((id) => {
    if (words[cellWord(id) + CellHeader.kind] !== SyncKind.event) return;
    const word = payloadOffset(id) / 4;
    if ((Atomics.load(words, word) & SET_BIT) !== 0) new WaitQueue(word + QUEUE).unpark(Infinity, WAS_SET);
  });
}

onSweep(wakeForSet);
