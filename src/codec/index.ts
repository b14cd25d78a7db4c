/** Values to bytes and back, functions included. */

import "./provide-capture.ts";

export { decode, decodeFrom, needsHandles, needsModules, prepare } from "./decode.ts";
export { decodeError, decodeErrorFrom } from "./decode-thrown.ts";
export { encode, encodeError, encodeErrorTo, encodeTo, type ErrorOrigin } from "./encode.ts";
export type { Encoded } from "./encoder.ts";
export type { DecodeOptions } from "./reader.ts";
export type { EncodeOptions } from "./writer.ts";
