/**
 * How a ShareableList stands in its memory: a header, a slot of fixed size for each element, and room for texts and bytes.
 *
 * | word of the header | holds                        | written by |
 * |--------------------|------------------------------|------------|
 * | 0                  | magic                        | who makes  |
 * | 1                  | number of elements           | who makes  |
 *
 * | word of a slot | holds                                                    | written by                 |
 * |----------------|----------------------------------------------------------|----------------------------|
 * | 0              | pid of who reads or writes the element just now, or 0    | who takes and who gives it |
 * | 1              | tag: what the element is                                 | who holds word 0           |
 * | 2              | length of the text or bytes                              | who holds word 0           |
 * | 3              | room for text or bytes, in units of 8 bytes              | who makes                  |
 * | 4              | where that room is, in units of 8 bytes                  | who makes                  |
 * | 6–7            | a number, as a float or a 64-bit integer                 | who holds word 0           |
 */

import { rangeError, typeError } from "../core/options.ts";

/** What an element of a ShareableList can be. */
export type ShareableValue = number | bigint | boolean | string | Uint8Array | null;

export const MAGIC = 0x6d70_4c31;
export const HEADER_BYTES = 32;
export const SLOT_BYTES = 32;
export const UNIT = 8;

export const Word = { magic: 0, length: 1 } as const;
export const SlotWord = { holder: 0, tag: 1, byteLength: 2, room: 3, place: 4, scalar: 6 } as const;
export const Tag = { null: 0, false: 1, true: 2, number: 3, bigint: 4, text: 5, bytes: 6 } as const;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

/** Throws if a value cannot be an element. */
export function checkShareable(name: string, value: unknown): asserts value is ShareableValue {
  if (value === null || typeof value === "number" || typeof value === "boolean" || value instanceof Uint8Array) return;
  if (typeof value === "bigint") {
    if (value < MIN_INT64 || value > MAX_INT64) throw rangeError(name, "an integer of at most 64 bits", value);
  } else if (typeof value === "string") {
    if (!isWellFormed(value)) throw rangeError(name, "well-formed text, without lone surrogates", value);
  } else {
    throw typeError(name, "a number, bigint, boolean, string, Uint8Array or null", value);
  }
}

/** Units of room that an element gets, for the life of the list: its text or bytes and at least one byte more. */
export function roomFor(value: ShareableValue): number {
  return Math.floor(payloadBytes(value) / UNIT) + 1;
}

/** Bytes of a text (UTF-8) or of bytes; 0 for what needs no room. */
export function payloadBytes(value: ShareableValue): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  return value instanceof Uint8Array ? value.length : 0;
}

export function tagOf(value: ShareableValue): number {
  if (value === null) return Tag.null;
  if (value === true) return Tag.true;
  if (value === false) return Tag.false;
  if (typeof value === "number") return Tag.number;
  if (typeof value === "bigint") return Tag.bigint;
  return typeof value === "string" ? Tag.text : Tag.bytes;
}

/** Node 20 has the method, its types do not. */
function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}
