/** The callbacks of one client as its server has them: functions that tell the client what they were called with. */

import { Status } from "./protocol.ts";

type Callback = (...args: unknown[]) => void;

interface Received {
  readonly callback: WeakRef<Callback>;
  readonly times: number;
}

export class ClientCallbacks {
  readonly #received = new Map<number, Received>();
  readonly #tell: (number: number, status: number, value: unknown) => void;
  readonly #collected = new FinalizationRegistry<number>((number) => this.#forget(number));

  /** @param tell Sends the client a reply with the number of a callback. */
  constructor(tell: (number: number, status: number, value: unknown) => void) {
    this.#tell = tell;
  }

  /** The function for a callback that has come; the same each time, as long as somebody keeps it. */
  receive(number: number): Callback {
    const known = this.#received.get(number);
    const times = (known?.times ?? 0) + 1;
    let callback = known?.callback.deref();
    if (callback === undefined) {
      callback = (...args) => this.#tell(number, Status.event, args);
      this.#collected.register(callback, number);
    }
    // One that was collected and not yet told of is told of together with this one.
    this.#received.set(number, { callback: new WeakRef(callback), times });
    return callback;
  }

  /** The client keeps the function as often as it sent it: it has to know. */
  #forget(number: number): void {
    const known = this.#received.get(number);
    if (known === undefined || known.callback.deref() !== undefined) return;
    this.#received.delete(number);
    this.#tell(number, Status.forgotten, known.times);
  }
}
