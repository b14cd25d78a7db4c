/** Copies of bytes, in memory of their own. */

/** From here on the memory of a copy is prepared first. Shorter than what malloc takes from the system piece by piece. */
const LARGE_BYTES: number = 128 * 1024;

let prepare: ((memory: Uint8Array) => void) | undefined;

/** Calls back with the memory of each large copy before it is written for the first time. */
export function onLargeCopy(prepareMemory: (memory: Uint8Array) => void): void {
  prepare = prepareMemory;
}

/** A copy that nobody else sees: over a buffer of its own, of just its length. */
export function ownCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = bytes;
  if (length === 0) return new Uint8Array(0);
  // Not zeroed first, which would cost as much as the copy.
  const copy = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  if (length >= LARGE_BYTES) prepare?.(copy);
  copy.set(bytes);
  return copy;
}
