/** Where the encoder gets the analysis of functions from. It is large, and loaded only by who sends functions. */

import type { FunctionSource } from "./writer.ts";

let source: FunctionSource | undefined;

/** Thrown when a function has to be encoded and nobody has provided the analysis yet: load it, and encode again. */
export class FunctionSourceNeeded extends Error {}

/** Gives the encoder the analysis of functions. */
export function provideFunctionSource(provided: FunctionSource): void {
  source = provided;
}

export function functionSource(): FunctionSource {
  if (source === undefined) throw new FunctionSourceNeeded();
  return source;
}

/** Encodes with another analysis of functions, and without any afterwards if there was none. */
export function withFunctionSource<T>(provided: FunctionSource, encode: () => T): T {
  const before = source;
  source = provided;
  try {
    return encode();
  } finally {
    source = before;
  }
}
