/** What every file has of its own (`import.meta`, `require`, `__dirname` …), made again for a file that runs elsewhere. */

import { fs, nodeModule, nodePath, nodeUrl, vm } from "../core/node-builtins.ts";
import type { VariableDefinition } from "./image.ts";

type Special = NonNullable<VariableDefinition["special"]>;
type Importer = (specifier: string, options?: unknown) => Promise<unknown>;

const importers = new Map<string, Importer>();
const values = new Map<string, unknown>();
const origins = new WeakMap<object, { special: Special; file: string }>();

/** `import()` as it works in the given file, through all loaders of this process. */
export function importerOf(file: string): Importer {
  let importer = importers.get(file);
  if (importer === undefined) {
    const script = new (vm().Script)(
      "(specifier, options) => options === undefined ? import(specifier) : import(specifier, options)",
      { filename: file, importModuleDynamically: vm().constants.USE_MAIN_CONTEXT_DEFAULT_LOADER },
    );
    importer = withoutWarning(script.runInThisContext() as Importer);
    importers.set(file, importer);
  }
  return importer;
}

/** Node warns of the feature once, in the first call or when it compiles. */
function withoutWarning(importer: Importer): Importer {
  return (specifier, options) => {
    if (warned) return importer(specifier, options);
    warned = true;
    return quietly("vm.USE_MAIN_CONTEXT_DEFAULT_LOADER", () => importer(specifier, options));
  };
}

let warned = false;

/** Runs `action` and swallows the one warning about an experimental feature that it would print; no other. */
export function quietly<T>(feature: string, action: () => T): T {
  // oxlint-disable-next-line typescript/unbound-method -- called with its own `this` below
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: never[]) => {
    const text = typeof warning === "string" ? warning : warning.message;
    if (text.startsWith(feature)) return;
    emitWarning.call(process, warning as string, ...rest);
  }) as typeof emitWarning;
  try {
    return action();
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** The file as a URL, whichever way V8 names it; code without a file (`[eval]`) stands in the working directory. */
export function toFileUrl(file: string): string {
  return /^[a-z][a-z\d+.-]*:/i.test(file) ? file : nodeUrl.pathToFileURL(nodePath.resolve(file)).href;
}

/** The file as a path; what is no file stays as it is. */
export function toFilePath(file: string): string {
  return file.startsWith("file:") ? nodeUrl.fileURLToPath(file) : file;
}

/** The value of a special variable for a file; always the same one. */
export function specialValue(special: Special, file: string): unknown {
  const key = `${special} ${file}`;
  if (values.has(key)) return values.get(key);
  const value = makeSpecial(special, file);
  values.set(key, value);
  if (typeof value !== "string") origins.set(value as object, { special, file });
  return value;
}

/** Where a special value comes from, if it was made here (it then travels on as what it is). */
export function originOfSpecial(value: object): { readonly special: Special; readonly file: string } | undefined {
  return origins.get(value);
}

function makeSpecial(special: Special, file: string): unknown {
  switch (special) {
    case "require":
      return nodeModule().createRequire(toFileUrl(file));
    case "__filename":
      return toFilePath(file);
    case "__dirname":
      return nodePath.dirname(toFilePath(file));
    case "import.meta":
      return importMeta(file);
    case "import()":
      return dynamicImport(toFileUrl(file));
  }
}

function dynamicImport(url: string): Importer {
  const importer = importerOf(url);
  return (specifier, options) =>
    importer(specifier, options).catch((error: unknown) => {
      // vitest writes its files as paths below the project's folder.
      const below = process.cwd() + specifier;
      if (!specifier.startsWith("/") || !fs.existsSync(below)) throw error;
      return importer(below, options);
    });
}

function importMeta(file: string): object {
  const url = toFileUrl(file);
  const meta: Record<string, unknown> = { __proto__: null as never };
  if (url.startsWith("file:")) {
    meta["dirname"] = nodePath.dirname(nodeUrl.fileURLToPath(url));
    meta["filename"] = nodeUrl.fileURLToPath(url);
  }
  meta["main"] = false;
  meta["resolve"] = (specifier: string) => resolveFrom(url, specifier);
  meta["url"] = url;
  return meta;
}

function resolveFrom(url: string, specifier: string): string {
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, url).href;
  if (URL.canParse(specifier)) return specifier;
  const resolved = nodeModule().createRequire(url).resolve(specifier);
  return resolved.startsWith("/") ? nodeUrl.pathToFileURL(resolved).href : `node:${resolved.replace(/^node:/, "")}`;
}
