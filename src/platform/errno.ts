/** Error numbers of the operating system. */

import { constants } from "node:os";
import { SystemError } from "../core/errors.ts";
import { util } from "../core/node-builtins.ts";

const names = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));

export const EAGAIN: number = constants.errno.EAGAIN;
export const EINPROGRESS: number = constants.errno.EINPROGRESS;
export const ECHILD: number = constants.errno.ECHILD;
export const EEXIST: number = constants.errno.EEXIST;
export const EINTR: number = constants.errno.EINTR;
export const ENOENT: number = constants.errno.ENOENT;
export const ENOSPC: number = constants.errno.ENOSPC;
export const ETIMEDOUT: number = constants.errno.ETIMEDOUT;

/** The error for a call that failed with `errno`. @param detail Default: what the number means. */
export function systemError(syscall: string, errno: number, detail?: string): SystemError {
  const meaning = detail ?? util.getSystemErrorMap().get(-errno)?.[1];
  return new SystemError(syscall, errno, names.get(errno) ?? `errno ${errno}`, meaning);
}
