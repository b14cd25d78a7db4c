/**
 * The shortest way: small functions such as `(a, b) => a + b`, whose every word is a parameter, a property, a keyword, or a global that its file
 * never declares. Needs neither the parser nor the inspector: only the text, and the files on the stack.
 */

import { definitionId } from "./definition-id.ts";
import type { FunctionDefinition } from "./image.ts";
import { lineOf } from "./plain-function.ts";
import { isBare } from "./properties.ts";
import { filesOnStack, lineStarts, readText } from "./scripts.ts";

/** Parameters that are plain names: in scope in the whole body, nothing to evaluate. */
const ARROW = /^(?:async\s*)?(?:\(([\w$,\s]*)\)|([A-Za-z_$][\w$]*))\s*=>/;
const FUNCTION = /^(?:async\s+)?function\s*\*?\s*\(([\w$,\s]*)\)/;
/** Words with what stands before them: `.name` is a property, `...name` is not. */
const WORDS = /(\.{0,3})(?<![\w$])([A-Za-z_$][\w$]*)/g;
const KEYWORDS = new Set(
  `async await break case continue default do else false for function if in instanceof new null of return switch throw true typeof
  undefined void while yield`.split(/\s+/),
);
const GLOBALS = new Set(
  "Array BigInt Boolean Date Infinity JSON Math NaN Number Object String isNaN parseFloat parseInt".split(" "),
);

/** The definition of a function that plainly needs nothing; undefined wherever there is any doubt. */
export function selfContained(fn: Function, text: string): FunctionDefinition | undefined {
  const arrow = ARROW.exec(text);
  const head = arrow ?? FUNCTION.exec(text);
  if (
    head === null ||
    /\bnew\s*\./.test(text) ||
    fn.name === "async" ||
    /[^\0-\x7f]|[\\#`'"/]/.test(withoutNumbers(text)) ||
    !isBare(fn)
  )
    return undefined;
  const parameters = new Set((head[1] ?? head[2] ?? "").split(",").map((name) => name.trim()));
  const globals = new Set<string>();
  for (const [, dots, word] of text.matchAll(WORDS) as Iterable<[string, string, string]>) {
    if (dots === "." || KEYWORDS.has(word) || parameters.has(word)) continue;
    if (!GLOBALS.has(word)) return undefined;
    globals.add(word);
  }
  const place = placeOf(text);
  if (place === undefined || ![...globals].every((name) => isNeverDeclared(place.source, name))) return undefined;
  const lines = lineStarts(place.source);
  const line = lineOf(lines, place.start);
  const isModule = /^\s*(?:import|export)\b/m.test(place.source);
  // Only functions that are no arrows differ in sloppy mode, and these have a property that tells.
  const strict = !Object.hasOwn(fn, "caller");
  const syntax = arrow === null ? "function" : "arrow";
  const { url } = place;
  const column = place.start - (lines[line] as number);
  const parts = { source: text, syntax, name: fn.name, url, line, column, strict, isModule } as const;
  const definition = { ...parts, variables: [], keyParameters: [] };
  return { id: definitionId(definition), ...definition };
}

/** Strings of digits, as in `Number("3")`, hold no words. */
function withoutNumbers(text: string): string {
  return text.replace(/(["'])[\d.]*\1| \/ /g, "");
}

/** The only place in the files on the stack where this text stands. */
function placeOf(text: string): { url: string; source: string; start: number } | undefined {
  let place: { url: string; source: string; start: number } | undefined;
  for (const url of filesOnStack()) {
    const source = readText(url);
    const start = source?.indexOf(text) ?? -1;
    if (source === undefined || start === -1) continue;
    if (place !== undefined || source.indexOf(text, start + 1) !== -1) return undefined;
    place = { url, source, start };
  }
  return place;
}

/** Every time that the file names it, it uses it: `Math.`, `Number(`. */
function isNeverDeclared(source: string, name: string): boolean {
  const uses = source.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0;
  const plain = source.match(new RegExp(`(?<!function\\*?\\s*|class\\s+)\\b${name}\\s*[.(]`, "g"))?.length ?? 0;
  return uses === plain;
}
