/**
 * Is there a descriptor left to open a file with?
 *
 * Asked before something is loaded. Node takes a package that it cannot open for one that does not exist, says so, and remembers it:
 * the package would not be found later either, with descriptors again.
 */

import { fs } from "../core/node-builtins.ts";
import { systemError } from "./errno.ts";

/** @param what What is to be opened, for the error. @throws {SystemError} EMFILE or ENFILE. */
export function assertCanOpen(what: string): void {
  try {
    fs.closeSync(fs.openSync("/dev/null", "r"));
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    // Under `--permission` the file may be forbidden, which says nothing about others.
    if (code === "EMFILE" || code === "ENFILE") throw systemError("open", -(errno as number), what);
  }
}

/** Opens a file for reading. @param what What it is for, if not for itself. @throws {SystemError} */
export function openOrThrow(path: string, what: string = path): number {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    throw systemError("open", -((error as NodeJS.ErrnoException).errno as number), what);
  }
}
