/**
 * Descriptors that end with the thread that made them.
 *
 * A worker thread of node's can be ended between any two instructions (`worker.terminate()`), and no code of its own runs then. Node
 * closes the descriptors that it has opened for the thread; of those that the C library has given us it knows nothing. So these
 * are moved to numbers that it knows. It also spares users a warning when such a descriptor is closed.
 */

import { closeSync, openSync, readlinkSync } from "node:fs";
import { systemError } from "../errno.ts";
import { checked, errno, libc } from "./libc.ts";

const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;

let isMain: boolean | undefined;

/** Asks the system: loading node's `worker_threads` for it takes over a millisecond. */
export function isMainThread(): boolean {
  return (isMain ??= askIsMainThread());
}

function askIsMainThread(): boolean {
  try {
    const [process, , thread] = readlinkSync("/proc/thread-self").split("/");
    return process === thread;
  } catch {
    return true; // a system without /proc
  }
}

/** Has node close the descriptor when this thread ends. @returns the number that it has from now on. */
export function ownedByThread(fd: number): number {
  if (isMainThread()) return fd;
  let known: number | undefined;
  try {
    known = openSync("/dev/null", "r");
    if (libc().dup3(fd, known, O_CLOEXEC) === -1) throw systemError("dup3", errno());
    return known;
  } catch (error) {
    if (known !== undefined) closeSync(known);
    throw error;
  } finally {
    libc().close(fd);
  }
}

/** Another number for a descriptor, of which node knows nothing until it is given it. */
export function duplicate(fd: number): number {
  return checked("fcntl(F_DUPFD_CLOEXEC)", libc().fcntl(fd, F_DUPFD_CLOEXEC, 0));
}
