import { Deadline, type WaitOptions } from "../../core/deadline.ts";
import { BrokenBarrierError } from "../../core/errors.ts";
import { checkFunction, checkInteger, checkKnownOptions } from "../../core/options.ts";
import { currentCall } from "../call-context.ts";
import { WaitList } from "./wait-list.ts";

export interface ManagedBarrierOptions {
  /** Called in the manager once a round, when all have come and before anybody goes on. */
  action?: (() => unknown) | undefined;
  /** Milliseconds that `wait` waits unless told otherwise; default: no limit. */
  timeout?: number | undefined;
}

const PASSED = 1;
const BROKEN = 2;
const LATE = 3;

/** A meeting point of a number of parties. */
export class ManagedBarrier {
  readonly #parties: number;
  readonly #options: ManagedBarrierOptions;
  #waiters = new WaitList<number>();
  #arrived = 0;
  #broken: string | undefined;

  constructor(parties: number, options: ManagedBarrierOptions = {}) {
    checkInteger("parties", parties, 1);
    checkKnownOptions("barrier", options, ["action", "timeout"]);
    if (options.action !== undefined) checkFunction("options.action", options.action);
    this.#parties = parties;
    this.#options = options;
  }

  /**
   * Waits until all parties are here; gives the order of arrival, from 0.
   * @throws {BrokenBarrierError} If somebody's time ran out, a party died, or it was aborted or reset meanwhile.
   */
  async wait(options?: WaitOptions): Promise<number> {
    const { caller } = currentCall();
    const deadline = Deadline.from({ timeout: this.#options.timeout, ...options });
    this.#assertWhole();
    const index = this.#arrived++;
    if (this.#arrived === this.#parties) return await this.#open(index);
    const leave = caller.onGone(() => this.#break("a party died"));
    try {
      const outcome = await this.#waiters.wait(caller, deadline, LATE);
      if (outcome === PASSED) return index;
      if (outcome === LATE) this.#break("a party's time ran out");
    } catch (error) {
      this.#break("a party stopped waiting");
      throw error;
    } finally {
      leave();
    }
    throw new BrokenBarrierError(`Cannot pass the barrier: ${this.#broken ?? "it was reset"}`);
  }

  /** Makes it whole and empty again; those who wait get BrokenBarrierError. */
  reset(): void {
    this.#release(BROKEN);
    this.#broken = undefined;
  }

  /** Breaks it until it is reset. */
  abort(): void {
    this.#break("it was aborted");
  }

  /** How many have to meet. */
  parties(): number {
    return this.#parties;
  }

  /** How many wait just now. */
  nWaiting(): number {
    return this.#waiters.size;
  }

  /** True when it is broken; `reset` mends it. */
  broken(): boolean {
    return this.#broken !== undefined;
  }

  async #open(index: number): Promise<number> {
    try {
      await this.#options.action?.();
    } catch (error) {
      this.#break("its action failed");
      throw error;
    }
    // An action that waits leaves time to abort it.
    this.#assertWhole();
    this.#release(PASSED);
    return index;
  }

  #break(why: string): void {
    this.#broken ??= why;
    this.#release(BROKEN);
  }

  #release(outcome: number): void {
    const waiters = this.#waiters;
    this.#waiters = new WaitList();
    this.#arrived = 0;
    waiters.wakeAll(outcome);
  }

  #assertWhole(): void {
    if (this.#broken !== undefined) throw new BrokenBarrierError(`Cannot wait at the barrier: ${this.#broken}`);
  }
}
