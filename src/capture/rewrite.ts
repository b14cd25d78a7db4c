/**
 * Replacements in a function's text that keep the position of everything else, so that stack traces stay true.
 *
 * A longer replacement takes the blanks behind it; only where there are none (a one-letter variable in minified code) do columns of
 * that one line shift.
 */

/** Replace `start` to `end` (offsets in the file) by `text`. */
export interface Replacement {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies replacements to the part of a source from `start` to `end`. They must not overlap. */
export function rewrite(source: string, start: number, end: number, replacements: readonly Replacement[]): string {
  if (replacements.length === 0) return source.slice(start, end);
  let out = "";
  let at = start;
  for (const replacement of [...replacements].sort((a, b) => a.start - b.start)) {
    if (replacement.start > at) out += source.slice(at, replacement.start);
    const from = Math.max(at, replacement.start);
    const space = replacement.end - from;
    out += replacement.text.padEnd(space);
    at = replacement.end;
    let owed = replacement.text.length - space;
    // Leave one blank: it may be what keeps two words apart.
    while (owed > 0 && source[at] === " " && (source[at + 1] === " " || /[^\w$\\]/.test(source[at + 1] ?? "x"))) {
      at++;
      owed--;
    }
  }
  return out + source.slice(at, end);
}

/** Blanks a stretch, keeping its line breaks. */
export function blank(source: string, start: number, end: number): Replacement {
  return { start, end, text: source.slice(start, end).replace(/[^\r\n\u2028\u2029]/g, " ") };
}

/** Gives out identifiers that occur nowhere in a text. */
export class FreshNames {
  readonly #taken: Set<string>;

  constructor(text: string) {
    this.#taken = new Set(text.match(/[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/gu));
  }

  /** An identifier of exactly this length, where there is one; else a longer one. */
  ofLength(length: number): string {
    for (let size = Math.max(1, length); ; size++) {
      for (let i = 0; i < 64 ** Math.min(size, 2); i++) {
        const name = nameOf(i, size);
        if (this.#taken.has(name) || RESERVED.has(name)) continue;
        this.#taken.add(name);
        return name;
      }
    }
  }
}

const FIRST = "$_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const RESERVED = new Set(["do", "if", "in", "of", "as"]);

function nameOf(index: number, size: number): string {
  const letter = FIRST[index % FIRST.length] as string;
  if (size === 1) return index < FIRST.length ? letter : "$";
  // `$a_____`: never a reserved word, easily told from what people write.
  return (
    `$${letter}${"_".repeat(size)}`.slice(0, size - 1) +
    (size > 2 ? FIRST[Math.floor(index / FIRST.length) % FIRST.length] : letter)
  );
}
