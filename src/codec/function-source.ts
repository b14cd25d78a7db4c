/** Where the encoder gets the analysis of functions from. It is large, and loaded only by who sends functions. */

import type { FunctionSource } from "./writer.ts";

let source: FunctionSource | undefined;
let load: (() => void) | undefined;

/** Gives the encoder the analysis of functions. */
export function provideFunctionSource(provided: FunctionSource): void {
  source = provided;
}

/** Says how to load the analysis, at once, where it is not loaded from the start; it then provides itself. */
export function loadFunctionSourceBy(loader: () => void): void {
  load = loader;
}

export function functionSource(): FunctionSource {
  if (source === undefined) load?.();
  if (source === undefined) throw new Error("The analysis of functions is not loaded");
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
