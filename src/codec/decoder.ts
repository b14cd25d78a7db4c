/** Bytes to values. A fresh child loads this file: it needs neither the analysis of functions nor koffi. */

import type { ByteSource } from "../core/bytes.ts";
import { SerializationError } from "../core/errors.ts";
import { ownCopy } from "../core/own-copy.ts";
import { reviveHandle } from "../core/handle.ts";
import { readFunction } from "./decode-function.ts";
import { readError } from "./decode-error.ts";
import { isThrownByUser, readSpecial } from "./decode-special.ts";
import type { Cell } from "../capture/restore.ts";
import type { DecodeOptions, Reader } from "./reader.ts";
import { type KnownShape, KnownShapes } from "./known-shapes.ts";
import { ShortStrings } from "./short-strings.ts";
import { Flag, HEADER_BYTES, MAX_DEPTH, Tag, VERSION } from "./wire.ts";

const latin1Slice = Buffer.prototype.latin1Slice as (this: Uint8Array, start: number, end: number) => string;
const ucs2Slice = Buffer.prototype.ucs2Slice as (this: Uint8Array, start: number, end: number) => string;

/** What an object's place holds before it is made. */
const PENDING = Symbol("pending");
const MAX_TAG: number = Math.max(...Object.values(Tag).filter((tag) => tag < Tag.smallInt));

export class Decoder implements Reader {
  options: DecodeOptions = {};
  busy = false;
  #bytes!: Uint8Array;
  #view!: DataView;
  #position = 0;
  #limit = 0;
  #depth = 0;
  #objects: unknown[] = [];
  /** Whether the message refers to objects in it: otherwise they need not be remembered. */
  #hasReferences = false;
  #shapes: KnownShape[] = [];
  #cells: Map<number, Cell> | undefined;
  readonly #strings = new ShortStrings();
  readonly #knownShapes = new KnownShapes();

