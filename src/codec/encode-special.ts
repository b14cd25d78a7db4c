/** Objects that are neither plain objects nor plain arrays. */

import * as types from "node:util/types";
import { prototypeHere } from "../core/realms.ts";
import { identifyClass, isIdentified } from "./class-identity.ts";
import { writeError } from "./encode-error.ts";
import { ownProperties, writeProperties } from "./encode-properties.ts";
import { type PlatformObject, platformObject } from "./platform-objects.ts";
import { Integrity, Prototype, Tag, TRACKS_LENGTH, VIEW_TYPES } from "./wire.ts";
import type { Writer } from "./writer.ts";

/** `[REDUCE]() -> [fn, ...args]`: how an object says by itself how to rebuild it, as Python's `__reduce__`. */
const REDUCE = Symbol.for("multiproc.reduce");

/** What an object is underneath its prototype and properties. */
interface Kind {
  is(value: object): boolean;
  /** The prototype that the kind brings along. */
  readonly prototype: object;
  write(writer: Writer, value: never): void;
  /** Own keys that are the kind's contents. */
  isOwn(key: string | symbol, value: object): boolean;
}

const never = (): boolean => false;
const isIndexOrLength = (key: string | symbol): boolean =>
  key === "length" || (typeof key === "string" && isIndex(key));

const PLATFORM_OBJECT: Kind = {
  is: (value) => platformObject(value) !== undefined,
  prototype: Object.prototype,
  write: writePlatformObject,
  isOwn: isNodeSymbol,
};

const KINDS: readonly Kind[] = [
  { is: Array.isArray, prototype: Array.prototype, write: writeArray, isOwn: isIndexOrLength },
  { is: types.isMap, prototype: Map.prototype, write: writeMap, isOwn: never },
  { is: types.isSet, prototype: Set.prototype, write: writeSet, isOwn: never },
  { is: types.isDate, prototype: Date.prototype, write: writeDate, isOwn: never },
  { is: types.isRegExp, prototype: RegExp.prototype, write: writeRegExp, isOwn: (key) => key === "lastIndex" },
  { is: types.isArrayBuffer, prototype: ArrayBuffer.prototype, write: writeArrayBuffer, isOwn: never },
  {
    is: ArrayBuffer.isView,
    prototype: Object.prototype,
    write: writeView,
    isOwn: (key) => typeof key === "string" && isIndex(key),
  },
  { is: types.isBoxedPrimitive, prototype: Object.prototype, write: writeBoxed, isOwn: isIndexOrLength },
  { is: (value) => value instanceof URL, prototype: URL.prototype, write: writeUrl, isOwn: isNodeSymbol },
  {
    is: (value) => value instanceof URLSearchParams,
    prototype: URLSearchParams.prototype,
    write: writeSearchParams,
    isOwn: isNodeSymbol,
  },
  { is: types.isArgumentsObject, prototype: Object.prototype, write: writeArguments, isOwn: () => true },
  PLATFORM_OBJECT,
];

const OBJECT: Kind = {
  is: () => true,
  prototype: Object.prototype,
  write: (writer: Writer) => writer.byte(Tag.bare),
  isOwn: never,
};

export function writeSpecial(writer: Writer, value: object): void {
  if (ArrayBuffer.isView(value) && Object.getPrototypeOf(value) === viewPrototype(value)) {
    writer.number(value);
    return writeView(writer, value);
  }
  const source = writer.options.functions === false ? undefined : writer.functionSource();
  const reference = source?.referenceTo(value);
  if (reference !== undefined) {
    writer.number(value);
    if (reference.kind === "module") writer.needModule(reference.module);
    writer.byte(reference.kind === "module" ? Tag.moduleReference : Tag.builtinReference);
    return writer.text(JSON.stringify(reference));
  }
  if (isPrototypeOfClass(value)) return writePrototype(writer, value);
  const reduce = (value as { [REDUCE]?: unknown })[REDUCE];
  if (typeof reduce === "function") return writeReduced(writer, value, reduce);
  // Errors before what is refused: they arrive in any case, if need be as what they extend.
  // A DOMException is a native error for newer lines of Node only.
  if (isDomException(value)) return writeDomException(writer, value);
  if (types.isNativeError(value)) return writeError(writer, value);
  const reason = source?.refuseReason(value);
  if (reason !== undefined) writer.refuse(`it is ${reason}`);
  const kind = KINDS.find((each) => each.is(value)) ?? OBJECT;
  writeDecorated(writer, value, kind);
}

