/**
 * Errors: class, message, stack, cause, own properties. They arrive whatever is on them: what cannot travel is left out, and named.
 */

import * as types from "node:util/types";
import * as ours from "../core/errors.ts";
import { SerializationError } from "../core/errors.ts";
import { prototypeHere } from "../core/realms.ts";
import { ownProperties, writeProperty } from "./encode-properties.ts";
import { ErrorClass, Tag } from "./wire.ts";
import type { Writer } from "./writer.ts";

const BUILTIN: ReadonlySet<string> = new Set([
  "Error",
  "AggregateError",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
]);

export function writeError(writer: Writer, error: Error): void {
  const omitted: string[] = [];
  // A class that captures the error itself would write it before it is numbered; so the class comes behind.
  writer.number(error);
  writer.byte(Tag.error);
  writer.text(builtinOf(error));
  writer.text(textOf(error, "message"));
  writer.text(textOf(error, "stack"));
  writeClass(writer, error);
  const count = writer.hole();
  let written = 0;
  for (const [key, descriptor] of ownProperties(error, isWritten)) {
    const before = writer.checkpoint();
    try {
      writeProperty(writer, key, valueOf(error, key, descriptor), undefined);
      written += 1;
    } catch {
      writer.rollback(before);
      omitted.push(String(key));
    }
  }
  writer.fill(count, written);
  writer.text(omitted.join("\n"));
}

/** The brand of our errors comes with their class. */
const BRAND = Symbol.for("multiproc.error");

function isWritten(key: string | symbol): boolean {
  return key === "stack" || key === "message" || key === BRAND;
}

/** Writes the class of the error, unless it is a builtin; a class that cannot travel leaves the builtin that it extends. */
function writeClass(writer: Writer, error: Error): void {
  const cls: unknown = classOf(error);
  if (typeof cls === "function" && (ours as Record<string, unknown>)[cls.name] === cls) {
    writer.byte(ErrorClass.ours);
    return writer.text(cls.name);
  }
  const size = writer.checkpoint();
  if (typeof cls === "function" && !isBuiltinClass(cls) && writer.options.functions !== false) {
    try {
      writer.byte(ErrorClass.users);
      const length = writer.hole();
      const objects = writer.hole();
      const start = writer.length;
      const first = writer.checkpoint().objects;
      writer.child("constructor", cls);
      writer.fill(length, writer.length - start);
      writer.fill(objects, writer.checkpoint().objects - first);
      return;
    } catch {
      writer.rollback(size);
    }
  }
  writer.byte(ErrorClass.builtin);
  writer.text(textOf(error, "name"));
}

function classOf(error: Error): unknown {
  try {
    const prototype = prototypeHere(Object.getPrototypeOf(error) as object | null);
    const cls: unknown = (prototype as { constructor?: unknown } | null)?.constructor;
    return typeof cls === "function" && cls.prototype === prototype ? cls : undefined;
  } catch {
    return undefined;
  }
}

function isBuiltinClass(cls: Function): boolean {
  return BUILTIN.has(cls.name) && (globalThis as Record<string, unknown>)[cls.name] === cls;
}

/** The name of the nearest builtin class. */
function builtinOf(error: Error): string {
  for (let p: object | null = error; p !== null; p = Object.getPrototypeOf(p) as object | null) {
    const cls: unknown = Object.getOwnPropertyDescriptor(prototypeHere(p), "constructor")?.value;
    if (typeof cls === "function" && isBuiltinClass(cls)) return cls.name;
  }
  return "Error";
}

/** Reads a text off an error, whose getters may throw or give anything. */
function textOf(error: Error, key: "message" | "stack" | "name"): string {
  try {
    const value: unknown = error[key];
    return value === undefined ? "" : `${value as string}`;
  } catch {
    return "";
  }
}

/** Accessors of errors are read: an error is a report, not a live object. */
function valueOf(error: Error, key: string | symbol, descriptor: PropertyDescriptor): PropertyDescriptor {
  if (descriptor.get === undefined && descriptor.set === undefined) return descriptor;
  const { enumerable = false } = descriptor;
  return { value: (error as never)[key], enumerable, configurable: true, writable: true };
}

/** Writes whatever was thrown, so that it cannot fail; what is no Error arrives as it was, if it can travel. */
export function writeThrown(writer: Writer, thrown: unknown): void {
  const before = writer.checkpoint();
  try {
    return writer.value(thrown);
  } catch (problem) {
    writer.rollback(before);
    writer.value(new SerializationError(`${describe(thrown)} was thrown, which cannot be sent: ${reasonOf(problem)}`));
  }
}

function describe(thrown: unknown): string {
  if (types.isProxy(thrown)) return "A Proxy";
  try {
    return typeof thrown === "function"
      ? `The function ${thrown.name}`
      : `A value (${Object.prototype.toString.call(thrown)})`;
  } catch {
    return "A value";
  }
}

function reasonOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}
