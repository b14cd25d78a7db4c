/** A stream socket as a line of bytes, for event loops and for who blocks. Idle, it costs nothing: it is watched only while somebody waits. */

import { closeSync, readSync, writeSync } from "node:fs";
import { Deadline } from "../core/deadline.ts";
import { clearTimeout, setTimeout } from "../core/timers.ts";
import { pollReadable, pollWritable, type Watch, watchReadable, watchWritable } from "../platform/index.ts";

/** Longest sleep in one go: signal handlers do not run meanwhile. */
const SLICE_MS = 100;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What `read` gives when there is nothing at the moment. */
export const NOTHING_YET = -1;

export class SocketLine {
  readonly #fd: number;
  readonly #readers: Watchers;
  readonly #writers: Watchers;
  #closed = false;

  /** @param fd A connected, non-blocking socket, which is the line's from now on. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#readers = new Watchers((wake) => watchReadable(fd, wake));
    this.#writers = new Watchers((wake) => watchWritable(fd, wake));
    collected.register(this, fd, this);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** For polling only; undefined when closed. */
  get descriptor(): number | undefined {
    return this.#closed ? undefined : this.#fd;
  }

  /** @returns how many bytes came; 0 at the end, also when the other side broke the line; NOTHING_YET. */
  read(target: Uint8Array): number {
    if (this.#closed) return 0;
    try {
      return readSync(this.#fd, target);
    } catch (error) {
      return isWouldBlock(error) ? NOTHING_YET : 0;
    }
  }

  /** @returns how many bytes were taken, 0 if none at the moment; -1 when nobody takes any more. */
  write(bytes: Uint8Array): number {
    if (this.#closed) return -1;
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      return isWouldBlock(error) ? 0 : -1;
    }
  }

  /** True when `read` has something to give, or to say. */
  get readable(): boolean {
    return this.#closed || pollReadable([this.#fd], 0).length > 0;
  }

  /** Waits until `read` has something. @returns false when the time ran out; rejects when aborted. */
  waitReadable(deadline: Deadline): Promise<boolean> {
    return this.#wait(this.#readers, deadline);
  }

  waitWritable(deadline: Deadline): Promise<boolean> {
    return this.#wait(this.#writers, deadline);
  }

  /** As `waitReadable`, blocking, for at most 100 ms: call it again. */
  waitReadableSync(deadline: Deadline): boolean {
    return this.#closed || pollReadable([this.#fd], Math.min(SLICE_MS, deadline.remaining())).length > 0;
  }

  waitWritableSync(deadline: Deadline): boolean {
    return this.#closed || pollWritable(this.#fd, Math.min(SLICE_MS, deadline.remaining()));
  }

  /** Calls back in the event loop while there is something to read. @returns ends it. */
  onReadable(wake: () => void): () => void {
    return this.#readers.add(wake);
  }

  /** Those who wait are woken. Repeatable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    collected.unregister(this);
    this.#readers.close();
    this.#writers.close();
    closeSync(this.#fd);
  }

  #wait(watchers: Watchers, deadline: Deadline): Promise<boolean> {
    if (this.#closed) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      const left = deadline.remaining();
      const end = (act: () => void): void => {
        remove();
        clearTimeout(timer);
        deadline.signal?.removeEventListener("abort", abort);
        act();
      };
      const remove = watchers.add(() => end(() => resolve(true)));
      const timer =
        left === Infinity
          ? undefined
          : setTimeout(() => end(() => resolve(false)), Math.min(MAX_TIMER_MS, Math.ceil(left)));
      const abort = (): void => end(() => reject(deadline.signal?.reason as Error));
      deadline.signal?.addEventListener("abort", abort, { once: true });
    });
  }
}

/** Those who wait for one direction of a descriptor: it can be watched only once at a time. */
class Watchers {
  readonly #start: (wake: () => void) => Watch;
  readonly #waiting = new Set<() => void>();
  #watch: Watch | undefined;

  constructor(start: (wake: () => void) => Watch) {
    this.#start = start;
  }

  add(wake: () => void): () => void {
    this.#waiting.add(wake);
    this.#watch ??= this.#start(() => this.#wakeAll());
    return () => this.#remove(wake);
  }

  close(): void {
    this.#wakeAll();
    this.#watch?.close();
    this.#watch = undefined;
  }

  #wakeAll(): void {
    // Those of now: who is woken may wait again.
    const waiting = Array.from(this.#waiting);
    for (const wake of waiting) wake();
  }

  #remove(wake: () => void): void {
    this.#waiting.delete(wake);
    if (this.#waiting.size > 0) return;
    this.#watch?.close();
    this.#watch = undefined;
  }
}

function isWouldBlock(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "EAGAIN" || code === "EINTR";
}

const collected = new FinalizationRegistry<number>((fd) => closeSync(fd));
