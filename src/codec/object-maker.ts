/**
 * Functions that make objects of one shape, compiled for it: V8 then gives all of them the hidden class that a literal has, and
 * writes their properties without looking for them.
 */

import { compiledFor } from "./compiled.ts";
import type { Reader } from "./reader.ts";

export type Maker = (reader: Reader) => object;

/** @returns undefined where a literal would not do, or code must not be compiled. */
export function makerOf(keys: readonly string[]): Maker | undefined {
  return compiledFor<Maker>(keys, ["reader"], (quoted) => {
    const properties = quoted.map((key) => `${key}: reader.value()`);
    return `return { ${properties.join(", ")} };`;
  });
}
