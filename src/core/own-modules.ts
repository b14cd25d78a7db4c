/**
 * Where modules of this package stand that other processes load by address.
 *
 * The package is built as few files (see scripts/build.mjs): what a file's own address is says nothing of the others. Every file
 * stands one folder below the package's code, so from there all entries are found.
 */

const ROOT = new URL("../", import.meta.url);

/** The folder of the package's code. */
export const ownFolder: string = ROOT.href;

/** The address of an entry, which scripts/build.mjs must name. @param path As `pool/worker-loop.js`. */
export function ownModule(path: "entry/child.cjs" | "index.js" | "manager/serve.js" | "pool/worker-loop.js"): string {
  return new URL(path, ROOT).href;
}
