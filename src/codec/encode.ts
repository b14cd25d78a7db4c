/** Encoding, without the analysis of functions: who sends functions provides that first (index.ts does). */

import { type ByteSink, HeapSink } from "../core/bytes.ts";
import { writeThrown } from "./encode-error.ts";
import { type Encoded, Encoder } from "./encoder.ts";
import type { EncodeOptions } from "./writer.ts";

const idle: Encoder[] = [];
const NO_OPTIONS: EncodeOptions = {};
const SCRATCH_MAX = 1 << 20;
let scratch: HeapSink | undefined = new HeapSink();

/**
 * Writes a value straight into a sink.
 * @returns what the message took of shared things, if any: abort each transfer if the message is never delivered.
 * @throws {SerializationError} If something cannot travel; the sink's position is where it was then.
 */
export function encodeTo(sink: ByteSink, value: unknown, options: EncodeOptions = NO_OPTIONS): Encoded | undefined {
  const encoder = idle.pop() ?? new Encoder();
  try {
    return encoder.encode(sink, options, value);
  } finally {
    idle.push(encoder);
  }
}

/** The bytes of a value. */
export function encode(value: unknown, options?: EncodeOptions): Uint8Array {
  return toBytes((sink) => encodeTo(sink, value, options));
}

/** Who an error comes from. */
export interface ErrorOrigin {
  readonly name: string;
  readonly pid: number;
}

/** The bytes of whatever was thrown; cannot fail. */
export function encodeError(thrown: unknown, origin?: ErrorOrigin): Uint8Array {
  return toBytes((sink) => encodeErrorTo(sink, thrown, origin));
}

/** Writes whatever was thrown; cannot fail, but for a sink that does. */
export function encodeErrorTo(
  sink: ByteSink,
  thrown: unknown,
  origin?: ErrorOrigin,
  options: EncodeOptions = NO_OPTIONS,
): Encoded | undefined {
  const encoder = idle.pop() ?? new Encoder();
  try {
    return encoder.encode(sink, options, thrown, (writer) => {
      writeThrown(writer, thrown);
      writer.value(origin);
    });
  } finally {
    idle.push(encoder);
  }
}

function toBytes(write: (sink: HeapSink) => void): Uint8Array {
  const sink = scratch ?? new HeapSink();
  // Taken while it is in use: a value may encode another one while it is written.
  scratch = undefined;
  sink.position = 0;
  try {
    write(sink);
    // A large one is not used again: what it has need not be copied.
    return sink.bytes.length > SCRATCH_MAX ? sink.bytes.subarray(0, sink.position) : sink.take();
  } finally {
    scratch = sink.bytes.length > SCRATCH_MAX ? new HeapSink() : sink;
  }
}
