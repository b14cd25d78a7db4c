/** Objects that are neither plain objects nor plain arrays, as `encode-special.ts` writes them. */

import { defineProperties, readProperties } from "./decode-properties.ts";
import type { Reader } from "./reader.ts";
import { makePlatformObject } from "./platform-objects.ts";
import { Integrity, Prototype, Tag, TRACKS_LENGTH, VIEW_TYPES } from "./wire.ts";

export function readSpecial(reader: Reader, tag: number, index: number): unknown {
  switch (tag) {
    case Tag.special:
      return readDecorated(reader, index);
    case Tag.uniqueSymbol:
      return reader.made(index, Symbol(reader.value() as string | undefined));
    case Tag.domException:
      return readDomException(reader, index);
    case Tag.reduced:
      return readReduced(reader, index);
    case Tag.prototypeOf:
      if (reader.options.functions === false) reader.fail("prototypes of classes are not taken from strangers");
      return reader.made(index, prototypeOf(reader, reader.value()));
    default:
      return readKind(reader, tag, index, undefined);
  }
}

/** @param prototype For a bare object. */
function readKind(reader: Reader, tag: number, index: number, prototype: object | null | undefined): unknown {
  switch (tag) {
    case Tag.bare:
      return reader.made(index, Object.create(prototype === undefined ? Object.prototype : prototype));
    case Tag.array:
      return reader.array(index);
    case Tag.sparse:
      return readSparse(reader, index);
    case Tag.map:
      return reader.map(index);
    case Tag.set:
      return readSet(reader, index);
    case Tag.date:
      return reader.made(index, new Date(reader.double()));
    case Tag.regexp:
      return readRegExp(reader, index);
    case Tag.arrayBuffer:
      return reader.made(index, reader.copy().buffer);
    case Tag.bytes:
      return readBytes(reader, index);
    case Tag.view:
      return readView(reader, index);
    case Tag.boxed:
      return reader.made(index, Object(reader.value()));
    case Tag.url:
      return reader.made(index, new URL(reader.text()));
    case Tag.searchParams:
      return reader.made(index, new URLSearchParams(reader.text()));
    case Tag.resizableBuffer:
      return readResizableBuffer(reader, index);
    case Tag.platformObject:
      return readPlatformObject(reader, index);
    default:
      return reader.fail(`it has an unknown tag (${tag})`);
  }
}

function readDecorated(reader: Reader, index: number): object {
  const prototype = readPrototype(reader);
  const object = readKind(reader, reader.byte(), index, prototype) as object;
  if (prototype !== undefined && Object.getPrototypeOf(object) !== prototype) Object.setPrototypeOf(object, prototype);
  defineProperties(object, readProperties(reader));
  switch (reader.byte()) {
    case Integrity.frozen:
      return Object.freeze(object);
    case Integrity.sealed:
      return Object.seal(object);
    case Integrity.fixed:
      return Object.preventExtensions(object);
    default:
      return object;
  }
}

/** undefined for the prototype that the kind brings along. */
function readPrototype(reader: Reader): object | null | undefined {
  const maker = reader.byte();
  if (maker === Prototype.own) return undefined;
  if (maker === Prototype.null) return null;
  if (reader.options.functions === false) reader.fail("instances of classes are not taken from strangers");
  const from = reader.value() as object;
  if (maker === Prototype.object) return from;
  return prototypeOf(reader, from);
}

function prototypeOf(reader: Reader, cls: unknown): object {
  return typeof cls === "function" ? (cls.prototype as object) : reader.fail("a class was expected");
}

function readSparse(reader: Reader, index: number): unknown[] {
  const array: unknown[] = [];
  array.length = reader.uint32();
  reader.made(index, array);
  for (let left = reader.count(); left > 0; left--) {
    const at = reader.uint32();
    if (at >= array.length) reader.fail("it has an element behind the end of its array");
    array[at] = reader.value();
  }
  return array;
}

function readSet(reader: Reader, index: number): Set<unknown> {
  const set = reader.made(index, new Set<unknown>());
  for (let left = reader.count(); left > 0; left--) set.add(reader.value());
  return set;
}

function readRegExp(reader: Reader, index: number): RegExp {
  const source = reader.text();
  let regexp: RegExp;
  try {
    regexp = new RegExp(source, reader.text());
  } catch {
    return reader.fail("it has a regular expression that is none");
  }
  regexp.lastIndex = reader.double();
  return reader.made(index, regexp);
}

