/** The identity of a definition: a hash of all of it, the same in every process. */

import type { FunctionDefinition } from "./image.ts";

/**
 * Four polynomial hashes modulo 2^32 of the whole definition, by four odd multipliers. Guards against accidents, not against people; `node:crypto` would
 * cost each first send its loading time.
 */
export function definitionId(parts: Omit<FunctionDefinition, "id">): string {
  const text = JSON.stringify(parts);
  let a = text.length;
  let b = a;
  let c = a;
  let d = a;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = (Math.imul(a, 0x9e3779b1) + unit) | 0;
    b = (Math.imul(b, 0x85ebca77) + unit) | 0;
    c = (Math.imul(c, 0xc2b2ae3d) + unit) | 0;
    d = (Math.imul(d, 0x27d4eb2f) + unit) | 0;
  }
  return [a, b, c, d].map((hash) => ((hash ^ (hash >>> 15)) >>> 0).toString(36)).join("-");
}
