/**
 * What node runs in every child. CommonJS, and all of it by `require` where that is possible: on Node 20 an ES module as the
 * main program costs 4 ms of the 20 that a start takes.
 */

/** Under a loader `require` may give another copy of a module than `import` does. */
function hasLoaders(): boolean {
  const options = [...process.execArgv, ...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  return options.some((option) => /^(?:-r|--require|--import|--loader|--experimental-loader)(?:=|$)/.test(option));
}

/** Not with `--no-experimental-require-module`. */
function canRequireModules(): boolean {
  return (process.features as { readonly require_module?: boolean }).require_module === true;
}

/** Node says once that `require` of an ES module is experimental; not to our users. */
function quietly<T>(action: () => T): T {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

type RunChild = typeof import("./run-child.ts");
type Encode = typeof import("../codec/encode.ts");

if (hasLoaders() || !canRequireModules()) {
  // Errors must be encoded at once, wherever they are thrown; so what that may need is loaded ahead.
  void Promise.all([import("./run-child.ts"), import("../codec/encode.ts"), import("../codec/index.ts")]).then(
    ([{ runChild }, encoder]) => runChild({ encoder: () => encoder, capture: () => {} }),
  );
} else {
  const { runChild } = quietly(() => require("./run-child.js") as RunChild);
  void runChild({
    encoder: () => quietly(() => require("../codec/encode.js") as Encode),
    capture: () => quietly(() => require("../codec/index.js") as unknown),
  });
}