function readBytes(reader: Reader, index: number): ArrayBufferView {
  const type = reader.byte();
  const whole = reader.byte() === 1;
  const bytes = reader.copy();
  const { buffer } = bytes as Uint8Array<ArrayBuffer>;
  const length = bytes.length / bytesPerElement(type);
  if (!Number.isInteger(length)) reader.fail("it has a typed array of no whole length");
  const view = reader.made(index, makeView(reader, type, buffer, 0, length));
  if (whole) reader.made(reader.reserve(), buffer);
  return view;
}

function readView(reader: Reader, index: number): ArrayBufferView {
  const type = reader.byte();
  const offset = reader.double();
  const length = reader.double();
  const buffer = reader.value();
  if (!(buffer instanceof ArrayBuffer)) reader.fail("a buffer was expected");
  return reader.made(index, makeView(reader, type, buffer, offset, length));
}

function readResizableBuffer(reader: Reader, index: number): ArrayBuffer {
  const maxByteLength = reader.double();
  const bytes = reader.copy();
  if (!(maxByteLength >= bytes.length)) reader.fail("it has a buffer that is longer than it may get");
  const buffer = new (ArrayBuffer as ResizableConstructor)(bytes.length, { maxByteLength });
  new Uint8Array(buffer).set(bytes);
  return reader.made(index, buffer);
}

type ResizableConstructor = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

function readPlatformObject(reader: Reader, index: number): object {
  const name = reader.text();
  const parts: unknown = reader.value();
  let object: object | undefined;
  try {
    object = Array.isArray(parts) ? makePlatformObject(name, parts) : undefined;
  } catch {
    // What its constructor refuses was not written by an encoder.
  }
  return reader.made(index, object ?? reader.fail(`it has an object of an unknown class (${name})`));
}

interface ViewConstructor {
  readonly BYTES_PER_ELEMENT?: number;
  new (buffer: ArrayBuffer, offset: number, length?: number): ArrayBufferView;
}

function viewConstructor(type: number): ViewConstructor | undefined {
  return (globalThis as unknown as Record<string, ViewConstructor | undefined>)[VIEW_TYPES[type] ?? ""];
}

function bytesPerElement(type: number): number {
  return VIEW_TYPES[type] === "Buffer" ? 1 : (viewConstructor(type)?.BYTES_PER_ELEMENT ?? 1);
}

function makeView(reader: Reader, type: number, buffer: ArrayBuffer, offset: number, length: number): ArrayBufferView {
  const cls = viewConstructor(type) ?? reader.fail("it has an unknown kind of typed array");
  if (length === TRACKS_LENGTH && offset >= 0 && offset <= buffer.byteLength) return new cls(buffer, offset);
  if (!(offset >= 0 && length >= 0 && offset + length * bytesPerElement(type) <= buffer.byteLength)) {
    reader.fail("it has a view that reaches over its buffer");
  }
  return VIEW_TYPES[type] === "Buffer" ? Buffer.from(buffer, offset, length) : new cls(buffer, offset, length);
}

function readDomException(reader: Reader, index: number): DOMException {
  const message = reader.text();
  const exception = reader.made(index, new DOMException(message, reader.text()));
  const stack = reader.text();
  Object.defineProperty(exception, "stack", { value: stack, configurable: true, writable: true });
  return exception;
}

function readReduced(reader: Reader, index: number): unknown {
  if (reader.options.functions === false) reader.fail("objects that rebuild themselves are not taken from strangers");
  const [fn, ...args] = reader.value() as [(...args: unknown[]) => unknown, ...unknown[]];
  return reader.made(index, rebuild(fn, args));
}

/** What functions of users have thrown: no damage of the message, whatever its class. */
const thrownByUsers = new WeakSet<object>();

function rebuild(fn: (...args: unknown[]) => unknown, args: unknown[]): unknown {
  try {
    return fn(...args);
  } catch (error) {
    if (error instanceof Error) thrownByUsers.add(error);
    throw error;
  }
}

/** True for an error that a function of the user has thrown while it rebuilt an object. */
export function isThrownByUser(error: object): boolean {
  return thrownByUsers.has(error);
}
