/** Error numbers of the operating system. */

import { constants } from "node:os";
import { SystemError } from "../core/errors.ts";

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

export const EAGAIN: number = constants.errno.EAGAIN;
export const EINPROGRESS: number = constants.errno.EINPROGRESS;
export const ECHILD: number = constants.errno.ECHILD;
export const EEXIST: number = constants.errno.EEXIST;
export const EINTR: number = constants.errno.EINTR;
export const ENOENT: number = constants.errno.ENOENT;
export const ENOSPC: number = constants.errno.ENOSPC;
export const ETIMEDOUT: number = constants.errno.ETIMEDOUT;

/** The error for a call that failed with `errno`. */
export function systemError(syscall: string, errno: number, detail?: string): SystemError {
  return new SystemError(syscall, errno, names.get(errno) ?? `errno ${errno}`, detail);
}
