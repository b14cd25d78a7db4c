/** A running child as its parent sees it: what it says, how it ends, and how both keep the parent's event loop alive. */

import { closeSync, readSync, writeSync } from "node:fs";
import { constants } from "node:os";
import { mapStack } from "../capture/index.ts";
import { setImmediate } from "../core/timers.ts";
import { sweepProcess } from "../memory/index.ts";
import { openPidFd, peekExit, pollReadable, type Watch, watchReadable } from "../platform/index.ts";
import type { Child } from "./child.ts";
import { type Frame, FrameReader, FrameType, isInMailbox, packFrame, packMessage } from "./frames.ts";
import { takeMail, writeMail } from "./mailbox.ts";
import { signalName } from "./signal-name.ts";
import { answerPlaces, askForPlaces } from "./source-places.ts";

/** How a process ended, in the words of Python: the code, or -N for signal N. */
export interface Exit {
  readonly exitCode: number;
  readonly signal: NodeJS.Signals | null;
}

/** A message of the child: what its target returned or threw, encoded. */
export interface Message {
  readonly isError: boolean;
  readonly bytes: Uint8Array;
}

/** What a child was given at its start, whatever it is told later. */
export interface StartedWith {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string | undefined;
  /** True if it can write its compiled code down for others. */
  readonly mayKeepCode: boolean;
}

const READ_BYTES = 64 * 1024;
const received = new Uint8Array(READ_BYTES);
/** Longest sleep in one go: signal handlers do not run meanwhile. */
const SLICE_MS = 100;

export class ChildLink {
  readonly pid: number;
  readonly child: Child;
  /** The environment that it was started with. */
  readonly env: NodeJS.ProcessEnv;
  /** The folder that it was started in. */
  readonly cwd: string | undefined;
  readonly mayKeepCode: boolean;
  readonly #mailbox: number;
  readonly #frames = new FrameReader();
  readonly #messageListeners = new Set<(message: Message) => void>();
  readonly #exitListeners = new Set<(exit: Exit) => void>();
  readonly #readyListeners = new Set<() => void>();
  readonly #watch: Watch;
  #control: number;
  #pidFd: number | undefined;
  #ready = false;
  #reported: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;
  #announcedCode: number | undefined;
  #exit: Exit | undefined;
  #holds = 0;
  #answered = 0;

