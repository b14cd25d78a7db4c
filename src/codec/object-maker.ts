/**
 * Functions that make objects of one shape, compiled for it: V8 then gives all of them the hidden class that a literal has, and
 * writes their properties without looking for them.
 */

import type { Reader } from "./reader.ts";

export type Maker = (reader: Reader) => object;

const MAX_KEYS = 100;
let mayCompile = true;

/** @returns undefined where a literal would not do, or code must not be compiled (`--disallow-code-generation-from-strings`). */
export function makerOf(keys: readonly string[]): Maker | undefined {
  if (!mayCompile || keys.length > MAX_KEYS || keys.includes("__proto__")) return undefined;
  const properties = keys.map((key) => `${JSON.stringify(key)}: reader.value()`);
  try {
    // oxlint-disable-next-line typescript/no-implied-eval -- keys may come from anywhere, and stand in it as quoted strings only
    return new Function("reader", `return { ${properties.join(", ")} };`) as Maker;
  } catch (error) {
    // By name: it can be one of another context. Anything else, such as a stack that is full just now, may pass.
    if ((error as Error).name === "EvalError") mayCompile = false;
    return undefined;
  }
}
