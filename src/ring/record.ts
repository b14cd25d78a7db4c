/**
 * Records: what stands in a ring. A record starts at a multiple of 8 with two words: its kind in the low 4 bits and the length of
 * its payload above them; then a word that the kind defines. The ring is mapped twice, so the payload is always in one piece.
 */

import type { ByteSource } from "../core/bytes.ts";

export const RecordKind = {
  /** The ring goes on in another segment; the payload is its slot. */
  link: 1,
  /** A message too long for the ring: the payload says in which block it stands, the word behind the kind what it is. */
  block: 2,
  /** From here on: kinds of the layer above. */
  first: 4,
} as const;

export const RECORD_HEADER_BYTES = 8;
const KIND_BITS = 4;

/** Longest payload that is put into a ring itself. */
export const MAX_INLINE_BYTES: number = 1280 * 1024;

export function packHeader(kind: number, payloadBytes: number): number {
  return kind | (payloadBytes << KIND_BITS);
}

export function kindOf(header: number): number {
  return header & ((1 << KIND_BITS) - 1);
}

export function payloadBytesOf(header: number): number {
  return header >>> KIND_BITS;
}

/** Bytes that a record takes in the ring. */
export function recordBytes(payloadBytes: number): number {
  return (RECORD_HEADER_BYTES + payloadBytes + 7) & ~7;
}

/** A record as its reader sees it: a window into shared memory, good only until the reader returns. */
export interface RecordView extends ByteSource {
  kind: number;
  aux: number;
}
