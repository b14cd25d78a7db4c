/** The key sequences of plain objects: written once a message, then named by number. */

export interface Shape {
  readonly keys: readonly string[];
  /** The message it was last written in, and its number there. */
  message: number;
  index: number;
  /** How many objects of this shape were looked at closely in this message. */
  examined: number;
  readonly hasProto: boolean;
}

const RECENT = 4;
const MAX_KNOWN = 2000;

/** Finds the shape of a key sequence; remembers shapes across messages. */
export class ShapeTable {
  readonly #recent: Shape[] = [];
  #known = new Map<string, Shape>();
  #next = 0;

  find(keys: readonly string[]): Shape {
    for (const shape of this.#recent) if (sameKeys(shape.keys, keys)) return shape;
    // The length of each key makes the text unambiguous.
    const text = keys.map((key) => `${key.length}:${key}`).join();
    let shape = this.#known.get(text);
    if (shape === undefined) {
      if (this.#known.size >= MAX_KNOWN) this.#known = new Map();
      shape = { keys, message: -1, index: 0, examined: 0, hasProto: keys.includes("__proto__") };
      this.#known.set(text, shape);
    }
    this.#recent[this.#next++ % RECENT] = shape;
    return shape;
  }
}

function sameKeys(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
