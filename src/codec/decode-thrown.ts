/** Errors of other processes, with a stack that tells where they come from. */

import { type ByteSource, sourceOf } from "../core/bytes.ts";
import { DeadlockError } from "../core/errors.ts";
import { mapDeadlockPlaces } from "./deadlock-places.ts";
import { decodeWith } from "./decode.ts";
import type { ErrorOrigin } from "./encode.ts";
import type { DecodeOptions } from "./reader.ts";

/** Reads what `encodeError` wrote. @param mapStack Replaces places of transformed files by those of their sources. */
export function decodeErrorFrom(
  source: ByteSource,
  mapStack: (stack: string) => string = (stack) => stack,
  options: DecodeOptions = {},
): unknown {
  return decodeWith(source, options, (reader) => {
    const thrown = reader.value();
    const origin = reader.value() as ErrorOrigin | undefined;
    if (thrown instanceof Error) annotate(thrown, origin, mapStack);
    return thrown;
  });
}

/** As `decodeErrorFrom`, for bytes of one's own. */
export function decodeError(bytes: Uint8Array, mapStack?: (stack: string) => string): unknown {
  return decodeErrorFrom(sourceOf(bytes), mapStack);
}

function annotate(error: Error, origin: ErrorOrigin | undefined, mapStack: (stack: string) => string): void {
  for (const part of errorsOf(error)) setStack(part, mapStack(stackOf(part)));
  if (origin !== undefined) setStack(error, `${stackOf(error)}\n    in process ${origin.name} (pid ${origin.pid})`);
  if (error instanceof DeadlockError) mapDeadlockPlaces(error, mapStack);
}

/** An error, and those that caused it or that it gathers. */
function errorsOf(error: Error): Set<Error> {
  const found = new Set([error]);
  // A Set gives what is added meanwhile, too.
  for (const each of found) {
    const inner = [valueOf(each, "cause"), valueOf(each, "errors")].flat();
    for (const one of inner) if (one instanceof Error) found.add(one);
  }
  return found;
}

/** Without calling the getters of the user's. */
function valueOf(error: Error, name: string): unknown {
  return Object.getOwnPropertyDescriptor(error, name)?.value;
}

function stackOf(error: Error): string {
  return `${error.stack ?? ""}`;
}

function setStack(error: Error, value: string): void {
  Object.defineProperty(error, "stack", { value, configurable: true, writable: true, enumerable: false });
}
