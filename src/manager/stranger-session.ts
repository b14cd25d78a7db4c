/** A stranger's connection as a client of the server: it uses what it was given, and sends no code. */

import { type ByteSink, type ByteSource, HeapSink, sourceOf } from "../core/bytes.ts";
import { SerializationError, StateError } from "../core/errors.ts";
import { decodeFrom, encodeErrorTo, encodeTo, type ErrorOrigin } from "../codec/index.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { packSurface, PROXY_TAG, readingFrom, type StrangerTransfer, writingFor } from "./handles.ts";
import type { MessageSocket } from "./message-socket.ts";
import type { ObjectTable } from "./object-table.ts";
import { writeReply } from "./protocol.ts";
import { Session, type WriteBody } from "./session.ts";
import { SharedObject } from "./shared-object.ts";

const READ = { functions: false, handles: PROXY_TAG } as const;
const WRITE = { functions: false, handles: PROXY_TAG, root: "result" } as const;

/** What a connection may use. */
export interface StrangerLimits {
  readonly maxMessage: number;
  readonly maxObjects: number;
  readonly maxCalls: number;
}

/** Messages of `maxMessage` that all calls which wait may be long together. */
const WAITING_MESSAGES = 4;

export class StrangerSession extends Session {
  readonly stranger = true;
  readonly control: SharedObject;
  readonly #socket: MessageSocket;
  readonly #table: ObjectTable;
  readonly #limits: StrangerLimits;
  /** How often each object was sent and not yet let go. */
  readonly #held = new Map<SharedObject, number>();
  /** Calls that were not answered yet, and how long they are. */
  readonly #underWay = new Map<number, number>();
  #bytesUnderWay = 0;

  constructor(name: string, socket: MessageSocket, control: SharedObject, table: ObjectTable, limits: StrangerLimits) {
    super(name);
    this.#socket = socket;
    this.control = control;
    this.#table = table;
    this.#limits = limits;
  }

  /** Serves until the connection ends. */
  serve(dispatcher: Dispatcher, onClose: () => void): void {
    const close = (): void => {
      this.leave();
      onClose();
    };
    const message = (bytes: Uint8Array): void => {
      try {
        dispatcher.serve(this, sourceOf(bytes));
      } catch {
        // Rubbish of somebody who knows the key: it is not talked to any more.
        this.#socket.close();
      }
    };
    this.#socket.listen(this.#limits.maxMessage, message, close);
  }

  close(): void {
    this.#socket.close();
  }

  begin(call: number, bytes: number): (() => Error) | undefined {
    if (call === 0 || this.#underWay.has(call)) {
      // What cannot be counted could be sent without end.
      this.#socket.close();
      throw new StateError(`Cannot serve call ${call}: it has no number of its own`);
    }
    const { maxCalls, maxMessage } = this.#limits;
    const mayWait = this.#underWay.size < maxCalls && this.#bytesUnderWay + bytes <= WAITING_MESSAGES * maxMessage;
    this.#underWay.set(call, bytes);
    this.#bytesUnderWay += bytes;
    return mayWait ? undefined : () => this.#tooMuch();
  }

  read(source: ByteSource): readonly unknown[] {
    const args = readingFrom(
      ({ id }) => this.#proxyOf(id),
      () => decodeFrom(source, READ),
    );
    if (!Array.isArray(args)) throw new SerializationError("Cannot read the arguments of a call: they are no array");
    return args;
  }

  write(sink: ByteSink, value: unknown): void {
    writingFor(
      (object) => {
        if (!(object instanceof SharedObject))
          throw new SerializationError("Cannot send a proxy of another manager to a stranger");
        return { tag: PROXY_TAG, data: this.#give(object), abort: () => this.drop(object, 1) };
      },
      () => encodeTo(sink, value, WRITE),
    );
  }

  writeError(sink: ByteSink, error: unknown, origin: ErrorOrigin): void {
    encodeErrorTo(sink, error, origin, { functions: false, handles: false });
  }

  mayUse(object: SharedObject): boolean {
    return object === this.control || this.#held.has(object);
  }

  reply(call: number, status: number, write: WriteBody | undefined): void {
    const sink = new HeapSink();
    writeReply(sink, call, status);
    write?.(sink);
    this.#end(call);
    this.#socket.send(sink.take());
  }

  drop(object: SharedObject, count: number): void {
    const left = (this.#held.get(object) ?? 0) - (Number.isInteger(count) && count > 0 ? count : 1);
    if (left > 0) this.#held.set(object, left);
    else this.#letGo(object);
  }

  override leave(): void {
    super.leave();
    for (const object of this.#held.keys()) this.#letGo(object);
  }

  #end(call: number): void {
    this.#bytesUnderWay -= this.#underWay.get(call) ?? 0;
    this.#underWay.delete(call);
  }

  #tooMuch(): StateError {
    const { maxCalls, maxMessage } = this.#limits;
    const limits = `at most ${maxCalls} (maxCalls), together at most ${WAITING_MESSAGES * maxMessage} bytes long (${WAITING_MESSAGES} times maxMessage)`;
    return new StateError(`Cannot wait: of ${this.caller.name} as many calls wait already as may, ${limits}`);
  }

  #give(object: SharedObject): StrangerTransfer {
    if (!this.#held.has(object) && this.#held.size >= this.#limits.maxObjects) {
      throw new StateError(
        `Cannot give another object to ${this.caller.name}: it holds ${this.#limits.maxObjects} already`,
      );
    }
    this.#held.set(object, (this.#held.get(object) ?? 0) + 1);
    object.strangers.add(this);
    this.#table.hold(object);
    return { id: object.id, surface: packSurface(object.surface) };
  }

  #letGo(object: SharedObject): void {
    this.#held.delete(object);
    object.strangers.delete(this);
    this.#table.releaseUnheld(object);
  }

  #proxyOf(id: number): object {
    const object = this.#table.find(id);
    if (object === undefined || !this.#held.has(object))
      throw new StateError(`Cannot use object ${id}: ${this.caller.name} does not hold it`);
    return this.#table.proxyOf(object);
  }
}
