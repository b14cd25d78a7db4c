/** What a proxy stands for: an object's number at a manager, and the way there. */

import { StateError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import type { Surface } from "./surface.ts";
import { Op } from "./protocol.ts";

/** What is asked of an object. */
export interface Invocation {
  /** The object's number. */
  readonly id: number;
  readonly op: number;
  /** Of the method or property. */
  readonly name: string;
  readonly args: readonly unknown[];
  /** Aborts the call. */
  readonly signal: AbortSignal | undefined;
}

/** Who is told what became of a call. */
export interface Settler {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The way from this process to a manager. */
export interface ManagerClient {
  /**
   * Sends a request, and tells `settler` what comes of it: at once, also while this thread is blocked in `awaitReplies`. A
   * ManagerDiedError if the manager dies.
   * @param entry The function that was called: the stack of an error begins with its caller.
   */
  post(invocation: Invocation, settler: Settler, entry: Function): void;
  /** Blocks this thread until replies have come, at most for a time. */
  awaitReplies(milliseconds: number): void;
  /** Sends a request and blocks this thread until it is answered. */
  callSync(invocation: Invocation): unknown;
  /** This process lets go of an object. */
  drop(ref: RemoteRef): void;
  /** What is sent in place of the proxy. */
  transfer(ref: RemoteRef): HandleTransfer;
  /** A function of this process as the manager can call it. */
  callback(fn: (...args: never[]) => unknown): object;
}

/** Sends a request; the promise is settled by the reply. @param entry As for `post`. */
export function promiseOf(client: ManagerClient, invocation: Invocation, entry: Function): Promise<unknown> {
  return new Promise((resolve, reject) => client.post(invocation, { resolve, reject }, entry));
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