  /** @param control This side of the control socket. @param mailbox The mailbox; both are closed when the child has ended. */
  constructor(child: Child, control: number, mailbox: number, started: StartedWith) {
    this.child = child;
    this.pid = child.pid;
    this.env = started.env;
    this.cwd = started.cwd;
    this.mayKeepCode = started.mayKeepCode;
    this.#control = control;
    this.#mailbox = mailbox;
    this.#watch = watchReadable(control, () => this.drain());
    this.#watch.unref();
    child.unref();
    // Where node reaps, libuv reaps all that are dead before it tells of the first one. In between, nobody could say how the second
    // one ended. So an exit is written down now and told a turn later, when all of them are written down.
    child.onceExit((code, signal) => {
      this.#reported = { code, signal };
      setImmediate(() => this.#ended(code, signal));
    });
  }

  /** True once the child has said that it listens. */
  get ready(): boolean {
    return this.#ready;
  }

  /** How it ended; asks the kernel, so it is right also while the event loop is busy. */
  get exit(): Exit | undefined {
    if (this.#exit === undefined) this.#look();
    return this.#exit;
  }

  /** Calls back once, when the child's message is there. */
  onMessage(listener: (message: Message) => void): void {
    this.#messageListeners.add(listener);
  }

  /** Calls back once, when the process has ended and its message was heard. @returns takes the listener away. */
  onExit(listener: (exit: Exit) => void): () => void {
    this.#exitListeners.add(listener);
    return () => this.#exitListeners.delete(listener);
  }

  /** Calls back once, when the child listens. */
  onReady(listener: () => void): void {
    this.#readyListeners.add(listener);
  }

  /** Keeps the parent's event loop alive until `release` was called as often, or the process has ended. */
  hold(): void {
    if (this.#holds++ === 0) this.child.ref();
  }

  release(): void {
    if (--this.#holds === 0) this.child.unref();
  }

  /** Tells a spare to load what it may need. @param what Of Warmth. */
  warm(what: number): void {
    this.#say(packFrame(FrameType.warm, what));
  }

  /** Tells a spare that `go` follows, while what it is to run is still being encoded: it wakes up meanwhile. */
  wake(): void {
    this.#say(packFrame(FrameType.soon));
  }

  /** Tells the child what to run. @returns false when it is dead already. */
  go(bytes: Uint8Array): boolean {
    if (isInMailbox(bytes.length)) writeMail(this.#mailbox, bytes);
    return this.#say(packMessage(FrameType.go, bytes));
  }

  /** A descriptor that is readable when the process has ended; undefined when that is known already. Belongs to the link. */
  pidFd(): number | undefined {
    if (this.exit !== undefined) return undefined;
    return (this.#pidFd ??= openPidFd(this.pid));
  }

  /** Blocks until the child said something, it ended, or the time is over. */
  waitSync(timeoutMs: number): void {
    const pidFd = this.pidFd();
    if (pidFd === undefined) return;
    const fds = this.#control === -1 ? [pidFd] : [this.#control, pidFd];
    pollReadable(fds, Math.min(SLICE_MS, timeoutMs));
    this.drain();
    this.#look();
  }

  /** Takes what the child has said so far. */
  drain(): void {
    while (this.#control !== -1 && pollReadable([this.#control], 0).length > 0) {
      let read = 0;
      try {
        read = readSync(this.#control, received);
      } catch {
        // ECONNRESET: the child died with something of ours unread.
      }
      if (read === 0) return this.#closeControl();
      for (const frame of this.#frames.read(received.subarray(0, read))) this.#heard(frame);
    }
  }

  /** Sends a signal. @returns false when the process has ended. */
  signal(signal: NodeJS.Signals): boolean {
    // The pid is the child's until libuv has reaped it, and then libuv knows.
    return this.exit === undefined && this.child.kill(signal);
  }

  #say(frame: Uint8Array): boolean {
    try {
      writeSync(this.#control, frame);
      return true;
    } catch {
      // EPIPE or EBADF: it is dead, which its exit will tell.
      return false;
    }
  }

  #look(): void {
    this.child.look?.();
    if (this.#reported !== undefined) return this.#ended(this.#reported.code, this.#reported.signal);
    if (this.child.look !== undefined) return;
    const status = peekExit(this.pid);
    if (status === undefined) return;
    if (status !== "reaped") return this.#ended(status.code, status.signal === null ? null : signalName(status.signal));
    // Only for who asks in a listener of his own for another child's exit (see the constructor). What the child announced is what it
    // exited with; if it announced nothing, a signal has ended it, nearly always this one.
    this.drain();
    const code = this.#announcedCode;
    this.#ended(code ?? null, code === undefined ? "SIGKILL" : null);
  }

  #heard({ type, value, inline }: Frame): void {
    if (type === FrameType.ready) {
      this.#ready = true;
      for (const listener of this.#readyListeners) listener();
    } else if (type === FrameType.exiting) {
      this.#announcedCode = value;
    } else if (type === FrameType.places) {
      const text = Buffer.from(inline ?? []).toString();
      const mapped = mapStack(text);
      answerPlaces(this.#mailbox, this.#answered++, mapped === text ? askForPlaces(text) : mapped);
    } else if (type === FrameType.result || type === FrameType.error) {
      const message = { isError: type === FrameType.error, bytes: inline ?? takeMail(this.#mailbox, value) };
      for (const listener of this.#messageListeners) listener(message);
    }
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#exit !== undefined) return;
    // What it said last counts, though it is dead.
    this.drain();
    this.#exit = { exitCode: code ?? -(constants.signals[signal as NodeJS.Signals] ?? 0), signal };
    this.#closeControl();
    closeSync(this.#mailbox);
    if (this.#pidFd !== undefined) closeSync(this.#pidFd);
    sweepProcess(this.pid);
    for (const listener of this.#exitListeners) listener(this.#exit);
  }

  #closeControl(): void {
    if (this.#control === -1) return;
    this.#watch.close();
    closeSync(this.#control);
    this.#control = -1;
  }
}
