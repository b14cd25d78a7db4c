/**
 * The short way for functions that take nothing from outside: no parser, a few hundred microseconds at the first send.
 *
 * Every word of the text is looked for in the scopes that V8 shows. If none is there, and none means the surroundings, the function
 * captures nothing, whatever its text means exactly. In doubt the answer is undefined, and the analysis decides.
 */

import { definitionId } from "./definition-id.ts";
import { userGlobals } from "./global-names.ts";
import type { FunctionDefinition } from "./image.ts";
import type { FunctionFacts } from "./inspector.ts";
import { isBare } from "./properties.ts";
import { addressOnStack, findText, lineStarts, readText, rememberMapOnDisk } from "./scripts.ts";

// Plain ASCII: matching by Unicode properties costs more than all the rest of this file. Other texts go the long way.
const WORDS = /[A-Za-z_$][\w$]*/g;
const ARROW = /^(?:async\s*)?(?:\(|[A-Za-z_$][\w$]*\s*=>)/;
const OTHER = /[^\0-\x7f]|\\u|#/;
const FUNCTION = /^(?:async\s+)?function\b/;
/** Words that mean the file or the function around. */
const SURROUNDINGS = ["super", "eval", "import", "require", "module", "exports", "__dirname", "__filename", "target"];
const STRICT_FILE = /^(?:#!.*\n)?(?:\s|\/\/.*\n|\/\*[^]*?\*\/)*["']use strict["']/;

/** The definition of a function that captures nothing; undefined if it may capture something. */
export function plainDefinition(fn: Function, text: string, facts: FunctionFacts): FunctionDefinition | undefined {
  const syntax = FUNCTION.test(text) ? "function" : ARROW.test(text) && fn.name !== "async" ? "arrow" : undefined;
  if (syntax === undefined || !isBare(fn) || OTHER.test(text)) return undefined;
  const words = new Set(text.match(WORDS));
  if (SURROUNDINGS.some((word) => words.has(word))) return undefined;
  if (syntax === "arrow" && (words.has("this") || words.has("arguments"))) return undefined;
  const { location, scopes } = facts;
  if (location === undefined) return undefined;
  for (const { type, values } of scopes) {
    if (type !== "Global" && Object.keys(values).some((name) => words.has(name))) return undefined;
  }
  if (userGlobals().some((name) => words.has(name))) return undefined;
  const url = addressOnStack(location, text);
  const source = url === undefined ? undefined : readText(url);
  if (url === undefined || source === undefined) return undefined;
  const lines = lineStarts(source);
  const start = findText(source, lines, location, text);
  const isModule = scopes.some(({ type }) => type === "Module");
  const strict = isModule || STRICT_FILE.test(source);
  if (start === undefined || (!strict && source.includes("use strict"))) return undefined;
  rememberMapOnDisk(url, source);
  const line = lineOf(lines, start);
  const column = start - (lines[line] as number);
  const parts = { source: text, syntax, name: fn.name, url, line, column, strict, isModule } as const;
  const definition = { ...parts, variables: [], keyParameters: [] };
  return { id: definitionId(definition), ...definition };
}

/** The line in which an offset stands. */
export function lineOf(lines: readonly number[], offset: number): number {
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lines[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
