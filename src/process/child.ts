/** A process as whoever has started it holds it. */

import type { Readable, Writable } from "node:stream";

/** What is told of its end. */
export type ExitListener = (code: number | null, signal: NodeJS.Signals | null) => void;

export interface Child {
  readonly pid: number;
  /** null unless it was started with pipes. */
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /** Keeps this process's event loop alive until it has ended; from the start. */
  ref(): void;
  unref(): void;
  /** Sends a signal. @returns false when it has ended. */
  kill(signal: NodeJS.Signals): boolean;
  /** Calls back when it has ended, and was reaped. */
  onceExit(listener: ExitListener): void;
  /** Looks whether it has ended, and calls back at once if so; there is none where node reaps. */
  look?(): void;
}
