/** Texts as bytes: short ones by a loop of ours, which is quicker than a call into node. */

import type { ByteSink } from "../core/bytes.ts";
import { Tag } from "./wire.ts";

const SHORT_TEXT = 255;
const LOOP_TEXT = 64;

type Write = (this: Uint8Array, text: string, offset: number, length: number) => number;
const latin1Write = Buffer.prototype.latin1Write as Write;
const ucs2Write = Buffer.prototype.ucs2Write as Write;

/** Writes a text with its tag. */
export function writeText(sink: ByteSink, text: string): void {
  const { length } = text;
  if (length > LOOP_TEXT) return writeLong(sink, text, length);
  if (sink.limit - sink.position < length + 2) sink.grow(length + 2);
  const { bytes, position } = sink;
  let at = position + 2;
  let every = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    every |= code;
    bytes[at++] = code;
  }
  if (every > 255) return writeLong(sink, text, length);
  bytes[position] = Tag.shortString;
  bytes[position + 1] = length;
  sink.position = at;
}

function writeLong(sink: ByteSink, text: string, length: number): void {
  const wide = /[^\0-\xff]/.test(text);
  const byteLength = wide ? 2 * length : length;
  if (sink.limit - sink.position < byteLength + 5) sink.grow(byteLength + 5);
  if (!wide && length <= SHORT_TEXT) {
    sink.bytes[sink.position++] = Tag.shortString;
    sink.bytes[sink.position++] = length;
  } else {
    sink.bytes[sink.position++] = wide ? Tag.utf16 : Tag.latin1;
    sink.view.setUint32(sink.position, length, true);
    sink.position += 4;
  }
  (wide ? ucs2Write : latin1Write).call(sink.bytes, text, sink.position, byteLength);
  sink.position += byteLength;
}