/** The kind, and what the object has beyond it. */
function writeDecorated(writer: Writer, value: object, kind: Kind): void {
  // Listing the keys of a typed array would list its elements, as texts; further properties of one do not travel.
  const properties = ArrayBuffer.isView(value) ? [] : ownProperties(value, (key) => kind.isOwn(key, value));
  const prototype = prototypeHere(Object.getPrototypeOf(value) as object | null);
  const integrity = integrityOf(value);
  if (
    prototype === kindPrototype(kind, value) &&
    properties.length === 0 &&
    integrity === Integrity.extensible &&
    kind !== OBJECT
  ) {
    writer.number(value);
    return kind.write(writer, value as never);
  }
  const from = prototype === kindPrototype(kind, value) ? undefined : prototype;
  const maker = from === undefined ? Prototype.own : writePrelude(writer, from);
  // The class may capture the very object: then the message has it by now.
  if (writer.numberOf(value) !== -1) return writer.value(value);
  writer.number(value);
  writer.byte(Tag.special);
  writer.byte(maker);
  if (maker === Prototype.ofClass) writer.value((from as object).constructor);
  if (maker === Prototype.object) writer.value(from);
  kind.write(writer, value as never);
  writeProperties(writer, properties, value);
  writer.byte(integrity);
}

/** An object that is the prototype of a class is that there, too. */
function writePrototype(writer: Writer, value: object): void {
  if (writer.options.functions === false) writer.refuse("prototypes of classes are not sent to strangers");
  writePrelude(writer, value);
  // The class may hold it as a property: then the message has it by now.
  if (writer.numberOf(value) !== -1) return writer.value(value);
  writer.number(value);
  writer.byte(Tag.prototypeOf);
  writer.value(value.constructor);
}

function isPrototypeOfClass(value: object): boolean {
  const cls: unknown = Object.getOwnPropertyDescriptor(value, "constructor")?.value;
  return typeof cls === "function" && cls.prototype === value;
}

/** Writes what a prototype comes from, if the message does not have it yet. @returns how to find it. */
function writePrelude(writer: Writer, prototype: object | null): number {
  if (prototype === null) return Prototype.null;
  const isClass = isPrototypeOfClass(prototype);
  if (writer.options.functions === false) writer.refuse("instances of classes are not sent to strangers");
  const needed = isClass ? prototype.constructor : prototype;
  if (writer.numberOf(needed) === -1) {
    writer.byte(Tag.prelude);
    if (isClass && !isIdentified(prototype.constructor)) identifyClass(prototype.constructor);
    if (isClass) writer.under(prototype.constructor.name || "(class)", writer.path(), () => writer.value(needed));
    else writer.child("(prototype)", needed);
  }
  return isClass ? Prototype.ofClass : Prototype.object;
}

function kindPrototype(kind: Kind, value: object): object {
  if (ArrayBuffer.isView(value)) return viewPrototype(value);
  if (kind === PLATFORM_OBJECT) return (platformObject(value) as PlatformObject).prototype;
  if (types.isBoxedPrimitive(value)) return Object(primitiveOf(value)).constructor.prototype as object;
  return kind.prototype;
}

function integrityOf(value: object): number {
  if (Object.isExtensible(value)) return Integrity.extensible;
  if (ArrayBuffer.isView(value)) return Integrity.fixed;
  if (Object.isFrozen(value)) return Integrity.frozen;
  return Object.isSealed(value) ? Integrity.sealed : Integrity.fixed;
}

function isIndex(key: string): boolean {
  const number = Number(key);
  return Number.isInteger(number) && number >= 0 && number < 2 ** 32 - 1 && String(number) === key;
}

/** Node keeps the state of some classes under symbols without a registered name. */
function isNodeSymbol(key: string | symbol): boolean {
  return typeof key === "symbol" && Symbol.keyFor(key) === undefined;
}

function writeArray(writer: Writer, value: unknown[]): void {
  const { length } = value;
  let holes = 0;
  for (let i = 0; i < length && holes === 0; i++) if (!Object.hasOwn(value, i)) holes = 1;
  if (holes === 0) {
    writer.byte(Tag.array);
    writer.uint32(length);
    for (let i = 0; i < length; i++) writer.child(i, value[i]);
    return;
  }
  const indexes = Object.keys(value).filter(isIndex);
  writer.byte(Tag.sparse);
  writer.uint32(length);
  writer.uint32(indexes.length);
  for (const index of indexes) {
    writer.uint32(Number(index));
    writer.child(Number(index), value[Number(index)]);
  }
}

function writeMap(writer: Writer, value: Map<unknown, unknown>): void {
  writer.byte(Tag.map);
  // Two flat lists: pairs would be an object each.
  const keys = [...Map.prototype.keys.call(value)];
  const values = [...Map.prototype.values.call(value)];
  writer.uint32(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i];
    const each = values[i];
    if (!writer.simple(key)) writer.child(`(key ${i})`, key);
    if (!writer.simple(each)) writer.child(typeof key === "string" ? `(${JSON.stringify(key)})` : `(value ${i})`, each);
  }
}

function writeSet(writer: Writer, value: Set<unknown>): void {
  writer.byte(Tag.set);
  const members = [...Set.prototype.values.call(value)];
  writer.uint32(members.length);
  members.forEach((member, i) => {
    if (!writer.simple(member)) writer.child(`(member ${i})`, member);
  });
}

