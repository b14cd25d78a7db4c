/** Node streams over queues and connections, in object mode. */

import type { Duplex, Readable } from "node:stream";
import { stream as nodeStream } from "../core/node-builtins.ts";

/** Where a stream takes its chunks from and puts them. */
export interface StreamSource {
  take(signal: AbortSignal): Promise<unknown>;
  /** True for the error that says that nothing more comes. */
  isEnd(error: unknown): boolean;
}

export interface StreamTarget {
  put(value: unknown, signal: AbortSignal): Promise<void>;
}

/** A stream of what there is to take. Destroying it takes nothing more. */
export function readableOf(source: StreamSource): Readable {
  const ending = new AbortController();
  return new (nodeStream().Readable)({
    objectMode: true,
    read(): void {
      pull(this, source, ending.signal);
    },
    destroy(error, done): void {
      ending.abort(error);
      done(error);
    },
  });
}

/** A stream both ways. A side that is not there is at its end, or closed, from the start. */
export function duplexOf(
  source: StreamSource | undefined,
  target: StreamTarget | undefined,
  close: () => void,
): Duplex {
  const ending = new AbortController();
  const stream = new (nodeStream().Duplex)({
    objectMode: true,
    read(): void {
      if (source === undefined) this.push(null);
      else pull(this, source, ending.signal);
    },
    write(value, _encoding, done): void {
      (target as StreamTarget).put(value, ending.signal).then(() => done(), done);
    },
    destroy(error, done): void {
      ending.abort(error);
      close();
      done(error);
    },
  });
  if (target === undefined) stream.end();
  return stream;
}

function pull(stream: Readable, source: StreamSource, signal: AbortSignal): void {
  source.take(signal).then(
    (value) => {
      if (value === null) stream.destroy(new TypeError("Cannot stream null: to a Node stream it means the end"));
      else stream.push(value);
    },
    (error: unknown) => {
      if (signal.aborted) return;
      if (source.isEnd(error)) stream.push(null);
      else stream.destroy(error as Error);
    },
  );
}
