/**
 * Watching descriptors in the event loop.
 *
 * The main thread uses koffi's poll handle, a uv_poll. A worker thread cannot: when it is ended (`worker.terminate()`) while an event
 * comes, koffi calls into an environment that takes no calls any more, and that ends the whole program. There a pipe is read by node
 * itself, and all else is looked at by a timer.
 */

import { net } from "../../core/node-builtins.ts";
import { clearInterval, setImmediate, setInterval } from "../../core/timers.ts";
import { pollReadable, pollWritable } from "./descriptors.ts";
import { koffi } from "./libc.ts";
import { duplicate, isMainThread } from "./thread-owned.ts";

/** How often a worker thread looks at its descriptors. */
const LOOK_MS = 2;

/** A descriptor watched by the event loop. */
export interface Watch {
  /** Lets the program end although the descriptor is watched. */
  unref(): void;
  ref(): void;
  /** Ends the watching; the descriptor itself stays open, and may be closed only after this. */
  close(): void;
}

/** Calls `onReadable` in a turn of the event loop of its own while the descriptor is readable. */
export function watchReadable(fd: number, onReadable: () => void): Watch {
  if (!isMainThread()) return lookRegularly(() => pollReadable([fd], 0).length > 0, onReadable);
  return watch(fd, { readable: true, disconnect: true }, onReadable);
}

/** As `watchReadable`, while the descriptor can be written to, or writing fails. */
export function watchWritable(fd: number, onWritable: () => void): Watch {
  if (!isMainThread()) return lookRegularly(() => pollWritable(fd, 0), onWritable);
  return watch(fd, { writable: true, disconnect: true }, onWritable);
}

/** As `watchReadable`, for a pipe whose bytes say nothing: they may have been read already when `onRing` is called. */
export function watchBell(fd: number, onRing: () => void): Watch {
  if (isMainThread()) return watchReadable(fd, onRing);
  // A number of its own, since node closes it with the thread.
  const socket = new (net().Socket)({ fd: duplicate(fd), readable: true, writable: false });
  socket.on("data", onRing);
  return { ref: () => void socket.ref(), unref: () => void socket.unref(), close: () => void socket.destroy() };
}

function lookRegularly(isReady: () => boolean, onEvent: () => void): Watch {
  const timer = setInterval(() => {
    if (isReady()) onEvent();
  }, LOOK_MS);
  return { ref: () => void timer.ref(), unref: () => void timer.unref(), close: () => clearInterval(timer) };
}

/**
 * koffi's traps are met here once: promise continuations are not drained after its callback (hence setImmediate), exceptions in it are
 * swallowed (they surface from setImmediate), a handle that nobody keeps is collected and goes silent (the set keeps it), ref or close
 * after close crashes, and so does a callback while the environment is torn down (hence all are closed at exit).
 */
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
