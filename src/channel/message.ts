/** Messages as records of a ring. */

import { decodeFrom, type DecodeOptions, type Encoded, encodeTo, type EncodeOptions } from "../codec/index.ts";
import { BufferTooShortError, StateError } from "../core/errors.ts";
import { ownCopy } from "../core/own-copy.ts";
import { retractRef } from "../memory/index.ts";
import { MAX_INLINE_BYTES, onDiscard, type RecordView, Written } from "../ring/index.ts";
import type { Ring } from "../ring/index.ts";
import { MessageSink } from "./message-sink.ts";

/** Kinds of records. */
export const MessageKind = {
  /** A small integer, which stands in the header. */
  int: 4,
  /** An encoded value. */
  value: 5,
  /** Bytes as they are. */
  bytes: 6,
} as const;

/** How messages to processes of the same program are encoded. */
export const MESSAGE_OPTIONS: EncodeOptions = { root: "message" };

/** True for numbers that are written without the codec. */
export function isSmallInteger(value: unknown): value is number {
  return typeof value === "number" && (value | 0) === value && (value !== 0 || 1 / value > 0);
}

/** A message that is ready to be written, as often as it takes. */
export class Outgoing {
  readonly #sink = new MessageSink();
  #kind = 0;
  #aux = 0;
  #bytes: Uint8Array | undefined;
  #taken: Encoded | undefined;

  /** @throws {SerializationError} If the value cannot travel. */
  static of(value: unknown, options: EncodeOptions = MESSAGE_OPTIONS): Outgoing {
    const message = idle.pop() ?? new Outgoing();
    if (isSmallInteger(value)) {
      message.#kind = MessageKind.int;
      message.#aux = value;
      return message;
    }
    message.#kind = MessageKind.value;
    try {
      message.#taken = encodeTo(message.#sink, value, options);
    } catch (error) {
      message.#recycle();
      throw error;
    }
    return message;
  }

  /** Bytes as they are; they must not change until the message is written. */
  static ofBytes(bytes: Uint8Array): Outgoing {
    const message = idle.pop() ?? new Outgoing();
    message.#kind = MessageKind.bytes;
    if (bytes.length <= MAX_INLINE_BYTES) message.#bytes = bytes;
    else {
      message.#sink.grow(bytes.length);
      message.#sink.bytes.set(bytes);
      message.#sink.position = bytes.length;
    }
    return message;
  }

  get byteLength(): number {
    return this.#bytes?.length ?? this.#sink.position;
  }

  /** @returns One of `Written`; when it is done, the message is not to be used again. */
  write({ writer }: Ring): number {
    const sink = this.#sink;
    let result: number;
    if (sink.carrier !== undefined) {
      const ref = sink.carrier.refer();
      result = writer.writeBlock(this.#kind, ref, sink.position);
      if (result !== Written.done) retractRef(ref);
    } else if (this.#bytes !== undefined) result = writer.write(this.#kind, 0, this.#bytes, this.#bytes.length);
    else result = writer.write(this.#kind, this.#aux, sink.bytes, sink.position, sink.words);
    if (result === Written.done) this.#recycle();
    return result;
  }

  /** What goes over a socket. Good until `abort`. */
  asBytes(): { readonly kind: number; readonly bytes: Uint8Array } {
    if (this.#kind === MessageKind.int) {
      encodeTo(this.#sink, this.#aux);
      this.#kind = MessageKind.value;
    }
    return { kind: this.#kind, bytes: this.#bytes ?? this.#sink.bytes.subarray(0, this.#sink.position) };
  }

  /** Gives up a message that is not written. */
  abort(): void {
    for (const transfer of this.#taken?.transfers ?? []) transfer.abort?.();
    this.#recycle();
  }

  #recycle(): void {
    this.#sink.reset();
    this.#aux = 0;
    this.#bytes = undefined;
    this.#taken = undefined;
    if (idle.length < MAX_IDLE) idle.push(this);
  }
}

const idle: Outgoing[] = [];
const MAX_IDLE = 4;

/** The value of a record. */
export function readValue(record: RecordView, options?: DecodeOptions): unknown {
  if (record.kind === MessageKind.int) return record.aux;
  return record.kind === MessageKind.bytes ? copyOf(record) : decodeFrom(record, options);
}

/** The bytes of a record that was sent as bytes. */
export function readBytes(record: RecordView, maxLength: number): Uint8Array {
  assertBytes(record);
  const length = record.limit - record.position;
  if (length > maxLength) {
    throw new BufferTooShortError(
      `Cannot receive a message of ${length} bytes: maxLength is ${maxLength}. The message is dropped`,
    );
  }
  return copyOf(record);
}

/** Copies the bytes of a record into a buffer. @returns how many there are. */
export function readBytesInto(record: RecordView, target: Uint8Array): number {
  assertBytes(record);
  const length = record.limit - record.position;
  if (length > target.length) {
    throw new BufferTooShortError(`Cannot receive a message of ${length} bytes: there is room for ${target.length}`, {
      value: copyOf(record),
    });
  }
  target.set(record.bytes.subarray(record.position, record.limit));
  return length;
}

function assertBytes({ kind }: RecordView): void {
  if (kind === MessageKind.bytes) return;
  throw new StateError("Cannot receive bytes: the message was sent with send(). It is dropped");
}

function copyOf({ bytes, position, limit }: RecordView): Uint8Array {
  return ownCopy(bytes.subarray(position, limit));
}

/** What nobody reads any more: the handles in it are taken, and dropped. Functions are not made, since that would run code. */
onDiscard((record) => {
  if (record.kind !== MessageKind.value) return;
  try {
    decodeFrom(record, DISCARD_OPTIONS);
  } catch {
    // Handles behind a function stay referred to.
  }
});

const DISCARD_OPTIONS: DecodeOptions = { functions: false };
