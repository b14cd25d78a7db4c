/** Opening files, and saying clearly that there is no descriptor left. */

import { SystemError } from "./errors.ts";
import { fs } from "./node-builtins.ts";

/** Opens a file for reading. @throws {SystemError} */
export function openFile(path: string): number {
  try {
    return fs.openSync(path, "r");
  } catch (error) {
    throw asSystemError(error as NodeJS.ErrnoException, path);
  }
}

/**
 * Asked before something is loaded. Node takes a package that it cannot open for one that does not exist, says so, and remembers it:
 * the package would not be found later either, with descriptors again.
 * @param what What is to be loaded, for the error. @throws {SystemError} EMFILE or ENFILE, if no file can be opened.
 */
export function assertCanOpen(what: string): void {
  try {
    fs.closeSync(fs.openSync("/dev/null", "r"));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Under `--permission` the file may be forbidden, which says nothing about others.
    if (code === "EMFILE" || code === "ENFILE") throw asSystemError(error as NodeJS.ErrnoException, what);
  }
}

function asSystemError({ errno = 0, code = "" }: NodeJS.ErrnoException, what: string): SystemError {
  return new SystemError("open", -errno, code, what);
}
