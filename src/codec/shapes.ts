/** The key sequences of plain objects that are sent: written once a message, then named by number. */

import { HeapSink } from "../core/bytes.ts";
import { type PropertiesWriter, propertiesWriterOf } from "./properties-writer.ts";
import { writeText } from "./write-text.ts";

/** Compiling takes as long as writing some hundred objects the other way. */
const USES_BEFORE_WRITER = 200;

export class Shape {
  readonly keys: readonly string[];
  /** What follows the tag of the first object of its shape in a message: hash and length of the keys, the keys. */
  readonly head: Int32Array;
  /** The message it was last written in, and its number there. */
  message = -1;
  index = 0;
  /** How many of its objects were examined in that message. */
  examined = 0;
  #uses = 0;
  #writer: PropertiesWriter | undefined;

  constructor(keys: readonly string[]) {
    this.keys = keys;
    this.head = headOf(keys);
  }

  /** A function that writes the properties of an object with these keys; not for one that is sent once in a while. */
  get writer(): PropertiesWriter | undefined {
    if (this.#writer === undefined && ++this.#uses % USES_BEFORE_WRITER === 0) {
      this.#writer = propertiesWriterOf(this.keys);
    }
    return this.#writer;
  }
}

const RECENT = 4;
/** How many keys are remembered in all shapes together. */
const MAX_KNOWN_KEYS = 20_000;

/** Finds the shape of a key sequence; remembers shapes across messages. */
export class ShapeTable {
  readonly #recent: Shape[] = [];
  #known = new KeyStep();
  #knownKeys = 0;
  #next = 0;

  find(keys: readonly string[]): Shape {
    const recent = this.#recent;
    for (let i = 0; i < recent.length; i++) {
      const shape = recent[i] as Shape;
      if (sameKeys(shape.keys, keys)) return shape;
    }
    const shape = this.#look(keys);
    recent[this.#next++ % RECENT] = shape;
    return shape;
  }

  #look(keys: readonly string[]): Shape {
    let step: KeyStep | undefined = this.#known;
    for (let i = 0; i < keys.length && step !== undefined; i++) step = step.to(keys[i] as string);
    return step?.shape ?? this.#add(keys);
  }

  #add(keys: readonly string[]): Shape {
    this.#knownKeys += keys.length + 1;
    if (this.#knownKeys > MAX_KNOWN_KEYS) {
      this.#known = new KeyStep();
      this.#knownKeys = keys.length + 1;
    }
    let step = this.#known;
    for (const key of keys) step = step.to(key) ?? step.extend(key);
    return (step.shape = new Shape(keys));
  }
}

/** Shapes stand in a tree of their keys. Most steps in it have one successor, which needs no map. */
class KeyStep {
  shape: Shape | undefined;
  #key: string | undefined;
  #next: KeyStep | undefined;
  #others: Map<string, KeyStep> | undefined;

  to(key: string): KeyStep | undefined {
    return key === this.#key ? this.#next : this.#others?.get(key);
  }

  extend(key: string): KeyStep {
    const next = new KeyStep();
    if (this.#key === undefined) {
      this.#key = key;
      this.#next = next;
    } else {
      this.#others ??= new Map();
      this.#others.set(key, next);
    }
    return next;
  }
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** As words, which are quicker to write and to compare than bytes. */
function headOf(keys: readonly string[]): Int32Array {
  const sink = new HeapSink();
  for (const key of keys) writeText(sink, key);
  const length = (sink.position + 3) & ~3;
  if (sink.limit < length) sink.grow(length - sink.position);
  sink.bytes.fill(0, sink.position, length);
  const head = new Int32Array(2 + length / 4);
  let hash = 0;
  for (let i = 2; i < head.length; i++) {
    head[i] = sink.view.getInt32(4 * i - 8, true);
    hash = (Math.imul(hash, 31) + (head[i] as number)) | 0;
  }
  head[0] = hash ^ (hash >>> 15);
  head[1] = length;
  return head;
}
