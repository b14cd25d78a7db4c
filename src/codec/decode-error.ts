/** Errors, as `encode-error.ts` writes them. One whose class cannot be rebuilt still arrives, with name and message. */

import * as ours from "../core/errors.ts";
import { defineProperties, readProperties } from "./decode-properties.ts";
import type { Reader } from "./reader.ts";
import { ErrorClass } from "./wire.ts";

/** Under this key an error lists the names of its properties that could not travel. */
const OMITTED = Symbol.for("multiproc.omitted");

type ErrorConstructor = new (...args: unknown[]) => Error;

export function readError(reader: Reader, index: number): Error {
  const builtin = reader.text();
  const message = reader.text();
  const stack = reader.text();
  const kind = reader.byte();
  const error = reader.made(index, kind === ErrorClass.ours ? makeOurs(reader, message) : make(builtin, message));
  hide(error, "stack", stack);
  if (kind === ErrorClass.builtin) rename(error, reader.text());
  if (kind === ErrorClass.users) adoptClass(reader, error);
  defineProperties(error, readProperties(reader));
  const omitted = reader.text();
  if (omitted !== "") hide(error, OMITTED, omitted.split("\n"));
  return error;
}

function make(builtin: string, message: string): Error {
  const found: unknown = (globalThis as Record<string, unknown>)[builtin];
  const isError = typeof found === "function" && (found === Error || Object.getPrototypeOf(found) === Error);
  const cls = isError ? (found as ErrorConstructor) : Error;
  const error = builtin === "AggregateError" ? new AggregateError([]) : new cls();
  hide(error, "message", message);
  return error;
}

function makeOurs(reader: Reader, message: string): Error {
  const cls = (ours as unknown as Record<string, ErrorConstructor | undefined>)[reader.text()] ?? ours.MultiprocError;
  const error = new cls(message);
  hide(error, "message", message);
  return error;
}

/** Gives an error the user's class, if that can be had. */
function adoptClass(reader: Reader, error: Error): void {
  const end = reader.uint32();
  const objects = reader.uint32();
  const stop = reader.position + end;
  const count = reader.objectCount + objects;
  if (reader.options.functions === false) return reader.skipTo(stop, count);
  try {
    const cls = reader.value() as { prototype: object };
    Object.setPrototypeOf(error, cls.prototype);
  } catch {
    reader.skipTo(stop, count);
  }
}

/** A builtin error with a name of its own, or an error whose class could not be sent. */
function rename(error: Error, name: string): void {
  if (name !== "" && error.name !== name) hide(error, "name", name);
}

function hide(object: object, key: string | symbol, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: false, configurable: true, writable: true });
}
