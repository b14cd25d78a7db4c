/** A connection over a socket, to another program, perhaps on another machine. */

import { needsModules, prepare, type DecodeOptions, type EncodeOptions } from "../codec/index.ts";
import type { Deadline } from "../core/deadline.ts";
import { BrokenPipeError, EndOfStreamError, SerializationError, StateError, TimeoutError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { rangeError } from "../core/options.ts";
import { NOTHING } from "../ring/index.ts";
import type { Readiness } from "../wait/index.ts";
import { AT_END, frame, FramedLine, MORE_TO_COME } from "./framed-line.ts";
import { MessageKind, type Outgoing } from "./message.ts";
import type { Take } from "./receive-port.ts";
import type { SocketLine } from "./socket-line.ts";
import type { Transport } from "./transport.ts";
import { Turns } from "./turns.ts";

export interface SocketRules {
  /** Bytes of the longest message, both ways. */
  readonly maxMessageBytes: number;
  /** Whether functions and classes are sent and taken. */
  readonly functions: boolean;
}

export class SocketTransport implements Transport {
  readonly readable = true;
  readonly writable = true;
  readonly encodeOptions: EncodeOptions;
  readonly decodeOptions: DecodeOptions;
  readonly #frames: FramedLine;
  readonly #line: SocketLine;
  readonly #maxBytes: number;
  readonly #sends = new Turns();
  readonly #receives = new Turns();
  /** What of a message could not be written at once. */
  #unsent: Uint8Array[] = [];
  #closed = false;

  constructor(line: SocketLine, { maxMessageBytes, functions }: SocketRules) {
    this.#line = line;
    this.#maxBytes = maxMessageBytes;
    this.#frames = new FramedLine(line, maxMessageBytes);
    this.encodeOptions = { root: "message", functions, handles: false };
    this.decodeOptions = { functions, handles: false };
  }

  /** Writing may take several goes, so nothing is begun here. */
  trySend(): boolean {
    return false;
  }

  async send(message: Outgoing, deadline: Deadline, method: string): Promise<void> {
    let mine = false;
    try {
      mine = await this.#sends.enter(deadline);
      if (!mine) throw this.#late(method);
      this.#begin(message, method);
      while (!this.#flush(method)) {
        const more = await this.#line.waitWritable(deadline);
        if (!more) throw this.#late(method);
      }
    } catch (error) {
      if (this.#unsent.length > 0) this.#breakOff();
      throw error;
    } finally {
      message.abort();
      if (mine) this.#sends.leave();
    }
  }

  sendSync(message: Outgoing, deadline: Deadline, method: string): void {
    try {
      if (this.#unsent.length === 0) this.#begin(message, method);
      else this.#unsent.push(...this.#framesOf(message));
      while (!this.#flush(method)) {
        if (deadline.expired) throw this.#late(method);
        this.#line.waitWritableSync(deadline);
      }
    } catch (error) {
      if (this.#unsent.length > 0) this.#breakOff();
      throw error;
    } finally {
      message.abort();
    }
  }

  tryReceive(): typeof NOTHING {
    return NOTHING;
  }

  async receive<T>(take: Take<T>, deadline: Deadline, method: string): Promise<T> {
    if (!(await this.#receives.enter(deadline))) throw this.#empty(method);
    try {
      for (;;) {
        const got = this.#frames.next();
        if (got === AT_END) throw this.#end(method);
        if (got !== MORE_TO_COME) {
          if (got.kind === MessageKind.value && needsModules(got)) await prepare(got.bytes, this.decodeOptions);
          return take(got);
        }
        if (deadline.expired || !(await this.#line.waitReadable(deadline))) throw this.#empty(method);
      }
    } finally {
      this.#receives.leave();
    }
  }

  receiveSync<T>(take: Take<T>, deadline: Deadline, method: string): T {
    for (;;) {
      const got = this.#frames.next();
      if (got === AT_END) throw this.#end(method);
      if (got !== MORE_TO_COME) return take(got);
      if (deadline.expired) throw this.#empty(method);
      this.#line.waitReadableSync(deadline);
    }
  }

  async poll(deadline: Deadline): Promise<boolean> {
    while (!this.#frames.ready) {
      if (deadline.expired || !(await this.#line.waitReadable(deadline))) return false;
    }
    return true;
  }

  pollSync(deadline: Deadline): boolean {
    while (!this.#frames.ready) {
      if (deadline.expired) return false;
      this.#line.waitReadableSync(deadline);
    }
    return true;
  }

  readiness(): Readiness {
    return {
      isReady: () => this.#frames.ready,
      subscribe: (wake) => this.#line.onReadable(wake),
      descriptor: () => this.#line.descriptor,
    };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#line.close();
  }

  transfer(): HandleTransfer {
    throw new SerializationError("Cannot send this connection: it is a socket of this process");
  }

  #begin(message: Outgoing, method: string): void {
    if (this.#closed) throw new StateError(`Cannot ${method}: the connection is closed`);
    this.#unsent = this.#framesOf(message);
    this.#flush(method);
  }

  #framesOf(message: Outgoing): Uint8Array[] {
    const { kind, bytes } = message.asBytes();
    if (bytes.length > this.#maxBytes) {
      throw rangeError("message", `at most ${this.#maxBytes} bytes long (maxMessageBytes)`, bytes.length);
    }
    return frame(kind, bytes);
  }

  /** Writes what goes. @returns true when all is written. */
  #flush(method: string): boolean {
    while (this.#unsent.length > 0) {
      const piece = this.#unsent[0] as Uint8Array;
      const count = this.#line.write(piece);
      if (count === -1) {
        this.#unsent = [];
        throw this.#broken(method);
      }
      if (count === 0 && piece.length > 0) return false;
      if (count === piece.length) this.#unsent.shift();
      else this.#unsent[0] = piece.subarray(count);
    }
    return true;
  }

  /** Half a message was sent: what came behind it could not be told from the rest of it. */
  #breakOff(): void {
    this.#unsent = [];
    this.#line.close();
  }

  #broken(method: string): BrokenPipeError {
    return new BrokenPipeError(`Cannot ${method}: the other side has closed the connection, or is gone`);
  }

  #end(method: string): Error {
    if (this.#closed) return new StateError(`Cannot go on with ${method}(): the connection was closed`);
    const why = this.#frames.fault ?? "the other side has closed the connection, or is gone";
    return new EndOfStreamError(`Cannot ${method}: ${why}`);
  }

  #empty(method: string): TimeoutError {
    return new TimeoutError(`Cannot ${method}: there is no message, and the time ran out`);
  }

  #late(method: string): TimeoutError {
    return new TimeoutError(`Cannot ${method}: the other side did not take the message in time`);
  }
}
