/**
 * Where modules of this package stand that other processes load by address.
 *
 * The package is built as few files (see scripts/build.mjs): what a file's own address is says nothing of the others. Every file
 * stands one folder below the package's code, so from there all entries are found. A bundler may have taken this file into a
 * program's one file, and left the others behind: then they are those of the package as it is installed there.
 */

import { StateError } from "./errors.ts";
import { fs, nodeModule, nodeUrl } from "./node-builtins.ts";

/** A bundle in CommonJS has no `import.meta`. */
const here: string = (import.meta.url as string | undefined) ?? nodeUrl.pathToFileURL(__filename).href;

/** Found when it is asked for: most fresh children never ask. */
let found: { readonly folder: string; readonly isBundled: boolean } | undefined;

/** True in a bundle that has this package in it. @throws {StateError} In one that stands where the package is not installed. */
export function isBundled(): boolean {
  return (found ??= find()).isBundled;
}

/** The folder of the package's code. */
export function ownFolder(): string {
  return (found ??= find()).folder;
}

/** The address of an entry, which scripts/build.mjs must name. @param path As `pool/worker-loop.js`. */
export function ownModule(path: "entry/child.cjs" | "index.js" | "manager/serve.js" | "pool/worker-loop.js"): string {
  return new URL(path, ownFolder()).href;
}

/** @throws {StateError} In a bundle that stands where the package is not installed. */
function find(): { folder: string; isBundled: boolean } {
  const beside = new URL("../", here);
  if (hasEntries(beside)) return { folder: beside.href, isBundled: false };
  const installed = installedFolder();
  if (installed !== undefined && hasEntries(installed)) return { folder: installed.href, isBundled: true };
  throw new StateError(
    `Cannot run multiproc from the bundle ${nodeUrl.fileURLToPath(here)}: what its child processes run was left behind; leave the package out of the bundle (esbuild: --external:multiproc), or install it beside the bundle`,
  );
}

function hasEntries(folder: URL): boolean {
  return fs.existsSync(new URL("entry/child.cjs", folder));
}

function installedFolder(): URL | undefined {
  try {
    const main = nodeModule().createRequire(here).resolve("multiproc");
    return new URL("./", nodeUrl.pathToFileURL(main));
  } catch {
    return undefined;
  }
}
