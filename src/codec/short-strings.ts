/**
 * Short strings read before: keys and enumeration-like values come again and again, and a string out of this table is
 * the very one that V8 knows as a key, so objects made with it share their hidden class.
 */

import { TextWindow } from "./text-window.ts";

const SLOTS = 1024;

export class ShortStrings {
  /** Longer ones are not looked up. */
  static readonly MAX = 16;

  readonly #window = new TextWindow();
  readonly #table: (string | undefined)[] = Array.from({ length: SLOTS }, () => undefined);

  read(bytes: Uint8Array, start: number, length: number): string {
    let hash = length;
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + (bytes[start + i] as number)) | 0;
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#table[slot];
    if (known !== undefined && known.length === length && matches(known, bytes, start)) return known;
    const cut = length <= TextWindow.MAX ? this.#window.cut(bytes, start, length) : undefined;
    return (this.#table[slot] = cut ?? made(bytes, start, length));
  }

  /** The message has been read. */
  endMessage(): void {
    this.#window.close();
  }
}

function made(bytes: Uint8Array, start: number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(bytes[start + i] as number);
  return text;
}

function matches(text: string, bytes: Uint8Array, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
