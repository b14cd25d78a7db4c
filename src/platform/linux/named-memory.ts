/** Shared memory with a name in the system, as POSIX defines it. Sources: shm_open(3), open(2) on O_TMPFILE, linkat(2). */

import { closeSync, constants, fstatSync, ftruncateSync, openSync, statfsSync, writeSync } from "node:fs";
import type { SystemError } from "../../core/errors.ts";
import { EEXIST, ENOENT, ENOSPC, systemError } from "../errno.ts";
import { errno, libc } from "./libc.ts";
import { ownedByThread } from "./thread-owned.ts";

/** Where shm_open of glibc and musl keeps its objects. */
const DIRECTORY = "/dev/shm";
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const O_CLOEXEC = 0o2000000;
const MODE = 0o600;
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;

/** An open named memory. */
export interface NamedMemory {
  readonly fd: number;
  readonly byteLength: number;
  /** Tells it from another memory that got the same name later. */
  readonly identity: string;
}

/**
 * Creates memory under a name that must be free. It is made without a name, given its size, and only then linked: nobody
 * ever sees it half made, and a creator that is killed leaves nothing behind.
 * @param contents What it holds from the first moment on; default zeros.
 * @throws {SystemError} EEXIST when the name is taken, ENOSPC when there is less room (touching it would be fatal then).
 */
export function createNamedMemory(name: string, byteLength: number, contents?: Uint8Array): NamedMemory {
  const { bavail, bsize } = statfsSync(DIRECTORY);
  if (bavail * bsize < byteLength) throw systemError("shm_open", ENOSPC, `${byteLength} bytes for "${name}"`);
  const fd = openSync(DIRECTORY, constants.O_RDWR | O_TMPFILE | O_CLOEXEC, MODE);
  try {
    ftruncateSync(fd, byteLength);
    if (contents !== undefined) writeAll(fd, contents);
    link(fd, name);
    return described(fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Opens memory by its name; the length is 0 while a creator that works in steps has not given it its size. */
export function openNamedMemory(name: string): NamedMemory {
  const fd = libc().shm_open(`/${name}`, constants.O_RDWR | O_CLOEXEC, 0);
  if (fd === -1) throw failure("shm_open", name);
  return described(ownedByThread(fd));
}

/** Takes the name away; the memory lives on while somebody has it mapped. */
export function unlinkNamedMemory(name: string): void {
  if (libc().shm_unlink(`/${name}`) === -1) throw failure("shm_unlink", name);
}

export function identifyMemory(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

function writeAll(fd: number, contents: Uint8Array): void {
  for (let done = 0; done < contents.length;) done += writeSync(fd, contents, done, contents.length - done, done);
}

function link(fd: number, name: string): void {
  const from = `/proc/self/fd/${fd}`;
  if (libc().linkat(AT_FDCWD, from, AT_FDCWD, `${DIRECTORY}/${name}`, AT_SYMLINK_FOLLOW) === 0) return;
  throw failure("shm_open", name);
}

function described(fd: number): NamedMemory {
  return { fd, byteLength: fstatSync(fd).size, identity: identifyMemory(fd) };
}

function failure(syscall: string, name: string): SystemError {
  const code = errno();
  const details = new Map([
    [EEXIST, `the shared memory "${name}" exists already`],
    [ENOENT, `there is no shared memory "${name}"`],
  ]);
  return systemError(syscall, code, details.get(code) ?? `"${name}"`);
}
