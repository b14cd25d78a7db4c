import { Deadline, type WaitOptions } from "../../core/deadline.ts";
import { currentCall } from "../call-context.ts";
import { WaitList } from "./wait-list.ts";

/** A flag to wait for. */
export class ManagedEvent {
  readonly #waiters = new WaitList<boolean>();
  #set = false;

  /** Sets the flag and wakes all who wait. */
  set(): void {
    this.#set = true;
    this.#waiters.wakeAll(true);
  }

  /** Clears the flag. */
  clear(): void {
    this.#set = false;
  }

  /** True while the flag is set. */
  isSet(): boolean {
    return this.#set;
  }

  /** Waits until the flag is set; gives false when the time ran out. */
  wait(options?: WaitOptions): boolean | Promise<boolean> {
    const deadline = Deadline.from(options);
    return this.#set || this.#waiters.wait(currentCall().caller, deadline, false);
  }
}
