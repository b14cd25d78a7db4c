/**
 * What node runs in every child. CommonJS, and all of it by `require` where that is possible: on Node 20 an ES module as the
 * main program costs 4 ms of the 20 that a start takes.
 */

/** Under a loader `require` may give another copy of a module than `import` does. */
function hasLoaders(): boolean {
  const options = process.execArgv.join(" ") + " " + (process.env["NODE_OPTIONS"] ?? "");
  // Most children have none: compiling the expression takes longer than all of this.
  return options !== " " && /(?:^|\s)(?:-r|--require|--import|--loader|--experimental-loader)(?:=|\s|$)/.test(options);
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

/** A program as text, and what V8 has made of it: in a process before this one, or in this one. */
interface KeptCode {
  readonly url: string;
  readonly source: string;
  readonly code?: Buffer;
}

/** What the text is: see scripts/build.mjs. An object of all exports takes time to make, and few need it. */
type Program = (
  url: string,
  load: (url: string) => Promise<unknown>,
) => { readonly runChild: RunChild["runChild"]; everything(): RunChild };

/** Where the program of this file stands, between marks that scripts/build.mjs sets. */
const RUN_CHILD = `${__dirname}/run-child.js`;
const SCRIPT = /\/\*script\*\/([^]+)\/\*end\*\//;
/** The file in memory that all processes of the program inherit; see src/process/kept-code.ts. */
const CODE_FD = 7;
/** How long the code, the address and the text of the program are, as three numbers; they follow. */
const HEAD_BYTES = 24;

// `require` of a builtin makes a module of it, for 0.2 ms each.
const fs = process.getBuiltinModule("node:fs");

/**
 * Loads the program. As a script V8 can take over what it has compiled in another process: half of the time that a start adds to
 * a bare node. Whoever imports the module afterwards is given what the script has made.
 */
function loadRunChild(): { readonly runChild: RunChild["runChild"]; readonly keepCode?: () => void } {
  const kept = readKept();
  if (kept === undefined) return quietly(() => require("./run-child.js") as RunChild);
  const { url, source, code } = kept;
  const { Script } = process.getBuiltinModule("node:vm");
  // Code of another version of V8, or for other flags, it leaves aside.
  const script = new Script(source, { filename: url, ...(code === undefined ? {} : { cachedData: code }) });
  const { runChild, everything } = (script.runInThisContext() as Program)(url, (each) => import(each));
  // Not enumerable: users print `process`.
  Object.defineProperty(process, Symbol.for("multiproc.script"), { value: { [url]: everything } });
  return { runChild, keepCode: () => writeKept(url, source, script.createCachedData()) };
}

function readKept(): KeptCode | undefined {
  try {
    const head = new Float64Array(HEAD_BYTES / Float64Array.BYTES_PER_ELEMENT);
    if (fs.readSync(CODE_FD, head, 0, HEAD_BYTES, 0) < HEAD_BYTES) return undefined;
    const [codeLength, urlLength, sourceLength] = head as unknown as [number, number, number];
    if (codeLength === 0) return readSource();
    const code = readBytes(codeLength, HEAD_BYTES);
    const text = readBytes(urlLength + sourceLength, HEAD_BYTES + codeLength);
    return { code, url: text.toString("latin1", 0, urlLength), source: text.toString("latin1", urlLength) };
  } catch {
    // It is closed, or incomplete.
    return undefined;
  }
}

/**
 * Code and text one after the other: each for itself is short enough for memory that malloc has at hand.
 * @throws If there is less than the head says.
 */
function readBytes(length: number, position: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  if (fs.readSync(CODE_FD, bytes, 0, length, position) < length) throw new Error("The kept code is incomplete");
  return bytes;
}

/** undefined where every module is a file, as in the tests. */
function readSource(): KeptCode | undefined {
  const source = SCRIPT.exec(fs.readFileSync(RUN_CHILD, "latin1"))?.[1];
  if (source === undefined) return undefined;
  return { url: process.getBuiltinModule("node:url").pathToFileURL(RUN_CHILD).href, source };
}

/** The head comes last: before, nobody reads the rest. */
function writeKept(url: string, source: string, code: Buffer): void {
  fs.writeSync(CODE_FD, Buffer.concat([code, Buffer.from(url + source, "latin1")]), 0, undefined, HEAD_BYTES);
  fs.writeSync(CODE_FD, Float64Array.of(code.length, url.length, source.length), 0, undefined, 0);
}

if (hasLoaders() || !canRequireModules()) {
  // Errors must be encoded at once, wherever they are thrown; so what that may need is loaded ahead.
  void Promise.all([import("./run-child.ts"), import("../codec/encode.ts"), import("../codec/index.ts")]).then(
    ([{ runChild }, encoder]) => runChild({ encoder: () => encoder, capture: () => {} }),
  );
} else {
  const { runChild, keepCode } = loadRunChild();
  void runChild({
    encoder: () => quietly(() => require("../codec/encode.js") as Encode),
    capture: () => quietly(() => require("../codec/index.js") as unknown),
    ...(keepCode === undefined ? {} : { keepCode }),
  });
}
