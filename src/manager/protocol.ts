/**
 * What a client and the server of a manager say to each other.
 *
 * A request is a header, the name of a method or property (latin1 or UTF-8 bytes), and the encoded array of arguments, if there are any:
 *
 * | byte | holds                                                             |
 * |------|-------------------------------------------------------------------|
 * | 0–3  | number of the call, counted by the client; 0 wants no reply       |
 * | 4–7  | number of the object; 0 is the manager itself                     |
 * | 8    | Op                                                                |
 * | 9    | flags: SIGNAL                                                     |
 * | 10–11| bytes of the name                                                 |
 *
 * A reply is a header and an encoded value or error; for Status.event and Status.forgotten the number is that of a callback of the client:
 *
 * | byte | holds                                                             |
 * |------|-------------------------------------------------------------------|
 * | 0–3  | number of the call                                                |
 * | 4    | Status                                                            |
 */

import type { ByteSink, ByteSource } from "../core/bytes.ts";

export const REQUEST_HEADER_BYTES = 12;
export const REPLY_HEADER_BYTES = 8;

/** The object that makes the others. */
export const CONTROL_ID = 0;

/** What is asked of an object. */
export const Op = { call: 1, get: 2, set: 3, cancel: 4, drop: 5 } as const;

/** The last argument is an object of options that gets a `signal`, which aborts when the call is cancelled. */
export const SIGNAL = 1;

/** `forgotten`: the manager does not hold a callback any more; the value is how often it was sent it. */
export const Status = { value: 0, nothing: 1, error: 2, event: 3, forgotten: 4 } as const;

export interface Request {
  readonly call: number;
  readonly object: number;
  readonly op: number;
  readonly flags: number;
  readonly name: string;
}

const MAX_NAME_CHARACTERS = 10_000;
const text = new TextDecoder();

/** Writes the header and the name of a request. */
export function writeRequest(
  sink: ByteSink,
  call: number,
  object: number,
  op: number,
  flags: number,
  name: string,
): void {
  const room = REQUEST_HEADER_BYTES + 3 * name.length;
  if (sink.limit - sink.position < room) sink.grow(room);
  const at = sink.position;
  const { bytes, view } = sink;
  view.setUint32(at, call, true);
  view.setUint32(at + 4, object, true);
  bytes[at + 8] = op;
  bytes[at + 9] = flags;
  const length = writeName(bytes, at + REQUEST_HEADER_BYTES, name.slice(0, MAX_NAME_CHARACTERS));
  view.setUint16(at + 10, length, true);
  sink.position = at + REQUEST_HEADER_BYTES + length;
}

/** Reads what `writeRequest` wrote; the arguments follow. */
export function readRequest(source: ByteSource): Request {
  const { bytes, view, position: at } = source;
  const length = view.getUint16(at + 10, true);
  source.position = at + REQUEST_HEADER_BYTES + length;
  return {
    call: view.getUint32(at, true),
    object: view.getUint32(at + 4, true),
    op: bytes[at + 8] as number,
    flags: bytes[at + 9] as number,
    name: readName(bytes, at + REQUEST_HEADER_BYTES, length),
  };
}

export function writeReply(sink: ByteSink, call: number, status: number): void {
  if (sink.limit - sink.position < REPLY_HEADER_BYTES) sink.grow(REPLY_HEADER_BYTES);
  const at = sink.position;
  sink.view.setUint32(at, call, true);
  sink.view.setUint32(at + 4, status, true);
  sink.position = at + REPLY_HEADER_BYTES;
}

function writeName(bytes: Uint8Array, at: number, name: string): number {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    if (code > 127) return new TextEncoder().encodeInto(name, bytes.subarray(at)).written;
    bytes[at + i] = code;
  }
  return name.length;
}

/** Names come again and again: the last ones are compared before a string is made. */
const recent: string[] = [];
const RECENT = 64;

function readName(bytes: Uint8Array, at: number, length: number): string {
  if (length === 0) return "";
  const slot = ((bytes[at] as number) * 7 + (bytes[at + length - 1] as number) * 3 + length) % RECENT;
  const known = recent[slot];
  if (known !== undefined && isName(known, bytes, at, length)) return known;
  return (recent[slot] = text.decode(bytes.slice(at, at + length)));
}

function isName(name: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let i = 0; i < length; i++) if (name.charCodeAt(i) !== bytes[at + i]) return false;
  return true;
}
