/** Calls that were sent and not yet answered, by number. */

import { type ByteSource, sourceOf } from "../core/bytes.ts";
import { onAbort } from "../core/on-abort.ts";
import { decodeErrorFrom, decodeFrom, prepare } from "../codec/index.ts";
import { PROXY_TAG } from "./handles.ts";
import { REPLY_HEADER_BYTES, SIGNAL, Status } from "./protocol.ts";
import type { Invocation, Settler } from "./manager-client.ts";

/** Calls that wait at a time and know where they were made. */
const ORIGINS_KEPT = 64;

/** Where a call was made, for the stack of an error. */
export interface Origin {
  readonly stack?: string;
}

/** How a client sends. */
export interface Sender {
  /** Sends a request; throws if it cannot. */
  send(call: number, invocation: Invocation, flags: number): void;
  /** Asks the manager to stop; it answers all the same. */
  cancel(call: number): void;
}

interface Pending {
  readonly settler: Settler;
  readonly origin: Origin;
  readonly signal: AbortSignal | undefined;
  readonly endSignal: (() => void) | undefined;
}

/** What a reply brought. */
export interface Outcome {
  readonly error: boolean;
  readonly value: unknown;
}

/** What is taken from a manager that is no family. */
const STRANGERS = { functions: false, handles: PROXY_TAG } as const;
const NOTHING: Outcome = { error: false, value: undefined };

export class PendingCalls {
  readonly #calls = new Map<number, Pending>();
  readonly #sender: Sender;
  readonly #stranger: boolean;
  #last = 0;

  /** @param stranger The manager is no family: no functions are taken from it. */
  constructor(sender: Sender, stranger: boolean) {
    this.#sender = sender;
    this.#stranger = stranger;
  }

  get size(): number {
    return this.#calls.size;
  }

  /** The number of the next call; never 0. */
  nextNumber(): number {
    this.#last = (this.#last + 1) >>> 0 || 1;
    return this.#last;
  }

  /** Sends a request, and tells `settler` what comes of it. @param entry Its callers are where the call was made. */
  post(invocation: Invocation, settler: Settler, entry: Function): void {
    const { signal } = invocation;
    try {
      signal?.throwIfAborted();
      const call = this.nextNumber();
      this.#sender.send(call, invocation, signal === undefined ? 0 : SIGNAL);
      const endSignal = signal === undefined ? undefined : onAbort(signal, () => this.#sender.cancel(call));
      this.#calls.set(call, { settler, origin: this.#origin(entry), signal, endSignal });
    } catch (error) {
      settler.reject(error);
    }
  }

  /** It takes as long as all the rest of a call, so in a flood of calls only the first ones know where they come from. */
  #origin(entry: Function): Origin {
    return this.#calls.size < ORIGINS_KEPT ? originOf(entry) : {};
  }

  /** Reads a reply's header. */
  static header({ view, position }: ByteSource): { call: number; status: number } {
    return { call: view.getUint32(position, true), status: view.getUint32(position + 4, true) };
  }

  /** Tells who waits for a call. @param now Also if modules must be loaded first: the thread is blocked until they are. */
  settle(call: number, source: ByteSource, now: boolean): void {
    const pending = this.#calls.get(call);
    if (pending === undefined) return;
    this.#calls.delete(call);
    pending.endSignal?.();
    const outcome = now ? this.read(source) : this.#readLater(source);
    if (outcome instanceof Promise) outcome.then((ready) => finish(pending, ready), pending.settler.reject);
    else finish(pending, outcome);
  }

  /** Reads what a reply brought; modules that it needs are loaded synchronously. */
  read(source: ByteSource): Outcome {
    const { status } = PendingCalls.header(source);
    source.position += REPLY_HEADER_BYTES;
    return status === Status.nothing ? NOTHING : this.#decode(source, status);
  }

  /** As `read`; gives a promise if modules must be loaded first. */
  #readLater(source: ByteSource): Outcome | Promise<Outcome> {
    const at = source.position + REPLY_HEADER_BYTES;
    if (this.#stranger || at >= source.limit) return this.read(source);
    const loading = prepare(source.bytes.subarray(at, source.limit));
    if (loading === undefined) return this.read(source);
    const copy = sourceOf(source.bytes.slice(source.position, source.limit));
    return loading.then(() => this.read(copy));
  }

  /** Rejects all calls. @param errorFor Makes an error for each. */
  failAll(errorFor: () => Error): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const pending of calls) {
      pending.endSignal?.();
      pending.settler.reject(withOrigin(errorFor(), pending.origin));
    }
  }

  #decode(source: ByteSource, status: number): Outcome {
    try {
      const options = this.#stranger ? STRANGERS : undefined;
      return status === Status.error
        ? { error: true, value: decodeErrorFrom(source, undefined, options) }
        : { error: false, value: decodeFrom(source, options) };
    } catch (error) {
      return { error: true, value: error };
    }
  }
}

function finish({ settler, origin, signal }: Pending, { error, value }: Outcome): void {
  if (!error) settler.resolve(value);
  else if (signal?.aborted === true && isCancelled(value)) settler.reject(signal.reason);
  else settler.reject(withOrigin(value, origin));
}

function isCancelled(error: unknown): boolean {
  const { name } = error as { name?: unknown };
  return name === "CancelledError" || name === "AbortError";
}

/** The callers of a function that is under way. */
export function originOf(entry: Function): Origin {
  const origin = {};
  Error.captureStackTrace(origin, entry);
  return origin;
}

/** Adds to an error of the manager where this process called it. */
export function withOrigin(error: unknown, origin: Origin): unknown {
  if (!(error instanceof Error)) return error;
  const frames = (origin.stack ?? "").split("\n").slice(1).join("\n");
  if (frames === "") return error;
  const value = `${error.stack ?? String(error)}\n  called from process ${process.pid}:\n${frames}`;
  Object.defineProperty(error, "stack", { value, configurable: true, writable: true, enumerable: false });
  return error;
}
