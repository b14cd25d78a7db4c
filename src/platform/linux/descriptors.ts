/** Pipes, socket pairs, and waiting for descriptors: in the event loop and blocking. */

import { closeSync } from "node:fs";
import { EINTR } from "../errno.ts";
import { checked, errno, koffi, libc } from "./libc.ts";
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

/** A descriptor watched by the event loop. */
export interface Watch {
  /** Lets the program end although the descriptor is watched. */
  unref(): void;
  ref(): void;
  /** Ends the watching; the descriptor itself stays open, and may be closed only after this. */
  close(): void;
}

/**
 * Calls `onReadable` in a turn of the event loop of its own while the descriptor is readable.
 *
 * koffi's poll handle is a uv_poll. Its traps are met here once: promise continuations are not drained after its callback
 * (hence setImmediate), exceptions in it are swallowed (they surface from setImmediate), a handle that nobody keeps is
 * collected and goes silent (the set keeps it), ref or close after close crashes, and so does a callback while the environment is
 * torn down (hence all are closed at exit).
 */
export function watchReadable(fd: number, onReadable: () => void): Watch {
  return watch(fd, { readable: true, disconnect: true }, onReadable);
}

/** As `watchReadable`, while the descriptor can be written to, or writing fails. */
export function watchWritable(fd: number, onWritable: () => void): Watch {
  return watch(fd, { writable: true, disconnect: true }, onWritable);
}

function watch(
  fd: number,
  events: { readable?: boolean; writable?: boolean; disconnect: boolean },
  onEvent: () => void,
): Watch {
  let scheduled = false;
  let closed = false;
  const handle = koffi().node.poll(fd, events, () => {
    if (scheduled || closed) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (!closed) onEvent();
    });
  });
  const made: Watch & { readonly handle: object } = {
    handle,
    ref: () => void (closed || handle.ref()),
    unref: () => void (closed || handle.unref()),
    close: () => {
      if (closed) return;
      closed = true;
      watched.delete(made);
      handle.close();
    },
  };
  if (!closesAtExit) process.once("exit", closeAll);
  closesAtExit = true;
  watched.add(made);
  return made;
}

const watched = new Set<Watch>();
let closesAtExit = false;

function closeAll(): void {
  for (const watch of watched) watch.close();
}
