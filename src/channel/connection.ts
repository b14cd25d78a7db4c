import type { Duplex } from "node:stream";
import { types } from "node:util";
import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { EndOfStreamError, StateError } from "../core/errors.ts";
import { defineHandle } from "../core/handle.ts";
import { checkInteger, rangeError, typeError } from "../core/options.ts";
import { NOTHING } from "../ring/index.ts";
import { type Readiness, WAITABLE } from "../wait/index.ts";
import { isTurnOver } from "./fairness.ts";
import { Outgoing, readBytes, readBytesInto, readValue } from "./message.ts";
import type { Take } from "./receive-port.ts";
import { duplexOf } from "./streams.ts";
import type { Transport } from "./transport.ts";

/** Options of `sendBytes`. */
export interface SendBytesOptions extends WaitOptions {
  /** First byte that is sent; default 0. */
  offset?: number;
  /** How many bytes are sent; default: up to the end. */
  size?: number;
}

/** Options of `recvBytes`. */
export interface ReceiveBytesOptions extends WaitOptions {
  /** A longer message is dropped, with a BufferTooShortError. Default: no limit. */
  maxLength?: number;
}

/** Options of `recvBytesInto`. */
export interface ReceiveIntoOptions extends WaitOptions {
  /** Where in the buffer the message goes, in bytes; default 0. */
  offset?: number;
}

/**
 * One end of a pipe, or of a connection to another program. What one side sends, the other receives: whole messages, in order.
 *
 * - A connection travels: as an argument, a captured variable, inside a message. Whoever has it can use it, also several processes at once.
 * - When the other end is closed, or the process that uses it has died, what was sent is still received; then `recv` rejects with
 *   EndOfStreamError, and `send` with BrokenPipeError.
 *
 * @example
 * ```ts
 * import { Pipe, Process } from "multiproc";
 *
 * const [here, there] = Pipe<string>();
 * const child = new Process(async () => there.send((await there.recv()).toUpperCase())).start();
 * await here.send("hello");
 * console.log(await here.recv()); // HELLO
 * await child.join();
 * ```
 */
export class Connection<T = unknown> {
  readonly #transport: Transport;
  #closed = false;

