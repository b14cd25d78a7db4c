/** Receiving from a ring, with waiting for a record. */

import { needsModules, prepare } from "../codec/index.ts";
import { Deadline } from "../core/deadline.ts";
import { LEAVE, NOTHING, type RecordView, type Ring } from "../ring/index.ts";
import { AdaptiveSpin } from "../wait/index.ts";
import { nextTurn } from "./fairness.ts";
import { MessageKind } from "./message.ts";
import { Turns } from "./turns.ts";

/** What an owner of a ring says about receiving from it. */
export interface ReceiveRules {
  /** True when nothing more will be sent: what is in the ring is all there is. Cheap, and without using wait queues. */
  ended(): boolean;
  endedError(method: string): Error;
  /** There was nothing, and no time left. */
  emptyError(method: string): Error;
  /** Called about every 100 ms by who blocks: to see whether those who are waited for are alive. */
  onSlice(): void;
}

export type Take<T> = (record: RecordView) => T;

/** Thrown to end a wait early. */
const LOOK_AGAIN = Symbol("look again");

export class ReceivePort {
  readonly #ring: Ring;
  readonly #rules: ReceiveRules;
  readonly #turns = new Turns();
  readonly #spin = new AdaptiveSpin();
  readonly #loopSpin = new AdaptiveSpin();
  /** The number of the record whose modules are loaded. */
  #prepared = -1;
  #preparing: Promise<void> | undefined;
  /** What `take` is for promise calls: a record whose modules are not loaded stays where it is. */
  #takeWith: Take<unknown> | undefined;

  constructor(ring: Ring, rules: ReceiveRules) {
    this.#ring = ring;
    this.#rules = rules;
  }

  /** True when promise calls of this process are waiting: who comes now must not overtake them. */
  get busy(): boolean {
    return this.#turns.busy;
  }

  /** True when `receive` has something to give, or to say. */
  get ready(): boolean {
    return !this.#ring.reader.isEmpty || this.#rules.ended();
  }

  /** @returns What `take` makes of the oldest record, or NOTHING. */
  tryReceive<T>(take: Take<T>): T | typeof NOTHING {
    const { reader } = this.#ring;
    if (reader.isEmpty) return NOTHING;
    // Also when it throws: the record is taken then.
    try {
      return reader.read(take);
    } finally {
      this.#ring.taken();
    }
  }

  /** As `tryReceive`, but leaves a message that needs modules. */
  tryReceiveLoaded<T>(take: Take<T>): T | typeof NOTHING {
    if (this.#ring.reader.isEmpty) return NOTHING;
    const got = this.tryReceive((record) => (needsLoading(record) ? (LEAVE as never) : take(record)));
    return got === (LEAVE as unknown) ? NOTHING : got;
  }

  receiveSync<T>(take: Take<T>, deadline: Deadline, method: string): T {
    const isReady = (): boolean => this.ready;
    for (;;) {
      const got = this.#receiveOrEnd(take, method);
      if (got !== NOTHING) return got;
      if (deadline.expired) throw this.#rules.emptyError(method);
      if (this.#spin.until(isReady)) continue;
      this.#park(this.#ring.notEmpty, deadline);
    }
  }

  /**
   * As `receiveSync`; messages that need modules are taken when those are loaded.
   * @param breathe Lets the event loop turn once first.
   */
  async receive<T>(take: Take<T>, deadline: Deadline, method: string, breathe = false): Promise<T> {
    if (!(await this.#turns.enter(deadline))) throw this.#rules.emptyError(method);
    const isReady = (): boolean => this.ready;
    try {
      if (breathe) await nextTurn();
      this.#takeWith = take;
      for (;;) {
        // Aborted before it came to look, it takes nothing.
        deadline.throwIfAborted();
        const got = this.#receiveOrEnd(this.#takePrepared as Take<T>, method);
        if (this.#preparing !== undefined) {
          await this.#loadModules();
          continue;
        }
        if (got !== NOTHING) return got;
        if (deadline.expired) throw this.#rules.emptyError(method);
        if (this.#loopSpin.until(isReady)) continue;
        await this.#ring.notEmpty.park(deadline, { validate: () => !this.ready });
      }
    } catch (error) {
      // A wake-up may have come to this wait, which does not use it.
      if (!this.#ring.reader.isEmpty && this.#ring.notEmpty.waiting > 0) this.#ring.notEmpty.unparkOne();
      throw error;
    } finally {
      this.#turns.leave();
    }
  }

  /** Waits until there is something to receive, and leaves it there. @returns false when the time ran out. */
  async poll(deadline: Deadline): Promise<boolean> {
    while (!this.ready) {
      if (deadline.expired) return false;
      await this.#ring.watchers.park(deadline, { validate: () => !this.ready });
    }
    return true;
  }

  pollSync(deadline: Deadline): boolean {
    while (!this.ready) {
      if (deadline.expired) return false;
      this.#park(this.#ring.watchers, deadline);
    }
    return true;
  }

  /** Calls `wake` in the event loop when there may be something to receive. @returns ends it. */
  subscribe(wake: () => void): () => void {
    const ending = new AbortController();
    const watch = async (): Promise<void> => {
      const { signal } = ending;
      while (!signal.aborted) {
        await this.#ring.watchers.park(signalOnly(signal), { validate: () => !this.ready });
        wake();
        if (this.ready) return;
      }
    };
    watch().catch(() => {});
    return () => ending.abort();
  }

  #receiveOrEnd<T>(take: Take<T>, method: string): T | typeof NOTHING {
    const got = this.tryReceive(take);
    if (got !== NOTHING || !this.#rules.ended()) return got;
    // What was sent just before the end.
    const last = this.tryReceive(take);
    if (last === NOTHING) throw this.#rules.endedError(method);
    return last;
  }

  readonly #takePrepared = (record: RecordView): unknown => {
    if (needsLoading(record) && this.#prepared !== this.#ring.reader.nextNumber) {
      this.#prepared = this.#ring.reader.nextNumber;
      this.#preparing = prepare(record.bytes.slice(record.position, record.limit));
      if (this.#preparing !== undefined) return LEAVE;
    }
    return (this.#takeWith as Take<unknown>)(record);
  };

  async #loadModules(): Promise<void> {
    try {
      await this.#preparing;
    } catch {
      // Decoding will fail with the same error, and then the message is taken.
    } finally {
      this.#preparing = undefined;
    }
  }

  #park(queue: Ring["notEmpty"], deadline: Deadline): void {
    const onSlice = (): void => {
      this.#rules.onSlice();
      if (this.ready) throw LOOK_AGAIN;
    };
    try {
      queue.parkSync(deadline, { validate: () => !this.ready, onSlice, patient: true });
    } catch (error) {
      if (error !== LOOK_AGAIN) throw error;
    }
  }
}

function signalOnly(signal: AbortSignal): Deadline {
  return Deadline.from({ signal });
}

function needsLoading(record: RecordView): boolean {
  return record.kind === MessageKind.value && needsModules(record);
}