function writeDate(writer: Writer, value: Date): void {
  writer.byte(Tag.date);
  writer.double(Date.prototype.getTime.call(value));
}

function writeRegExp(writer: Writer, value: RegExp): void {
  writer.byte(Tag.regexp);
  writer.text(value.source);
  writer.text(value.flags);
  writer.double(value.lastIndex);
}

function writeArrayBuffer(writer: Writer, value: ArrayBuffer & Partial<Resizable>): void {
  writer.byte(value.resizable === true ? Tag.resizableBuffer : Tag.arrayBuffer);
  if (value.resizable === true) writer.double(value.maxByteLength as number);
  writeBytes(writer, new Uint8Array(value));
}

/** What newer lines of ECMAScript give an `ArrayBuffer`. */
interface Resizable {
  readonly resizable: boolean;
  readonly maxByteLength: number;
}

/**
 * The first view on a buffer takes its own bytes along, and stands for the buffer if it shows all of it; a later one refers
 * to the buffer then. Two views that each show a part get a copy each.
 */
function writeView(writer: Writer, value: ArrayBufferView): void {
  const buffer: ArrayBufferLike & Partial<Resizable> = value.buffer;
  const type = VIEW_TYPES.indexOf(viewTypeOf(value));
  if (writer.numberOf(buffer) === -1 && buffer.resizable !== true) {
    const whole = buffer.byteLength === value.byteLength;
    writer.byte(Tag.bytes);
    writer.byte(type);
    writer.byte(whole ? 1 : 0);
    writeBytes(writer, new Uint8Array(buffer, value.byteOffset, value.byteLength));
    if (whole) writer.number(buffer);
    return;
  }
  writer.byte(Tag.view);
  writer.byte(type);
  writer.double(value.byteOffset);
  writer.double(tracksLength(value, buffer) ? TRACKS_LENGTH : value.byteLength / bytesPerElement(value));
  writer.child("buffer", buffer);
}

/**
 * Whether a view becomes longer with its buffer. Nothing tells that of a view; one that reaches to the end is taken for one that does.
 * (A Buffer never does.)
 */
function tracksLength(value: ArrayBufferView, buffer: Partial<Resizable> & { readonly byteLength: number }): boolean {
  if (buffer.resizable !== true || Buffer.isBuffer(value)) return false;
  return buffer.byteLength - (value.byteOffset + value.byteLength) < bytesPerElement(value);
}

function bytesPerElement(value: ArrayBufferView): number {
  return (value as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
}

function viewTypeOf(value: ArrayBufferView): string {
  if (Buffer.isBuffer(value)) return "Buffer";
  return types.isDataView(value) ? "DataView" : (typedArrayName.call(value) as string);
}

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)
  ?.get as (this: ArrayBufferView) => string;

function viewPrototype(value: ArrayBufferView): object {
  const name = viewTypeOf(value);
  return name === "Buffer"
    ? Buffer.prototype
    : (globalThis as unknown as Record<string, { prototype: object }>)[name]!.prototype;
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  writer.double(bytes.length);
  writer.raw(bytes);
}

function primitiveOf(value: object): unknown {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value);
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  if (types.isBigIntObject(value)) return BigInt.prototype.valueOf.call(value);
  return Symbol.prototype.valueOf.call(value as unknown as symbol);
}

function writeBoxed(writer: Writer, value: object): void {
  writer.byte(Tag.boxed);
  writer.value(primitiveOf(value));
}

function writeUrl(writer: Writer, value: URL): void {
  writer.byte(Tag.url);
  writer.text(value.href);
}

function writeSearchParams(writer: Writer, value: URLSearchParams): void {
  writer.byte(Tag.searchParams);
  writer.text(value.toString());
}

function writePlatformObject(writer: Writer, value: object): void {
  const { name, parts } = platformObject(value) as PlatformObject;
  writer.byte(Tag.platformObject);
  writer.text(name);
  writer.value(parts(value as never));
}

function writeArguments(writer: Writer, value: ArrayLike<unknown>): void {
  const { length } = value;
  writer.byte(Tag.array);
  writer.uint32(length);
  for (let i = 0; i < length; i++) writer.child(i, value[i]);
}

function isDomException(value: object): value is DOMException {
  return typeof DOMException === "function" && value instanceof DOMException;
}

function writeDomException(writer: Writer, value: DOMException): void {
  writer.number(value);
  writer.byte(Tag.domException);
  writer.text(value.message);
  writer.text(value.name);
  writer.text(String(value.stack));
}

function writeReduced(writer: Writer, value: object, reduce: Function): void {
  if (writer.options.functions === false) writer.refuse("objects that rebuild themselves are not sent to strangers");
  const parts: unknown = reduce.call(value);
  if (!Array.isArray(parts) || typeof parts[0] !== "function") {
    writer.refuse('its [Symbol.for("multiproc.reduce")]() must return [function, ...arguments]');
  }
  writer.number(value);
  writer.byte(Tag.reduced);
  writer.child("(reduced)", parts);
}
