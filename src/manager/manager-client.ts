/** The way from a process to a manager, whichever it is: through shared memory, through a socket, or within the manager itself. */

import type { HandleTransfer } from "../core/handle.ts";
import type { Surface } from "./surface.ts";

/** An object of a manager, as a process knows it that holds it. */
export interface ObjectRef {
  readonly client: ManagerClient;
  readonly id: number;
  readonly surface: Surface;
  /** What says that this process holds it. */
  readonly held: { release(): void } | undefined;
}

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
  drop(ref: ObjectRef): void;
  /** What is sent in place of the proxy. */
  transfer(ref: ObjectRef): HandleTransfer;
  /** A function of this process as the manager can call it. */
  callback(fn: (...args: never[]) => unknown): object;
}

/** Sends a request; the promise is settled by the reply. @param entry As for `post`. */
export function promiseOf(client: ManagerClient, invocation: Invocation, entry: Function): Promise<unknown> {
  return new Promise((resolve, reject) => client.post(invocation, { resolve, reject }, entry));
}
