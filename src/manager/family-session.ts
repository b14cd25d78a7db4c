/** A process of the family as a client of the server. */

import type { ByteSink, ByteSource } from "../core/bytes.ts";
import { decodeFrom, encodeErrorTo, encodeTo, type ErrorOrigin } from "../codec/index.ts";
import { slotGeneration, slotOwner } from "../memory/index.ts";
import { receiveCallbacks } from "./callbacks.ts";
import { ClientCallbacks } from "./client-callbacks.ts";
import { ServerLink } from "./link-memory.ts";
import { writeReply } from "./protocol.ts";
import { Session, type WriteBody } from "./session.ts";
import type { SharedObject } from "./shared-object.ts";

const EVENT = { root: "args" } as const;

/** A reply that takes something back if it is never read. */
interface Undoable {
  /** Where the reply ends, in bytes ever written. */
  readonly end: number;
  readonly undo: () => void;
}

export class FamilySession extends Session {
  readonly stranger = false;
  readonly link: ServerLink;
  readonly control: SharedObject;
  readonly #released: (object: SharedObject) => void;
  readonly #callbacks: ClientCallbacks;
  #undoable: Undoable[] = [];

  constructor(link: ServerLink, control: SharedObject, released: (object: SharedObject) => void) {
    const owner = slotOwner(link.slot);
    super(owner === undefined ? "a process that is gone" : `process ${owner.pid}`);
    this.link = link;
    this.control = control;
    this.#released = released;
    this.#callbacks = new ClientCallbacks((number, status, value) => {
      if (!this.caller.gone) this.reply(number, status, (sink) => void encodeTo(sink, value, EVENT), undefined);
    });
  }

  /** False when the client is closed, or was swept after its death. */
  get isThere(): boolean {
    return (
      !this.link.closed &&
      slotGeneration(this.link.slot) === this.link.slotGeneration &&
      slotOwner(this.link.slot) !== undefined
    );
  }

  begin(): undefined {}

  mayUse(): boolean {
    return true;
  }

  read(source: ByteSource): readonly unknown[] {
    return receiveCallbacks(
      (number) => this.#callbacks.receive(number),
      () => decodeFrom(source) as readonly unknown[],
    );
  }

  write(sink: ByteSink, value: unknown): void {
    encodeTo(sink, value, { root: "result" });
  }

  writeError(sink: ByteSink, error: unknown, origin: ErrorOrigin): void {
    encodeErrorTo(sink, error, origin);
  }

  reply(call: number, status: number, write: WriteBody | undefined, undo: (() => void) | undefined): void {
    const { replies } = this.link;
    replies.write((sink) => {
      writeReply(sink, call, status);
      write?.(sink);
    });
    if (undo !== undefined) this.#keepUndo(undo);
    if (replies.isBehind) this.flush();
    this.link.wakeClient();
  }

  drop(object: SharedObject): void {
    this.#released(object);
  }

  /** Sends what found no room. @returns true when nothing waits any more. */
  flush(): boolean {
    const { replies } = this.link;
    if (replies.flush()) return true;
    this.link.wantRoom();
    // The client may have made room before it could see that it is wanted.
    const done = replies.flush();
    this.link.wakeClient();
    return done;
  }

  override leave(): void {
    const read = this.link.replies.readPosition;
    super.leave();
    // The last one that was taken goes back first, so that the order is what it was.
    for (const { end, undo } of this.#undoable.reverse()) if (((end - read) | 0) > 0) undo();
    this.#undoable = [];
    this.link.release();
  }

  #keepUndo(undo: () => void): void {
    const { replies } = this.link;
    const read = replies.readPosition;
    // A reply that found no room stands behind all that was written: nothing there has been read yet.
    const end = replies.isBehind ? (replies.position + 1) | 0 : replies.position;
    if (this.#undoable.length > 32) this.#undoable = this.#undoable.filter((each) => ((each.end - read) | 0) > 0);
    this.#undoable.push({ end, undo });
  }
}
