/** What a proxy stands for: an object's number at a manager, and the way there. */

import { StateError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import type { Surface } from "./surface.ts";
import { Op } from "./protocol.ts";

/** Who is told what became of a call. */
export interface Settler {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The way from this process to a manager. */
export interface ManagerClient {
  /** Sends a request; the promise is settled by the reply. Rejects with ManagerDiedError when the manager dies. */
  call(
    id: number,
    op: number,
    name: string,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<unknown>;
  /** As `call`, but tells who waits at once, also while this thread is blocked in `awaitReplies`. */
  post(
    id: number,
    op: number,
    name: string,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
    settler: Settler,
  ): void;
  /** Blocks this thread until replies have come, at most for a time. */
  awaitReplies(milliseconds: number): void;
  /** As `call`, but blocks this thread. */
  callSync(id: number, op: number, name: string, args: readonly unknown[]): unknown;
  /** This process lets go of an object. */
  drop(ref: RemoteRef): void;
  /** What is sent in place of the proxy. */
  transfer(ref: RemoteRef): HandleTransfer;
  /** A function of this process as the manager can call it. */
  callback(fn: (...args: never[]) => unknown): object;
}

/** Something to let go of: the cell that says who holds the object. */
interface Held {
  release(): void;
}

/**
 * Names of methods whose functions are called back in this process, not sent away: those of event emitters and targets, `subscribe`, and
 * what is named like them (`onTick`, `offTick`, `onceReady`).
 */
const LISTENING =
  /^(?:on|once|off|subscribe|unsubscribe|(?:add|remove|prepend|prependOnce)Listener|(?:add|remove)EventListener|(?:on|once|off)[A-Z].*)$/;

export class RemoteRef {
  readonly client: ManagerClient;
  readonly id: number;
  readonly surface: Surface;
  readonly held: Held | undefined;
  released = false;

  constructor(client: ManagerClient, id: number, surface: Surface, held: Held | undefined) {
    this.client = client;
    this.id = id;
    this.surface = surface;
    this.held = held;
  }

  call(name: string, args: readonly unknown[]): Promise<unknown> {
    try {
      return this.#call(name, args);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #call(name: string, args: readonly unknown[]): Promise<unknown> {
    this.#assertHeld(name);
    const last = args.length === 0 ? undefined : args[args.length - 1];
    if (typeof last !== "object" && typeof last !== "function")
      return this.client.call(this.id, Op.call, name, args, undefined);
    const signal = signalOf(last);
    if (signal === undefined) return this.client.call(this.id, Op.call, name, this.#outgoing(name, args), undefined);
    const { signal: _, ...options } = last as { signal: AbortSignal };
    return this.client.call(this.id, Op.call, name, this.#outgoing(name, [...args.slice(0, -1), options]), signal);
  }

  callSync(name: string, args: readonly unknown[]): unknown {
    this.#assertHeld(name);
    return this.client.callSync(this.id, Op.call, name, this.#outgoing(name, args));
  }

  get(name: string): Promise<unknown> {
    return this.client.call(this.id, Op.get, name, [], undefined);
  }

  getSync(name: string): unknown {
    return this.client.callSync(this.id, Op.get, name, []);
  }

  setSync(name: string, value: unknown): void {
    this.client.callSync(this.id, Op.set, name, [value]);
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
