/** Handles as text, to pass them to a fixture that is started without the codec. */

import { isHandle, reviveHandle, TO_HANDLE } from "../../src/core/handle.ts";

/** The handle, and whatever handles its transfer contains, as text. Counts as one message. */
export function handleToText(handle: object): string {
  return JSON.stringify(encode(handle));
}

/** The handle that stands for the same thing in this process. */
export function handleFromText(text: string): unknown {
  return decode(JSON.parse(text));
}

function encode(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (isHandle(value)) {
    const { tag, data } = value[TO_HANDLE]();
    return { $tag: tag, data: encode(data) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encode(each)]));
}

function decode(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const decoded = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, decode(each)]));
  return typeof decoded["$tag"] === "string" ? reviveHandle(decoded["$tag"], decoded["data"]) : decoded;
}
