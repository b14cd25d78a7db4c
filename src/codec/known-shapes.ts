/**
 * The key sequences of plain objects that were received before. Their bytes are compared, not read: an object with known
 * keys is made by a function of its own, as fast as its literal in the source.
 */

import { type Maker, makerOf } from "./object-maker.ts";

export class KnownShape {
  readonly keys: readonly string[];
  readonly #words: Int32Array;
  #uses = 0;
  #maker: Maker | undefined;

  constructor(keys: readonly string[], words: Int32Array) {
    this.keys = keys;
    this.#words = words;
  }

  /** True when these bytes are its keys. */
  matches(view: DataView, start: number, byteLength: number): boolean {
    const words = this.#words;
    if (byteLength !== 4 * words.length) return false;
    for (let i = 0; i < words.length; i++) if (view.getInt32(start + 4 * i, true) !== words[i]) return false;
    return true;
  }

  /** A function that makes an object of this shape out of the values that follow; not for one that is made once in a while. */
  get maker(): Maker | undefined {
    if (this.#maker === undefined && ++this.#uses % USES_BEFORE_MAKER === 0) this.#maker = makerOf(this.keys);
    return this.#maker;
  }
}

/** Compiling takes as long as making this many objects the other way. */
const USES_BEFORE_MAKER = 100;
const SLOTS = 256;
/** Longer ones are rather tables than records, and hardly come again. */
const MAX_BYTES = 4096;

export class KnownShapes {
  readonly #slots: (KnownShape | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  find(hash: number, view: DataView, start: number, byteLength: number): KnownShape | undefined {
    const shape = this.#slots[hash & (SLOTS - 1)];
    return shape?.matches(view, start, byteLength) === true ? shape : undefined;
  }

  add(hash: number, view: DataView, start: number, byteLength: number, keys: readonly string[]): KnownShape {
    const words = new Int32Array(byteLength >> 2);
    for (let i = 0; i < words.length; i++) words[i] = view.getInt32(start + 4 * i, true);
    const shape = new KnownShape(keys, words);
    if (byteLength <= MAX_BYTES) this.#slots[hash & (SLOTS - 1)] = shape;
    return shape;
  }
}
