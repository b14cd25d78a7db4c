/** The program's main file: what it defines is copied, exported or not, since importing it would run the program again. */

import { nodeModule, nodePath, nodeUrl } from "../core/node-builtins.ts";

let main: string | undefined;

/** The URL of the program's main file; empty where there is none (`node -e`). */
export function mainModule(): string {
  return (main ??= findMain());
}

/** Tells a child what the main file of the whole program is. */
export function setMainModule(url: string): void {
  main = url;
}

function findMain(): string {
  const entry = process.argv[1];
  if (entry === undefined) return "";
  const path = nodePath.resolve(entry);
  try {
    return nodeUrl.pathToFileURL(nodeModule().createRequire(nodeUrl.pathToFileURL("/").href).resolve(path)).href;
  } catch {
    return nodeUrl.pathToFileURL(path).href;
  }
}
