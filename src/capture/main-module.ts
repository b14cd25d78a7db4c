/** The program's main file: what it defines is copied, exported or not, since importing it would run the program again. */

import { fs, nodeModule, nodePath, nodeUrl } from "../core/node-builtins.ts";

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
  return nodeUrl.pathToFileURL(isFile(path) ? path : asNodeFinds(path)).href;
}

/** True for the usual entry, a file as it stands: asking node takes half a millisecond of the first start. */
function isFile(path: string): boolean {
  try {
    return fs.realpathSync(path) === path && fs.statSync(path).isFile();
  } catch {
    return false;
  }
}

/** A folder, a name without its extension, or a link. */
function asNodeFinds(path: string): string {
  try {
    return nodeModule().createRequire(nodeUrl.pathToFileURL("/").href).resolve(path);
  } catch {
    return path;
  }
}
