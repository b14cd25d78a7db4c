/** The identity of a definition: a hash of all of it, the same in every process. */

import type { FunctionDefinition } from "./image.ts";

/** Odd, pairwise different; the golden ratio and three large primes. */
const MULTIPLIERS = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;

/**
 * Four polynomial hashes modulo 2^32 of the whole definition. Guards against accidents, not against people; `node:crypto` would
 * cost each first send its loading time.
 */
export function definitionId(parts: Omit<FunctionDefinition, "id">): string {
  const text = JSON.stringify(parts);
  return MULTIPLIERS.map((multiplier) => polynomial(text, multiplier).toString(36)).join("");
}

function polynomial(text: string, multiplier: number): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, multiplier) + text.charCodeAt(i)) | 0;
  return (hash ^ (hash >>> 15)) >>> 0;
}
