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

/** Thrown to end a wait early. */
const LOOK_AGAIN = Symbol("look again");

/** While memory is short, readers wake writers only when half of it is free; somebody might read no further than that. */
const FIRST_LOOK_MS = 10;
const LAST_LOOK_MS = 1000;

export class SendPort {
  readonly #ring: Ring;
  readonly #rules: SendRules;
  readonly #turns = new Turns();
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

  /** Takes the message over: when it is not sent, it is given up. */
  sendSync(message: Outgoing, deadline: Deadline, method: string): void {
    try {
      while (!this.trySend(message, method)) {
        if (deadline.expired) throw this.#rules.fullError(method);
        this.#waitSync(message, deadline);
      }
    } catch (error) {
      message.abort();
      throw error;
    }
  }

  /** As `sendSync`. @param breathe Lets the event loop turn once first. */
  async send(message: Outgoing, deadline: Deadline, method: string, breathe = false): Promise<void> {
    let mine = false;
    try {
      mine = await this.#turns.enter(deadline);
      if (breathe) await nextTurn();
      let pause = FIRST_LOOK_MS;
      while (!(mine && this.trySend(message, method))) {
        if (deadline.expired) throw this.#rules.fullError(method);
        const validate = (): boolean => !this.#mayGo(message);
        await this.#ring.notFull.park(this.#untilNextLook(deadline, pause), { validate });
        pause = Math.min(LAST_LOOK_MS, 2 * pause);
      }
    } catch (error) {
      message.abort();
      // A wake-up may have come to this wait, which does not use it.
      if (this.#ring.notFull.waiting > 0 && !this.#ring.isFull(0)) this.#ring.notFull.unparkOne();
      throw error;
    } finally {
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
