/** Values to bytes. Plain data takes the short way in this file; everything else has a file of its own. */

import type { ByteSink } from "../core/bytes.ts";
import { SerializationError } from "../core/errors.ts";
import { type Handle, type HandleTransfer, isHandle, TO_HANDLE } from "../core/handle.ts";
import * as types from "node:util/types";
import type { ModuleReference } from "../capture/image.ts";
import { functionSource } from "./function-source.ts";
import { writeFunction } from "./encode-function.ts";
import { writeSpecial } from "./encode-special.ts";
import { hasOnlyKeys, isData, isDense } from "./ordinary.ts";
import { Seen } from "./seen.ts";
import { type Shape, ShapeTable } from "./shapes.ts";
import { Flag, HEADER_BYTES, MAX_DEPTH, SMALL_INTS, Tag, VERSION } from "./wire.ts";
import { writeText } from "./write-text.ts";
import type { Checkpoint, EncodeOptions, FunctionSource, Writer } from "./writer.ts";

/** What a message took that must be undone if it is never delivered. */
export interface Encoded {
  readonly transfers: readonly HandleTransfer[];
}

/**
 * Of how many objects with the same keys the properties are examined in each message; the others are taken to be data, too.
 * So a getter or a read-only property among later ones arrives as a usual property with its value. Symbols, hidden properties
 * and frozen objects are never missed.
 */
const EXAMINED_PER_SHAPE = 8;

/** Of more functions that capture each other, the message of an error names the first and last ones. */
const MAX_CAPTORS = 5;

export class Encoder implements Writer {
  options: EncodeOptions = {};
  busy = false;
  #sink!: ByteSink;
  #start = 0;
  #depth = 0;
  #message = 0;
  #shapeCount = 0;
  #flags = 0;
  readonly #captors: string[] = [];
  #root = "";
  readonly #keys: (string | number)[] = [];
  readonly #seen = new Seen();
  readonly #shapes = new ShapeTable();
  readonly #messageShapes: Shape[] = [];
  #modules: ModuleReference[] = [];
  #transfers: HandleTransfer[] = [];
  #cells: object[] = [];

  /** Writes a message. When it fails, the sink's position is where it was, and what was taken is given back. */
  encode(
    sink: ByteSink,
    options: EncodeOptions,
    value: unknown,
    write?: (writer: Writer, value: unknown) => void,
  ): Encoded | undefined {
    this.#begin(sink, options);
    try {
      if (write === undefined) this.value(value);
      else write(this, value);
      this.#finish();
      return this.#transfers.length === 0 ? undefined : { transfers: this.#transfers };
    } catch (error) {
      sink.position = this.#start;
      for (const transfer of this.#transfers) transfer.abort?.();
      throw this.#explain(error);
    } finally {
      this.#end();
    }
  }

  #begin(sink: ByteSink, options: EncodeOptions): void {
    this.busy = true;
    this.options = options;
    this.#sink = sink;
    this.#start = sink.position;
    this.#depth = 0;
    this.#message += 1;
    this.#shapeCount = 0;
    this.#flags = 0;
    this.#root = options.root ?? "";
    this.#captors.length = 0;
    if (sink.limit - sink.position < HEADER_BYTES) sink.grow(HEADER_BYTES);
    sink.position += HEADER_BYTES;
  }

