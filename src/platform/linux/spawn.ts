/**
 * Starting a program. Node's own way forks first: it copies the tables of all memory of this process, which takes 1 ms in a small
 * program and 45 ms for each GB of buffers. posix_spawn(3) does not: the child borrows the memory until it runs the program.
 */

import { closeSync } from "node:fs";
import { constants } from "node:os";
import { systemError } from "../errno.ts";
import { checked, libc } from "./libc.ts";

const F_DUPFD_CLOEXEC = 1030;
const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const SETSIGDEF = 4;
const SETSIGMASK = 8;
/** More than the types take in glibc and in musl. */
const ACTIONS_BYTES = 128;
const ATTRIBUTES_BYTES = 512;
const SIGNAL_SET_BYTES = 128;

let attributes: Uint8Array | undefined;

/** What a program is started with. */
export interface Program {
  readonly path: string;
  /** The first is the program's name. */
  readonly args: readonly string[];
  /** As `NAME=value`. */
  readonly env: readonly string[];
  /** What are its descriptors 0, 1, 2 and so on; it has no others. */
  readonly fds: readonly number[];
}

/** Starts a program as a child of this process, which has to reap it. @returns its pid. @throws {SystemError} */
export function spawnProgram({ path, args, env, fds }: Program): number {
  const { posix_spawn, posix_spawn_file_actions_adddup2, posix_spawn_file_actions_destroy } = libc();
  const actions = new Uint8Array(ACTIONS_BYTES);
  const copies: number[] = [];
  const pid = new Int32Array(1);
  succeeded("posix_spawn_file_actions_init", libc().posix_spawn_file_actions_init(actions));
  try {
    fds.forEach((fd, i) => {
      if (i <= 2) makeBlocking(fd);
      const from = fd < fds.length ? copyAbove(fd, fds.length, copies) : fd;
      succeeded("posix_spawn_file_actions_adddup2", posix_spawn_file_actions_adddup2(actions, from, i));
    });
    const result = posix_spawn(pid, path, actions, likeNew(), [...args, null], [...env, null]);
    succeeded("posix_spawn", result, path);
  } finally {
    posix_spawn_file_actions_destroy(actions);
    for (const fd of copies) closeSync(fd);
  }
  return pid[0] as number;
}

/** A descriptor that is no number of the child's, so that none is overwritten before it is passed on. */
function copyAbove(fd: number, least: number, copies: number[]): number {
  const copy = checked("fcntl(F_DUPFD_CLOEXEC)", libc().fcntl(fd, F_DUPFD_CLOEXEC, least));
  copies.push(copy);
  return copy;
}

/** Programs expect standard streams that block, as node leaves them to those that it starts. */
function makeBlocking(fd: number): void {
  const flags = checked("fcntl(F_GETFL)", libc().fcntl(fd, F_GETFL, 0));
  if ((flags & O_NONBLOCK) !== 0) checked("fcntl(F_SETFL)", libc().fcntl(fd, F_SETFL, flags & ~O_NONBLOCK));
}

/** No signal is ignored or blocked in the child, whatever is in this process: node ignores SIGPIPE. */
function likeNew(): Uint8Array {
  if (attributes !== undefined) return attributes;
  const made = new Uint8Array(ATTRIBUTES_BYTES);
  const none = new Uint8Array(SIGNAL_SET_BYTES);
  const all = new Uint8Array(SIGNAL_SET_BYTES);
  for (const signal of Object.values(constants.signals)) {
    if (signal <= 31) all[(signal - 1) >> 3] = (all[(signal - 1) >> 3] as number) | (1 << ((signal - 1) & 7));
  }
  succeeded("posix_spawnattr_init", libc().posix_spawnattr_init(made));
  succeeded("posix_spawnattr_setsigdefault", libc().posix_spawnattr_setsigdefault(made, all));
  succeeded("posix_spawnattr_setsigmask", libc().posix_spawnattr_setsigmask(made, none));
  succeeded("posix_spawnattr_setflags", libc().posix_spawnattr_setflags(made, SETSIGDEF | SETSIGMASK));
  return (attributes = made);
}

/** These calls return the number of the error. */
function succeeded(syscall: string, result: number, detail?: string): void {
  if (result !== 0) throw systemError(syscall, result, detail);
}
