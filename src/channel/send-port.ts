/** Sending into a ring, with waiting for room. */

import { Deadline } from "../core/deadline.ts";
import { type Ring, Written } from "../ring/index.ts";
import { AdaptiveSpin } from "../wait/index.ts";
import { nextTurn } from "./fairness.ts";
import type { Outgoing } from "./message.ts";
import { Turns } from "./turns.ts";

/** What an owner of a ring says about sending into it. */
export interface SendRules {
  /** True when nothing can be sent any more. Cheap, and without using wait queues. */
  ended(): boolean;
  endedError(method: string): Error;
  /** There was no room, and no time left. */
  fullError(method: string): Error;
  /** The error for who would have to wait for memory; undefined when waiting is right. */
  memoryError?(method: string): Error | undefined;
  /** Called about every 100 ms by who blocks: to see whether those who are waited for are alive. */
  onSlice(): void;
}

/** A message of a promise call that waits for its turn or for room. */
interface Pending {
  readonly message: Outgoing;
  /** True when a blocking call, which must not overtake it, has sent it. */
  sent: boolean;
}

/** Thrown to end a wait early. */
const LOOK_AGAIN = Symbol("look again");

/** While memory is short, readers wake writers only when half of it is free; somebody might read no further than that. */
const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 1000;

export class SendPort {
  readonly #ring: Ring;
  readonly #rules: SendRules;
  readonly #turns = new Turns();
  readonly #pending: Pending[] = [];
  readonly #spin = new AdaptiveSpin();

  constructor(ring: Ring, rules: SendRules) {
    this.#ring = ring;
    this.#rules = rules;
  }

  /** True when promise calls of this process are waiting: who comes now must not overtake them. */
  get busy(): boolean {
    return this.#turns.busy;
  }

  /** @returns false when there is no room now. @throws When nothing can be sent any more. The message is the caller's in both cases. */
  trySend(message: Outgoing, method: string): boolean {
    if (this.#rules.ended()) throw this.#rules.endedError(method);
    const result = message.write(this.#ring);
    if (result === Written.done) {
      this.#ring.written();
      return true;
    }
    if (result === Written.closed) throw this.#rules.endedError(method);
    const error = result === Written.noMemory ? this.#rules.memoryError?.(method) : undefined;
    if (error !== undefined) throw error;
    return false;
  }

  /**
   * The short way of a message that can be sent at once and overtakes nobody.
   * @returns false when it was not sent, for whatever reason; it is the caller's then. When it throws, the message is given up.
   */
  sendNow(message: Outgoing): boolean {
    if (this.#turns.busy) return false;
    try {
      if (message.write(this.#ring) !== Written.done) return false;
    } catch (error) {
      message.abort();
      throw error;
    }
    this.#ring.written();
    return true;
  }

  /** Takes the message over: when it is not sent, it is given up. Sends what promise calls wait with first. */
  sendSync(message: Outgoing, deadline: Deadline, method: string): void {
    try {
      if (this.#pending.length > 0) this.#sendPending(deadline, method);
      this.#sendBlocking(message, deadline, method);
    } catch (error) {
      message.abort();
      throw error;
    }
  }

  #sendPending(deadline: Deadline, method: string): void {
    for (const pending of this.#pending) {
      if (pending.sent) continue;
      this.#sendBlocking(pending.message, deadline, method);
      pending.sent = true;
    }
    // One of them may sleep until there is room, and has no need of it any more.
    this.#ring.notFull.unpark();
  }

  #sendBlocking(message: Outgoing, deadline: Deadline, method: string): void {
    while (!this.trySend(message, method)) {
      if (deadline.expired) throw this.#rules.fullError(method);
      this.#waitSync(message, deadline);
    }
  }

  /** As `sendSync`. @param breathe Lets the event loop turn once first. */
  async send(message: Outgoing, deadline: Deadline, method: string, breathe = false): Promise<void> {
    let mine = false;
    const pending: Pending = { message, sent: false };
    this.#pending.push(pending);
    try {
      mine = await this.#turns.enter(deadline);
      if (breathe) await nextTurn();
      let pause = FIRST_LOOK_MS;
      while (!pending.sent) {
        deadline.throwIfAborted();
        if (mine && this.trySend(message, method)) break;
        if (deadline.expired) throw this.#rules.fullError(method);
        const validate = (): boolean => !pending.sent && !this.#mayGo(message);
        await this.#ring.notFull.park(this.#untilNextLook(deadline, pause), { validate });
        pause = Math.min(LAST_LOOK_MS, 2 * pause);
      }
    } catch (error) {
      // Sent while it was being given up: it is too late to take it back.
      if (pending.sent) return;
      message.abort();
      // A wake-up may have come to this wait, which does not use it.
      if (this.#ring.notFull.waiting > 0 && !this.#ring.isFull(0)) this.#ring.notFull.unparkOne();
      throw error;
    } finally {
      this.#pending.splice(this.#pending.indexOf(pending), 1);
      if (mine) this.#turns.leave();
    }
  }

  #waitSync(message: Outgoing, deadline: Deadline): void {
    const mayGo = (): boolean => this.#mayGo(message);
    if (this.#spin.until(mayGo)) return;
    const onSlice = (): void => {
      this.#rules.onSlice();
      if (mayGo()) throw LOOK_AGAIN;
    };
    try {
      this.#ring.notFull.parkSync(deadline, { validate: () => !mayGo(), onSlice });
    } catch (error) {
      if (error !== LOOK_AGAIN) throw error;
    }
  }

  #untilNextLook(deadline: Deadline, pause: number): Deadline {
    const isForMemory = this.#ring.maxRecords === 0 || this.#ring.size < this.#ring.maxRecords;
    if (!isForMemory || deadline.remaining() <= pause) return deadline;
    return Deadline.from({ timeout: pause, signal: deadline.signal });
  }

  #mayGo(message: Outgoing): boolean {
    return !this.#ring.isFull(message.byteLength) || this.#ring.closed || this.#rules.ended();
  }
}
