/** The first message to a child: a JSON header that says who it is, then what to run, encoded. */

import type { Bootstrap } from "./bootstrap.ts";

const LENGTH_BYTES = 8;

/** Puts the two parts together. */
export function packParcel(header: Bootstrap, payload: Uint8Array): Uint8Array {
  const text = Buffer.from(JSON.stringify(header));
  const start = payloadStart(text.length);
  const bytes = new Uint8Array(start + payload.length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, LENGTH_BYTES);
  bytes.set(payload, start);
  return bytes;
}

/** Takes them apart. */
export function unpackParcel(bytes: Uint8Array): { readonly header: Bootstrap; readonly payload: Uint8Array } {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + LENGTH_BYTES, length).toString();
  return { header: JSON.parse(text) as Bootstrap, payload: bytes.subarray(payloadStart(length)) };
}

/** A multiple of 8, so that numbers in the payload can be read in place. */
function payloadStart(headerBytes: number): number {
  return Math.ceil((LENGTH_BYTES + headerBytes) / 8) * 8;
}