  #finish(): void {
    const modules = this.#modules;
    const at = this.length;
    if (modules.length > 0) {
      this.#flags |= Flag.modules;
      this.text(JSON.stringify(modules));
    }
    const { view } = this.#sink;
    view.setUint32(this.#start, VERSION | (this.#flags << 8), true);
    view.setUint32(this.#start + 4, at, true);
  }

  #end(): void {
    this.busy = false;
    this.#seen.clear();
    while (this.#messageShapes.length > 0) this.#messageShapes.pop();
    if (this.#modules.length > 0) this.#modules = [];
    if (this.#transfers.length > 0) this.#transfers = [];
    if (this.#cells.length > 0) this.#cells = [];
    this.#sink = undefined as never;
  }

  /** With a stack that begins where the value was sent: from here on it is the way through the value, which may be long. */
  #explain(error: unknown): unknown {
    let problem = error;
    if (error instanceof RangeError && /call stack/i.test(error.message)) {
      problem = new SerializationError(`Cannot send ${this.#describe()}: it is nested too deeply`, {
        path: this.path(),
      });
    }
    if (!(problem instanceof SerializationError) || problem.path === undefined) return problem;
    const start = `Cannot send \`${problem.path}\`:`;
    // Of a function that cannot travel, its analysis knows the name alone.
    if (this.#captors.length > 0 && problem.message.startsWith(start))
      problem.message = `Cannot send ${this.#chain(problem.path)}:${problem.message.slice(start.length)}`;
    Error.captureStackTrace(problem, this.encode);
    return problem;
  }

  byte(value: number): void {
    const sink = this.#sink;
    if (sink.position === sink.limit) sink.grow(1);
    sink.bytes[sink.position++] = value;
  }

  uint32(value: number): void {
    const sink = this.#sink;
    if (sink.limit - sink.position < 4) sink.grow(4);
    sink.view.setUint32(sink.position, value, true);
    sink.position += 4;
  }

  double(value: number): void {
    const sink = this.#sink;
    if (sink.limit - sink.position < 8) sink.grow(8);
    sink.view.setFloat64(sink.position, value, true);
    sink.position += 8;
  }

  raw(bytes: Uint8Array): void {
    const sink = this.#sink;
    if (sink.limit - sink.position < bytes.length) sink.grow(bytes.length);
    sink.bytes.set(bytes, sink.position);
    sink.position += bytes.length;
  }

  /** A string with its tag. */
  text(value: string): void {
    writeText(this.#sink, value);
  }

  value(value: unknown): void {
    switch (typeof value) {
      case "number":
        return this.#numeric(value);
      case "string":
        return this.text(value);
      case "boolean":
        return this.byte(value ? Tag.true : Tag.false);
      case "undefined":
        return this.byte(Tag.undefined);
      case "object":
        return value === null ? this.byte(Tag.null) : this.#object(value);
      case "bigint":
        return this.#bigint(value);
      case "symbol":
        return this.#symbol(value);
      default:
        return this.#function(value as Function);
    }
  }

  simple(value: unknown): boolean {
    if (typeof value === "number") this.#numeric(value);
    else if (typeof value === "string") this.text(value);
    else if (typeof value === "boolean" || value === undefined) this.value(value);
    else return false;
    return true;
  }

  #numeric(value: number): void {
    const sink = this.#sink;
    if (sink.limit - sink.position < 9) sink.grow(9);
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0 && value < SMALL_INTS) {
        sink.bytes[sink.position++] = Tag.smallInt + value;
      } else {
        sink.bytes[sink.position] = Tag.int32;
        sink.view.setInt32(sink.position + 1, value, true);
        sink.position += 5;
      }
    } else {
      sink.bytes[sink.position] = Tag.double;
      sink.view.setFloat64(sink.position + 1, value, true);
      sink.position += 9;
    }
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) === value) {
      const sink = this.#sink;
      if (sink.limit - sink.position < 9) sink.grow(9);
      sink.bytes[sink.position] = Tag.bigint;
      sink.view.setBigInt64(sink.position + 1, value, true);
      sink.position += 9;
    } else {
      this.byte(Tag.hugeBigint);
      this.text(value.toString(16));
    }
  }

  #symbol(value: symbol): void {
    const registered = Symbol.keyFor(value);
    if (registered !== undefined) {
      this.byte(Tag.registeredSymbol);
      return this.text(registered);
    }
    const name = value.description ?? "";
    if (name.startsWith("Symbol.") && (Symbol as unknown as Record<string, unknown>)[name.slice(7)] === value) {
      this.byte(Tag.wellKnownSymbol);
      return this.text(name.slice(7));
    }
    if (this.#reference(value)) return;
    this.number(value);
    this.byte(Tag.uniqueSymbol);
    this.value(value.description);
  }

