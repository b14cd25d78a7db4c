/** A client as the server sees it. */

import type { ByteSink, ByteSource } from "../core/bytes.ts";
import type { ErrorOrigin } from "../codec/index.ts";
import { Caller } from "./call-context.ts";
import type { SharedObject } from "./shared-object.ts";

/** Writes the body of a reply. */
export type WriteBody = (sink: ByteSink) => void;

export abstract class Session {
  readonly caller: Caller;
  /** Not of the family: it sees only what it was given, and sends no code. */
  abstract readonly stranger: boolean;
  /** What can be cancelled: calls that were given a signal. */
  readonly cancellable: Map<number, AbortController> = new Map<number, AbortController>();

  constructor(name: string) {
    this.caller = new Caller(name);
  }

  /** The object with number 0, as this client sees it. */
  abstract readonly control: SharedObject;

  /**
   * A call begins, and ends with its reply.
   * @param bytes How long it is. @returns what makes the error for it should it have to wait; undefined if it may.
   */
  abstract begin(call: number, bytes: number): (() => Error) | undefined;

  /** Reads arguments. */
  abstract read(source: ByteSource): readonly unknown[];

  /** Writes a result. */
  abstract write(sink: ByteSink, value: unknown): void;

  /** Writes an error. */
  abstract writeError(sink: ByteSink, error: unknown, origin: ErrorOrigin): void;

  /** May this client use the object? */
  abstract mayUse(object: SharedObject): boolean;

  /**
   * Sends a reply. What `write` throws goes to the caller; nothing is sent then.
   * @param undo Called if the client dies before it has taken the reply.
   */
  abstract reply(call: number, status: number, write: WriteBody | undefined, undo: (() => void) | undefined): void;

  /** The client let go of an object. @param count As often as it was sent the object, for strangers. */
  abstract drop(object: SharedObject, count: number): void;

  /** The client is gone. */
  leave(): void {
    for (const controller of this.cancellable.values()) controller.abort();
    this.cancellable.clear();
    this.caller.leave();
  }
}