  /** Reads a message; `read` takes its value or values. */
  decode(source: ByteSource, options: DecodeOptions, read: ((reader: Reader) => unknown) | undefined): unknown {
    this.busy = true;
    this.options = options;
    this.#bytes = source.bytes;
    this.#view = source.view;
    this.#position = source.position;
    this.#limit = source.limit;
    this.#depth = 0;
    try {
      this.#header();
      const value = read === undefined ? this.value() : read(this);
      source.position = this.#position;
      return value;
    } catch (error) {
      throw explain(error);
    } finally {
      this.busy = false;
      this.#strings.endMessage();
      if (this.#objects.length > 0) this.#objects = [];
      if (this.#shapes.length > 0) this.#shapes = [];
      if (this.#cells !== undefined) this.#cells = undefined;
      this.#bytes = undefined as never;
      this.#view = undefined as never;
    }
  }

  #header(): void {
    if (this.#limit - this.#position < HEADER_BYTES || this.#bytes[this.#position] !== VERSION)
      this.fail("it is no message");
    this.#hasReferences = ((this.#bytes[this.#position + 1] as number) & Flag.references) !== 0;
    this.#position += HEADER_BYTES;
  }

  fail(why: string): never {
    throw new SerializationError(`Cannot read a message: ${why}`);
  }

  byte(): number {
    if (this.#position >= this.#limit) this.fail("it is cut short");
    return this.#bytes[this.#position++] as number;
  }

  uint32(): number {
    this.#need(4);
    const value = this.#view.getUint32(this.#position, true);
    this.#position += 4;
    return value;
  }

  double(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.#position, true);
    this.#position += 8;
    return value;
  }

  /** A number of things that take at least a byte each. */
  count(): number {
    const count = this.uint32();
    this.#need(count);
    return count;
  }

  /** A copy of the next bytes, over memory of its own. */
  copy(): Uint8Array {
    const length = this.double();
    if (!(length >= 0 && length <= this.#limit - this.#position)) this.fail("it is cut short");
    const start = this.#position;
    this.#position += length;
    return ownCopy(this.#bytes.subarray(start, this.#position));
  }

  get position(): number {
    return this.#position;
  }

  skipTo(position: number, objects: number): void {
    if (!(position >= this.#position && position <= this.#limit) || objects > position) this.fail("it is cut short");
    this.#position = position;
    if (this.#hasReferences) while (this.#objects.length < objects) this.#objects.push(undefined);
  }

  #need(bytes: number): void {
    if (bytes > this.#limit - this.#position) this.fail("it is cut short");
  }

  text(): string {
    const value = this.value();
    return typeof value === "string" ? value : this.fail("a text was expected");
  }

  /** The storage of a variable that functions of this message share. */
  cell(number: number): Cell {
    this.#cells ??= new Map();
    let cell = this.#cells.get(number);
    if (cell === undefined) this.#cells.set(number, (cell = { v: undefined }));
    return cell;
  }

  reserve(): number {
    return this.#hasReferences ? this.#objects.push(PENDING) - 1 : -1;
  }

  made<T>(index: number, value: T): T {
    if (index !== -1) this.#objects[index] = value;
    return value;
  }

  get objectCount(): number {
    return this.#objects.length;
  }

  value(): unknown {
    const tag = this.byte();
    if (tag >= Tag.smallInt) return tag - Tag.smallInt;
    switch (tag) {
      case Tag.undefined:
        return undefined;
      case Tag.null:
        return null;
      case Tag.true:
        return true;
      case Tag.false:
        return false;
      case Tag.int32:
        this.#need(4);
        this.#position += 4;
        return this.#view.getInt32(this.#position - 4, true);
      case Tag.double:
        return this.double();
      case Tag.shortString:
        return this.#shortString();
      case Tag.latin1:
      case Tag.utf16:
        return this.#longString(tag);
      case Tag.bigint:
        this.#need(8);
        this.#position += 8;
        return this.#view.getBigInt64(this.#position - 8, true);
      case Tag.ref:
        return this.#ref();
      case Tag.registeredSymbol:
        return Symbol.for(this.text());
      case Tag.wellKnownSymbol:
        return this.#wellKnownSymbol();
      case Tag.hugeBigint:
        return this.#hugeBigint();
      case Tag.prelude:
        this.#deeper(() => this.value());
        return this.value();
      default:
        return this.#object(tag);
    }
  }

  #object(tag: number): unknown {
    if (tag > MAX_TAG) this.fail(`it has an unknown tag (${tag})`);
    if (++this.#depth > MAX_DEPTH + 2) this.fail("it is nested too deeply");
    const index = this.reserve();
    let value: unknown;
    // The common ones here, not through further calls: nesting is bounded by the stack.
    if (tag === Tag.shaped)
      value = this.#plain(index, this.#shapes[this.uint32()] ?? this.fail("it has an unknown shape"));
    else if (tag === Tag.object) value = this.#plain(index, this.#newShape());
    else if (tag === Tag.array) value = this.array(index);
    else value = this.#contents(tag, index);
    this.#depth -= 1;
    return value;
  }

  #contents(tag: number, index: number): unknown {
    switch (tag) {
      case Tag.handle: {
        if (this.options.handles === false) this.fail("handles are not taken from strangers");
        const kind = this.text();
        if (typeof this.options.handles === "string" && kind !== this.options.handles) {
          this.fail(`a handle of the kind "${kind}" is not taken from strangers`);
        }
        return this.made(index, reviveHandle(kind, this.value()));
      }
      case Tag.error:
        return readError(this, index);
      case Tag.moduleReference:
      case Tag.builtinReference:
      case Tag.boundFunction:
      case Tag.sourceFunction:
        if (this.options.functions === false) this.fail("functions are not taken from strangers");
        return readFunction(this, tag, index);
      default:
        return readSpecial(this, tag, index);
    }
  }

  #deeper(read: () => unknown): void {
    if (++this.#depth > MAX_DEPTH + 2) this.fail("it is nested too deeply");
    read();
    this.#depth -= 1;
  }

  #newShape(): KnownShape {
    this.#need(8);
    const hash = this.#view.getInt32(this.#position, true);
    const byteLength = this.#view.getUint32(this.#position + 4, true);
    this.#position += 8;
    this.#need(byteLength);
    const start = this.#position;
    const shape = this.#knownShapes.find(hash, this.#view, start, byteLength) ?? this.#readShape(hash, byteLength);
    this.#position = start + byteLength;
    this.#shapes.push(shape);
    return shape;
  }

  #readShape(hash: number, byteLength: number): KnownShape {
    const start = this.#position;
    const end = start + byteLength;
    const keys: string[] = [];
    while (this.#position < end && this.#bytes[this.#position] !== 0) keys.push(this.text());
    if (this.#position > end) this.fail("it has keys that are too long");
    return this.#knownShapes.add(hash, this.#view, start, byteLength, keys);
  }

  #plain(index: number, shape: KnownShape): object {
    if (index === -1) {
      const { maker } = shape;
      if (maker !== undefined) return maker(this);
    }
    const { keys } = shape;
    const object: Record<string, unknown> = this.made(index, {});
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      const value = this.value();
      if (key === "__proto__") define(object, key, value);
      else object[key] = value;
    }
    return object;
  }

  array(index: number): unknown[] {
    const length = this.count();
    const array: unknown[] = this.made(index, []);
    for (let i = 0; i < length; i++) array.push(this.#element());
    return array;
  }

  map(index: number): Map<unknown, unknown> {
    const map = this.made(index, new Map<unknown, unknown>());
    const bytes = this.#bytes;
    const view = this.#view;
    const last = this.#limit - 10;
    for (let left = this.count(); left > 0; left--) {
      const at = this.#position;
      // Two integers at once, which is most of what long maps of numbers have.
      if (at <= last && bytes[at] === Tag.int32 && bytes[at + 5] === Tag.int32) {
        this.#position = at + 10;
        map.set(view.getInt32(at + 1, true), view.getInt32(at + 6, true));
      } else {
        const key = this.#element();
        map.set(key, this.#element());
      }
    }
    return map;
  }

  /** As `value`, for what comes in numbers: short enough for V8 to put it into loops, which makes numbers in them twice as fast. */
  #element(): unknown {
    const at = this.#position;
    if (this.#limit - at < 9) return this.value();
    const tag = this.#bytes[at] as number;
    if (tag >= Tag.smallInt) {
      this.#position = at + 1;
      return tag - Tag.smallInt;
    }
    if (tag === Tag.int32) {
      this.#position = at + 5;
      return this.#view.getInt32(at + 1, true);
    }
    if (tag === Tag.double) {
      this.#position = at + 9;
      return this.#view.getFloat64(at + 1, true);
    }
    return this.value();
  }

  #ref(): unknown {
    const index = this.uint32();
    const value = this.#objects[index];
    if (index >= this.#objects.length || value === PENDING) this.fail("it refers to an object that it does not have");
    return value;
  }

  #shortString(): string {
    const length = this.byte();
    this.#need(length);
    const start = this.#position;
    this.#position += length;
    if (length <= ShortStrings.MAX) return this.#strings.read(this.#bytes, start, length);
    return latin1Slice.call(this.#bytes, start, start + length);
  }

  #longString(tag: number): string {
    const length = this.uint32();
    const byteLength = tag === Tag.utf16 ? 2 * length : length;
    this.#need(byteLength);
    const start = this.#position;
    this.#position += byteLength;
    return (tag === Tag.utf16 ? ucs2Slice : latin1Slice).call(this.#bytes, start, start + byteLength);
  }

  #wellKnownSymbol(): symbol {
    const symbol: unknown = (Symbol as unknown as Record<string, unknown>)[this.text()];
    return typeof symbol === "symbol" ? symbol : this.fail("it has an unknown symbol");
  }

  #hugeBigint(): bigint {
    const text = this.text();
    if (!/^-?[0-9a-f]+$/.test(text)) this.fail("it has a number that is none");
    return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
  }
}

/** `object[key] = value` would set the prototype. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function explain(error: unknown): unknown {
  if (!(error instanceof RangeError) || isThrownByUser(error)) return error;
  return new SerializationError("Cannot read a message: it is damaged, or nested too deeply", { cause: error });
}