  #function(value: Function): void {
    if (this.#reference(value)) return;
    if (isHandle(value)) return this.#handle(value);
    if (this.options.functions === false) this.refuse("functions are not sent to strangers");
    this.#enter();
    const holder = this.#holder;
    this.#holder = undefined;
    writeFunction(this, value, holder);
    this.#depth -= 1;
  }

  /** The object whose property is being written, for arrows in class fields. */
  #holder: object | undefined;

  #object(value: object): void {
    const prototype = types.isProxy(value) ? undefined : (Object.getPrototypeOf(value) as object | null);
    const isPlain = prototype === Object.prototype;
    if (isPlain || (prototype === Array.prototype && Array.isArray(value))) {
      const number = this.#seen.enter(value);
      if (number !== -1) return this.#writeReference(number);
      this.#enter();
      if (isPlain) this.#plain(value as Record<string, unknown>);
      else this.#array(value as unknown[]);
    } else {
      if (this.#reference(value)) return;
      this.#enter();
      if (prototype === undefined && !isHandle(value)) this.refuse("it is a Proxy");
      this.#unusual(value);
    }
    this.#depth -= 1;
  }

  #unusual(value: object): void {
    if (isHandle(value)) this.#handle(value);
    else writeSpecial(this, value);
  }

  /** A plain object or array that turns out to be more: it is numbered when its kind is written. */
  #notOrdinary(value: object): void {
    this.#seen.removeLast(value);
    this.#unusual(value);
  }

  #enter(): void {
    this.#keys[++this.#depth] = undefined as never;
    if (this.#depth > MAX_DEPTH) this.refuse(`it is nested more than ${MAX_DEPTH} levels deep`);
  }

  /** Writes a reference if the message has the object already. */
  #reference(value: unknown): boolean {
    const number = this.#seen.find(value);
    if (number === -1) return false;
    this.#writeReference(number);
    return true;
  }

  #writeReference(number: number): void {
    this.#flags |= Flag.references;
    this.byte(Tag.ref);
    this.uint32(number);
  }

  #plain(value: Record<string, unknown>): void {
    const keys = Object.keys(value);
    if (!hasOnlyKeys(value, keys)) return this.#notOrdinary(value);
    const shape = this.#shapes.find(keys);
    const isNew = shape.message !== this.#message;
    if (isNew || shape.examined < EXAMINED_PER_SHAPE) {
      if (!isData(value, keys)) return this.#notOrdinary(value);
      shape.examined = isNew ? 1 : shape.examined + 1;
    }
    if (isNew) this.#newShape(shape);
    else {
      this.byte(Tag.shaped);
      this.uint32(shape.index);
    }
    const { writer } = shape;
    if (writer !== undefined) return writer(this, value);
    for (let i = 0; i < keys.length; i++) this.property(value, keys[i] as string, value[keys[i] as string]);
  }

  property(holder: object, key: string, value: unknown): void {
    if (this.simple(value)) return;
    this.#keys[this.#depth] = key;
    if (typeof value === "function") this.#holder = holder;
    this.value(value);
  }

  #newShape(shape: Shape): void {
    shape.message = this.#message;
    shape.index = this.#shapeCount++;
    this.#messageShapes.push(shape);
    const { head } = shape;
    const { length } = head;
    this.byte(Tag.object);
    const sink = this.#sink;
    if (sink.limit - sink.position < 4 * length) sink.grow(4 * length);
    const { view, position } = sink;
    for (let i = 0; i < length; i++) view.setInt32(position + 4 * i, head[i] as number, true);
    sink.position = position + 4 * length;
  }

  #array(value: unknown[]): void {
    const { length } = value;
    if (!isDense(value)) return this.#notOrdinary(value);
    this.byte(Tag.array);
    this.uint32(length);
    for (let i = 0; i < length; i++) {
      const element = value[i];
      if (this.simple(element)) continue;
      this.#keys[this.#depth] = i;
      this.value(element);
    }
  }

  #handle(value: Handle): void {
    if (this.options.handles === false) this.refuse("locks, queues and other shared objects are not sent to strangers");
    const transfer = value[TO_HANDLE]();
    const { handles } = this.options;
    if (typeof handles === "string" && transfer.tag !== handles) {
      transfer.abort?.();
      this.refuse(`a handle of the kind "${transfer.tag}" is not sent to strangers`);
    }
    this.takeTransfer(transfer);
    this.#flags |= Flag.handles;
    this.number(value);
    this.byte(Tag.handle);
    this.text(transfer.tag);
    this.value(transfer.data);
  }

  child(key: string | number, value: unknown, holder?: object): void {
    this.#keys[this.#depth] = key;
    this.#holder = holder;
    this.value(value);
  }

  number(value: unknown): void {
    this.#seen.add(value);
  }

  numberOf(value: unknown): number {
    return this.#seen.find(value);
  }

  hole(): number {
    const at = this.length;
    this.uint32(0);
    return at;
  }

  fill(hole: number, value: number): void {
    this.#sink.view.setUint32(this.#start + hole, value, true);
  }

  get length(): number {
    return this.#sink.position - this.#start;
  }

  checkpoint(): Checkpoint {
    return {
      position: this.length,
      objects: this.#seen.count,
      shapes: this.#messageShapes.length,
      modules: this.#modules.length,
      transfers: this.#transfers.length,
      cells: this.#cells.length,
    };
  }

  rollback({ position, objects, shapes, modules, transfers, cells }: Checkpoint): void {
    this.#sink.position = this.#start + position;
    this.#seen.cutTo(objects);
    for (const shape of this.#messageShapes.splice(shapes)) shape.message = -1;
    this.#shapeCount = shapes;
    this.#modules.length = modules;
    for (const transfer of this.#transfers.splice(transfers)) transfer.abort?.();
    this.#cells.length = cells;
  }

  needModule(module: ModuleReference): void {
    this.#modules.push(module);
  }

  takeTransfer(transfer: HandleTransfer): void {
    this.#transfers.push(transfer);
  }

  cellIndex(cell: object): number {
    const known = this.#cells.indexOf(cell);
    return known === -1 ? this.#cells.push(cell) - 1 : known;
  }

  path(): string {
    let path = this.#root;
    for (let i = 1; i <= this.#depth; i++) {
      const key = this.#keys[i];
      if (key === undefined) continue;
      if (typeof key === "number") path += `[${i === 1 ? key + (this.options.firstIndex ?? 0) : key}]`;
      else if (/^[\w$]+$/.test(key)) path += path === "" ? key : `.${key}`;
      else path += key.startsWith("[") || key.startsWith("(") ? key : `[${JSON.stringify(key)}]`;
    }
    return path;
  }

  under(name: string, captor: string, write: () => void): void {
    const before = { root: this.#root, keys: this.#keys.slice(0, this.#depth + 1) };
    // The outermost function goes by its name, the others by where they were found.
    this.#captors.push(this.#captors.length === 0 ? captor : this.path());
    this.#root = name;
    this.#keys.fill(undefined as never, 0, this.#depth + 1);
    write();
    this.#captors.pop();
    this.#root = before.root;
    before.keys.forEach((key, i) => (this.#keys[i] = key));
  }

  refuse(why: string): never {
    throw new SerializationError(`Cannot send ${this.#describe()}: ${why}`, { path: this.path() });
  }

  #describe(): string {
    return this.#chain(this.path() || "the value");
  }

  #chain(path: string): string {
    const captors = this.#captors;
    const shown = captors.length > MAX_CAPTORS ? [...captors.slice(0, 2), "…", ...captors.slice(-2)] : captors;
    return [...shown, path].map((each) => `\`${each}\``).join(", which captures ");
  }

  functionSource(): FunctionSource {
    return functionSource();
  }
}
