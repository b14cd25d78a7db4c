import { StateError } from "../core/errors.ts";
import { defineHandle, type HandleTransfer, registerHandle } from "../core/handle.ts";
import { checkKnownOptions, checkObject, rangeError, typeError } from "../core/options.ts";
import { giveIndexedAccess } from "./indexed-access.ts";
import { checkShareable, type ShareableValue } from "./shareable-layout.ts";
import { ShareableSlots } from "./shareable-slots.ts";
import { memoryWith, SharedMemory } from "./shared-memory.ts";

const TAG = "ShareableList";

/** What `new ShareableList` takes beside the elements. */
export interface ShareableListOptions {
  /** A name in the system, for processes of other programs; without it the list is for this program. */
  readonly name?: string | undefined;
}

/** A list that is there already, to make a handle for. */
class Existing {
  readonly memory: SharedMemory;

  constructor(memory: SharedMemory) {
    this.memory = memory;
  }
}

/** The lists that stand for the memories of this process. */
const lists = new WeakMap<SharedMemory, ShareableList>();

/**
 * A list of fixed length in shared memory whose elements are numbers, bigints (of 64 bits), booleans, texts, bytes or null,
 * mixed. An element may change its type; the room for texts and bytes stays what the first value got: its bytes (UTF-8),
 * rounded up to more than that by at most 8. What is longer is refused, as is an index that does not exist (RangeError).
 *
 * Each read and each write of an element is atomic.
 *
 * @example
 * ```ts
 * import { Process, ShareableList } from "multiproc";
 *
 * const list = new ShareableList(["hello", 1, null, true]);
 * const child = new Process(() => {
 *   list[0] = "bye";
 *   list[1] = 2;
 * }).start();
 * await child.join();
 * console.log([...list].join(" ")); // bye 2  true
 * ```
 */
export class ShareableList {
  /** An element: an index that does not exist, and a value that does not fit, are refused. */
  [index: number]: ShareableValue;

  readonly #memory: SharedMemory;
  #slots: ShareableSlots | undefined;

  static {
    defineHandle(ShareableList, (list) => list.#transfer());
    giveIndexedAccess<ShareableList>(ShareableList, {
      has: (object): object is ShareableList => #memory in object,
      get: (list, index) => list.#read(index),
      set: (list, index, value) => list.#write(index, value),
    });
  }

  /** @param sequence The elements; another ShareableList is copied. */
  constructor(sequence: Iterable<ShareableValue>, options?: ShareableListOptions);
  /** Opens the list that has a name. */
  constructor(options: { readonly name: string });
  constructor(source: Iterable<ShareableValue> | { readonly name: string } | Existing, options?: ShareableListOptions) {
    if (source instanceof Existing) {
      this.#memory = source.memory;
      this.#slots = new ShareableSlots(this.#memory.buffer);
    } else if (typeof source === "object" && source !== null && !(Symbol.iterator in source)) {
      checkKnownOptions("ShareableList", source, ["name"]);
      this.#memory = new SharedMemory({ name: source.name });
      this.#slots = openSlots(this.#memory);
    } else {
      const contents = ShareableSlots.format(checkedValues(source));
      this.#memory = memoryWith(contents, nameIn(options));
      this.#slots = new ShareableSlots(this.#memory.buffer);
    }
    lists.set(this.#memory, this);
  }

  /** How many elements there are; never changes. */
  get length(): number {
    return this.#open().length;
  }

  /** The memory that the list stands in: for its `name`, and to `unlink()` a list that has one. */
  get memory(): SharedMemory {
    return this.#memory;
  }

  /** An element; a negative index counts from the end. */
  at(index: number): ShareableValue {
    return this.#read(index < 0 ? index + this.length : index);
  }

  /** Writes an element; a negative index counts from the end. */
  set(index: number, value: ShareableValue): void {
    this.#write(index < 0 ? index + this.length : index, value);
  }

  /** How many elements equal the value; bytes are compared by content. */
  count(value: ShareableValue): number {
    let found = 0;
    for (const each of this) if (isSame(each, value)) found += 1;
    return found;
  }

  /** The first index, from `from` on, of an element that equals the value; -1 if there is none. */
  indexOf(value: ShareableValue, from = 0): number {
    for (let i = Math.max(0, from < 0 ? from + this.length : from); i < this.length; i++) {
      if (isSame(this.#read(i), value)) return i;
    }
    return -1;
  }

  /** True if an element equals the value. */
  includes(value: ShareableValue): boolean {
    return this.indexOf(value) !== -1;
  }

  /** Copies the elements into an ordinary array. */
  toArray(): ShareableValue[] {
    return [...this];
  }

  *[Symbol.iterator](): IterableIterator<ShareableValue> {
    for (let i = 0; i < this.length; i++) yield this.#read(i);
  }

  /** Lets go of the memory in this process. Repeatable; any other use afterwards throws. */
  close(): void {
    this.#slots = undefined;
    this.#memory.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #open(): ShareableSlots {
    if (this.#slots === undefined) throw new StateError("Cannot use this ShareableList: it is closed");
    return this.#slots;
  }

  #read(index: number): ShareableValue {
    return this.#open().read(this.#checked(index));
  }

  #write(index: number, value: unknown): void {
    checkShareable("value", value);
    this.#open().write(this.#checked(index), value);
  }

  #checked(index: number): number {
    if (typeof index !== "number") throw typeError("index", "a number", index);
    if (Number.isInteger(index) && index >= 0 && index < this.length) return index;
    throw rangeError("index", `an integer from 0 to ${this.length - 1}`, index);
  }

  #transfer(): HandleTransfer {
    this.#open();
    return { tag: TAG, data: this.#memory };
  }
}

function openSlots(memory: SharedMemory): ShareableSlots {
  try {
    return new ShareableSlots(memory.buffer);
  } catch (error) {
    memory.close();
    throw error;
  }
}

function checkedValues(source: unknown): ShareableValue[] {
  const iterable = typeof source === "object" && source !== null && Symbol.iterator in source;
  if (!iterable) throw typeError("sequence", "an array or other iterable, or { name }", source);
  const values = Array.from(source as Iterable<unknown>);
  values.forEach((value, i) => checkShareable(`sequence[${i}]`, value));
  return values as ShareableValue[];
}

function nameIn(options: ShareableListOptions | undefined): string | undefined {
  if (options === undefined) return undefined;
  checkObject("options", options);
  checkKnownOptions("ShareableList", options, ["name"]);
  return options.name;
}

function isSame(a: ShareableValue, b: ShareableValue): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  return a === b;
}

registerHandle(TAG, (memory: SharedMemory) => lists.get(memory) ?? new ShareableList(new Existing(memory) as never));
