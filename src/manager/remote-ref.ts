/** What a proxy stands for: an object's number at a manager, and the way there. */

import { StateError } from "../core/errors.ts";
import { type Invocation, type ManagerClient, type ObjectRef, promiseOf } from "./manager-client.ts";
import type { Surface } from "./surface.ts";
import { Op } from "./protocol.ts";

/**
 * Names of methods whose functions are called back in this process, not sent away: those of event emitters and targets, `subscribe`, and
 * what is named like them (`onTick`, `offTick`, `onceReady`).
 */
const LISTENING =
  /^(?:on|once|off|subscribe|unsubscribe|(?:add|remove|prepend|prependOnce)Listener|(?:add|remove)EventListener|(?:on|once|off)[A-Z].*)$/;

export class RemoteRef implements ObjectRef {
  readonly client: ManagerClient;
  readonly id: number;
  readonly surface: Surface;
  readonly held: ObjectRef["held"];
  released = false;

  constructor(client: ManagerClient, id: number, surface: Surface, held: ObjectRef["held"]) {
    this.client = client;
    this.id = id;
    this.surface = surface;
    this.held = held;
  }

  call(name: string, args: readonly unknown[]): Promise<unknown> {
    try {
      return promiseOf(this.client, this.#invocation(name, args), this.call);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** A call whose last argument may hold a signal, which does not travel. */
  #invocation(name: string, args: readonly unknown[]): Invocation {
    this.#assertHeld(name);
    const last = args.length === 0 ? undefined : args[args.length - 1];
    if (typeof last !== "object" && typeof last !== "function") return this.#asked(Op.call, name, args);
    const signal = signalOf(last);
    if (signal === undefined) return this.#asked(Op.call, name, this.#outgoing(name, args));
    const { signal: _, ...options } = last as { signal: AbortSignal };
    return this.#asked(Op.call, name, this.#outgoing(name, [...args.slice(0, -1), options]), signal);
  }

  callSync(name: string, args: readonly unknown[]): unknown {
    this.#assertHeld(name);
    return this.client.callSync(this.#asked(Op.call, name, this.#outgoing(name, args)));
  }

  get(name: string): Promise<unknown> {
    return promiseOf(this.client, this.#asked(Op.get, name, []), this.get);
  }

  getSync(name: string): unknown {
    return this.client.callSync(this.#asked(Op.get, name, []));
  }

  setSync(name: string, value: unknown): void {
    this.client.callSync(this.#asked(Op.set, name, [value]));
  }

  #asked(op: number, name: string, args: readonly unknown[], signal?: AbortSignal): Invocation {
    return { id: this.id, op, name, args, signal };
  }

  /** Lets go of the object. Repeatable. */
  release(): void {
    if (this.released) return;
    this.released = true;
    this.client.drop(this);
  }

  #assertHeld(name: string): void {
    if (this.released)
      throw new StateError(`Cannot call "${name}" of the ${this.surface.kind}: the proxy was disposed of`);
  }

  #outgoing(name: string, args: readonly unknown[]): readonly unknown[] {
    if (!args.some((arg) => typeof arg === "function") || !LISTENING.test(name)) return args;
    return args.map((arg) => (typeof arg === "function" ? this.client.callback(arg as () => unknown) : arg));
  }
}

function signalOf(last: unknown): AbortSignal | undefined {
  if (typeof last !== "object" || last === null) return undefined;
  const { signal } = last as { signal?: unknown };
  return signal instanceof AbortSignal ? signal : undefined;
}
