/** The explicit way: a function by the module that exports it. */

import { checkString, rangeError } from "../core/options.ts";
import { toFileUrl } from "./file-values.ts";
import type { ModuleImage } from "./image.ts";
import { loadModule } from "./modules.ts";

const references = new WeakMap<Function, ModuleImage>();

/**
 * A stand-in for an exported function or class, accepted wherever a function is: only its address travels, and the module is imported where
 * it runs. For what cannot be captured (bundles, `--permission`), and for the cheapest send.
 *
 * Called in this process, it imports the module and calls the export.
 *
 * @param url A `file:` URL, absolute path or package specifier: `new URL("./job.js", import.meta.url)`.
 * @param exportName The name of the export. Default: `"default"`.
 * @throws {RangeError} If the url is relative: nobody knows to what.
 * @example
 * ```ts
 * import { fromModule, Pool } from "multiproc";
 *
 * await using pool = new Pool(1);
 * // For a file of one's own: fromModule<typeof import("./job.js").run>(new URL("./job.js", import.meta.url), "run")
 * const basename = fromModule<(path: string) => string>("node:path", "basename");
 * console.log(await pool.apply(basename, ["/books/emma.txt"])); // emma.txt
 * ```
 */
export function fromModule<F extends (...args: never[]) => unknown>(url: string | URL, exportName = "default"): F {
  const specifier = url instanceof URL ? url.href : url;
  checkString("url", specifier);
  checkString("exportName", exportName);
  if (/^\.\.?(?:\/|$)/.test(specifier)) {
    throw rangeError("url", 'absolute, as new URL("./job.js", import.meta.url) is', specifier);
  }
  const module = {
    importer: undefined,
    specifier: specifier.startsWith("/") ? toFileUrl(specifier) : specifier,
    how: "import",
  } as const;
  const image: ModuleImage = { kind: "module", module, exportName };
  const stub = async (...args: unknown[]): Promise<unknown> => {
    const namespace = (await loadModule(module)) as Record<string, (...args: unknown[]) => unknown>;
    const target = namespace[exportName];
    if (typeof target !== "function") throw new TypeError(`"${specifier}" exports no function "${exportName}"`);
    return target(...args);
  };
  Object.defineProperty(stub, "name", { value: exportName, configurable: true });
  references.set(stub, image);
  return stub as unknown as F;
}

/** The address behind such a stand-in. */
export function moduleOfFunction(fn: Function): ModuleImage | undefined {
  return references.get(fn);
}