  static {
    defineHandle(Connection, (connection) => connection.#open("send").transfer());
    Object.defineProperty(Connection.prototype, WAITABLE, {
      value(this: Connection): Readiness {
        return this.#in("wait for").readiness();
      },
    });
  }

  /** Made by `Pipe`, `connect` and `Listener.accept`. @internal */
  constructor(transport: Transport) {
    if (typeof (transport as Transport | undefined)?.readiness !== "function") {
      throw new TypeError("Connections are made by Pipe(), connect() and Listener.accept()");
    }
    this.#transport = transport;
  }

  /** True after `close()`. */
  get closed(): boolean {
    return this.#closed;
  }

  /** True for an end that can receive: both of a duplex pipe, the first of a one-way pipe. False when closed. */
  get readable(): boolean {
    return !this.#closed && this.#transport.readable;
  }

  /** True for an end that can send. False when closed. */
  get writable(): boolean {
    return !this.#closed && this.#transport.writable;
  }

  /**
   * Sends a value; resolves when the other side can receive it. Waits while much is under way that nobody has received.
   *
   * Rejects with BrokenPipeError when nobody is there to receive, SerializationError when the value cannot travel, TimeoutError when
   * the time ran out, with the reason when aborted.
   */
  send(value: T, options?: WaitOptions): Promise<void> {
    return this.#send("send", options, ({ encodeOptions }) => Outgoing.of(value, encodeOptions));
  }

  /** As `send`, blocking. */
  sendSync(value: T, options?: WaitOptions): void {
    this.#sendSync("sendSync", options, ({ encodeOptions }) => Outgoing.of(value, encodeOptions));
  }

  /**
   * Sends bytes as one message, without encoding them; the other side takes them with `recvBytes`. They must not change before it is sent.
   * @throws {RangeError} If offset and size reach over the end.
   */
  sendBytes(bytes: ArrayBufferView | ArrayBuffer, options?: SendBytesOptions): Promise<void> {
    return this.#send("sendBytes", options, () => Outgoing.ofBytes(bytesOf(bytes, options)));
  }

  /** As `sendBytes`, blocking. */
  sendBytesSync(bytes: ArrayBufferView | ArrayBuffer, options?: SendBytesOptions): void {
    this.#sendSync("sendBytesSync", options, () => Outgoing.ofBytes(bytesOf(bytes, options)));
  }

  /**
   * Receives the next message.
   *
   * Rejects with EndOfStreamError when the other end is closed or its process has ended, and all that was sent has been received; with
   * TimeoutError when the time ran out, with the reason when aborted.
   */
  recv(options?: WaitOptions): Promise<T> {
    return this.#receive("recv", options, this.#takeValue);
  }

  /** As `recv`, blocking. */
  recvSync(options?: WaitOptions): T {
    return this.#receiveSync("recvSync", options, this.#takeValue);
  }

  /** Receives a message that was sent with `sendBytes`. Rejects with BufferTooShortError, and drops it, when it is too long. */
  recvBytes(options?: ReceiveBytesOptions): Promise<Uint8Array> {
    return attempt(() => this.#receive("recvBytes", options, takeBytes(options)));
  }

  /** As `recvBytes`, blocking. */
  recvBytesSync(options?: ReceiveBytesOptions): Uint8Array {
    return this.#receiveSync("recvBytesSync", options, takeBytes(options));
  }

  /**
   * Receives a message that was sent with `sendBytes` into memory that is there already, which is quicker.
   * @returns how many bytes it has. Rejects with BufferTooShortError, whose `value` is the message, when there is no room for it.
   */
  recvBytesInto(buffer: ArrayBufferView | ArrayBuffer, options?: ReceiveIntoOptions): Promise<number> {
    return attempt(() => this.#receive("recvBytesInto", options, takeInto(buffer, options)));
  }

  /** As `recvBytesInto`, blocking. */
  recvBytesIntoSync(buffer: ArrayBufferView | ArrayBuffer, options?: ReceiveIntoOptions): number {
    return this.#receiveSync("recvBytesIntoSync", options, takeInto(buffer, options));
  }

  /** Is there a message, or the end? @param options `timeout` to wait for one; default 0: asks once. */
  async poll({ timeout = 0, signal }: WaitOptions = {}): Promise<boolean> {
    const transport = this.#in("poll");
    const deadline = Deadline.from({ timeout, signal });
    deadline.throwIfAborted();
    return transport.poll(deadline);
  }

  /** As `poll`, blocking. */
  pollSync({ timeout = 0, signal }: WaitOptions = {}): boolean {
    const transport = this.#in("pollSync");
    const deadline = Deadline.from({ timeout, signal });
    deadline.throwIfAborted();
    return transport.pollSync(deadline);
  }

  /** Receives messages until the other end is closed or its process has ended. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      let message: T;
      try {
        message = await this.recv();
      } catch (error) {
        if (error instanceof EndOfStreamError) return;
        throw error;
      }
      yield message;
    }
  }

  /** A stream of the messages, both ways, in object mode. It ends with the connection, and closes it when it is destroyed. */
  toDuplex(): Duplex {
    this.#open("make a stream of");
    const source = this.readable
      ? {
          take: (signal: AbortSignal) => this.recv({ signal }),
          isEnd: (error: unknown) => error instanceof EndOfStreamError,
        }
      : undefined;
    const target = this.writable
      ? { put: (value: unknown, signal: AbortSignal) => this.send(value as T, { signal }) }
      : undefined;
    return duplexOf(source, target, () => this.close());
  }

  /** Closes this process's end. What was sent is still received at the other one. Repeatable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transport.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  readonly #takeValue: Take<T> = (record) => readValue(record, this.#transport.decodeOptions) as T;

  #send(method: string, options: WaitOptions | undefined, make: (transport: Transport) => Outgoing): Promise<void> {
    let message: Outgoing | undefined;
    try {
      const transport = this.#out(method);
      const deadline = Deadline.from(options);
      deadline.throwIfAborted();
      message = make(transport);
      const breathe = isTurnOver();
      if (!breathe && transport.trySend(message, method)) return DONE;
      const sending = message;
      message = undefined;
      return transport.send(sending, deadline, method, breathe);
    } catch (error) {
      message?.abort();
      return Promise.reject(error as Error);
    }
  }

  #sendSync(method: string, options: WaitOptions | undefined, make: (transport: Transport) => Outgoing): void {
    const transport = this.#out(method);
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    transport.sendSync(make(transport), deadline, method);
  }

  #receive<R>(method: string, options: WaitOptions | undefined, take: Take<R>): Promise<R> {
    return attempt(() => {
      const transport = this.#in(method);
      const deadline = Deadline.from(options);
      deadline.throwIfAborted();
      const breathe = isTurnOver();
      if (!breathe) {
        const got = transport.tryReceive(take);
        if (got !== NOTHING) return Promise.resolve(got as R);
      }
      return transport.receive(take, deadline, method, breathe);
    });
  }

  #receiveSync<R>(method: string, options: WaitOptions | undefined, take: Take<R>): R {
    const transport = this.#in(method);
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    return transport.receiveSync(take, deadline, method);
  }

  #in(method: string): Transport {
    const transport = this.#open(method);
    if (!transport.readable) throw new StateError(`Cannot ${method}: this is the writing end of the pipe`);
    return transport;
  }

  #out(method: string): Transport {
    const transport = this.#open(method);
    if (!transport.writable) throw new StateError(`Cannot ${method}: this is the reading end of the pipe`);
    return transport;
  }

  #open(action: string): Transport {
    if (this.#closed) throw new StateError(`Cannot ${action}: the connection is closed`);
    return this.#transport;
  }
}

const DONE: Promise<void> = Promise.resolve();

function attempt<R>(act: () => Promise<R>): Promise<R> {
  try {
    return act();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

function takeBytes(options: ReceiveBytesOptions | undefined): Take<Uint8Array> {
  const maxLength = options?.maxLength;
  if (maxLength !== undefined) checkInteger("options.maxLength", maxLength, 0);
  return (record) => readBytes(record, maxLength ?? Infinity);
}

function takeInto(buffer: ArrayBufferView | ArrayBuffer, options: ReceiveIntoOptions | undefined): Take<number> {
  const target = bytesOf(buffer, undefined);
  const offset = options?.offset ?? 0;
  checkInteger("options.offset", offset, 0, target.length);
  return (record) => readBytesInto(record, target.subarray(offset));
}

function bytesOf(bytes: ArrayBufferView | ArrayBuffer, options: SendBytesOptions | undefined): Uint8Array {
  const all = viewOf(bytes);
  const { offset = 0, size } = options ?? {};
  if (offset === 0 && size === undefined) return all;
  checkInteger("options.offset", offset, 0);
  if (offset > all.length) throw rangeError("options.offset", `at most ${all.length}, the length of the bytes`, offset);
  if (size === undefined) return all.subarray(offset);
  checkInteger("options.size", size, 0);
  if (offset + size > all.length)
    throw rangeError("options.size", `at most ${all.length - offset} behind the offset`, size);
  return all.subarray(offset, offset + size);
}

function viewOf(bytes: ArrayBufferView | ArrayBuffer): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  if (ArrayBuffer.isView(bytes)) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (types.isAnyArrayBuffer(bytes)) return new Uint8Array(bytes);
  throw typeError("bytes", "a typed array, Buffer, DataView or ArrayBuffer", bytes);
}
