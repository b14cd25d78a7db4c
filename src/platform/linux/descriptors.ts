/** Pipes, socket pairs, and blocking until descriptors are ready. */

import { closeSync } from "node:fs";
import { EINTR } from "../errno.ts";
import { checked, errno, libc } from "./libc.ts";
import { ownedByThread } from "./thread-owned.ts";

const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const O_ASYNC = 0o20000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const F_SETFL = 4;
const F_SETOWN = 8;
const F_SETSIG = 10;
const POLLIN = 1;
const POLLOUT = 4;

/** Makes a pipe that children do not inherit: [read end, write end]. */
export function createPipe({ nonBlocking = false }: { nonBlocking?: boolean } = {}): [number, number] {
  const fds = new Int32Array(2);
  checked("pipe2", libc().pipe2(fds, O_CLOEXEC | (nonBlocking ? O_NONBLOCK : 0)));
  return bothOwned(fds);
}

function bothOwned([first, second]: Int32Array): [number, number] {
  const owned = ownedByThread(first as number);
  try {
    return [owned, ownedByThread(second as number)];
  } catch (error) {
    closeSync(owned);
    throw error;
  }
}

/** Makes a pair of connected stream sockets that children do not inherit. */
export function createSocketPair(): [number, number] {
  const fds = new Int32Array(2);
  checked("socketpair", libc().socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, fds));
  return bothOwned(fds);
}

/**
 * Has the kernel send `signal` to `pid` when something happens on the descriptor: data, or the end of the other side.
 * It belongs to the open file description and lasts while that is open anywhere. Source: fcntl(2), F_SETSIG and O_ASYNC.
 */
export function signalOnEvent(fd: number, pid: number, signal: number): void {
  checked("fcntl(F_SETOWN)", libc().fcntl(fd, F_SETOWN, pid));
  checked("fcntl(F_SETSIG)", libc().fcntl(fd, F_SETSIG, signal));
  checked("fcntl(F_SETFL)", libc().fcntl(fd, F_SETFL, O_ASYNC));
}

/**
 * Blocks until one of the descriptors is readable (or at its end), or the time is over.
 * @param timeoutMs Bound it: signal handlers do not run meanwhile.
 * @returns The readable ones; none when the time ran out or a signal came: look at the clock and call again.
 */
export function pollReadable(fds: readonly number[], timeoutMs: number): number[] {
  const table = new Int32Array(2 * fds.length);
  fds.forEach((fd, i) => {
    table[2 * i] = fd;
    table[2 * i + 1] = POLLIN;
  });
  const result = libc().poll(table, fds.length, Math.ceil(timeoutMs));
  if (result === -1) {
    if (errno() === EINTR) return [];
    checked("poll", result);
  }
  return fds.filter((_, i) => (table[2 * i + 1] as number) >>> 16 !== 0);
}

/** As `pollReadable`, for one descriptor that is to be written to. @returns true when it can be, or when writing fails. */
export function pollWritable(fd: number, timeoutMs: number): boolean {
  const table = Int32Array.of(fd, POLLOUT);
  const result = libc().poll(table, 1, Math.ceil(timeoutMs));
  if (result === -1 && errno() !== EINTR) checked("poll", result);
  return result === 1;
}
