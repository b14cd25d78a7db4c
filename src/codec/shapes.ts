/** The key sequences of plain objects that are sent: written once a message, then named by number. */

import { HeapSink } from "../core/bytes.ts";
import { writeText } from "./write-text.ts";

export interface Shape {
  readonly keys: readonly string[];
  /** What follows the tag of the first object of its shape in a message: hash and length of the keys, the keys. */
  readonly head: Int32Array;
  /** The message it was last written in, and its number there. */
  message: number;
  index: number;
  /** How many of its objects were examined in that message. */
  examined: number;
}

const RECENT = 4;
/** How many keys are remembered in all shapes together. */
const MAX_KNOWN_KEYS = 20_000;

/** Finds the shape of a key sequence; remembers shapes across messages. */
export class ShapeTable {
  readonly #recent: Shape[] = [];
  #known = new Map<string, Shape>();
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
    // The length of each key makes the text unambiguous.
    const text = keys.map((key) => `${key.length}:${key}`).join();
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    this.#knownKeys += keys.length + 1;
    if (this.#knownKeys > MAX_KNOWN_KEYS) {
      this.#known = new Map();
      this.#knownKeys = keys.length + 1;
    }
    const shape = { keys, head: headOf(keys), message: -1, index: 0, examined: 0 };
    this.#known.set(text, shape);
    return shape;
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
