/**
 * Many new short strings in one message, keys of a large Map say: a stretch of its bytes is made one text, and they are cut out of it.
 * That takes a tenth of the time of making each of its own bytes.
 */

const latin1Slice = Buffer.prototype.latin1Slice as (this: Uint8Array, start: number, end: number) => string;

/** Bytes of a stretch. */
const STRETCH = 4096;
/** New strings of a message before a stretch pays. */
const FEW = 16;

export class TextWindow {
  /** V8 copies what is cut out if it is no longer; anything longer would keep the whole stretch alive. */
  static readonly MAX = 12;

  #cuts = 0;
  #text = "";
  #start = 0;
  #end = 0;

  /** A string of at most `MAX` latin1 bytes; undefined while there were only few in this message. */
  cut(bytes: Uint8Array, start: number, length: number): string | undefined {
    if (++this.#cuts <= FEW) return undefined;
    if (start < this.#start || start + length > this.#end) {
      this.#start = start;
      this.#end = Math.min(start + STRETCH, bytes.length);
      this.#text = latin1Slice.call(bytes, start, this.#end);
    }
    return this.#text.slice(start - this.#start, start - this.#start + length);
  }

  /** Before the next message: its bytes are others. */
  close(): void {
    this.#cuts = 0;
    if (this.#end === 0) return;
    this.#text = "";
    this.#start = 0;
    this.#end = 0;
  }
}
