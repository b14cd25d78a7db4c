/** Finds a function in its file and analyses it there; one analysis for each place and name. */

import { SerializationError } from "../core/errors.ts";
import { type Analysis, analyse, type Place } from "./definition.ts";
import { GLOBAL_NAMES } from "./global-names.ts";
import type { FunctionFacts, ScopeValues } from "./inspector.ts";
import { lineOf } from "./plain-function.ts";
import { inherits } from "./properties.ts";
import type { FunctionSite, FileScopes } from "./scope-tree.ts";
import { analyseText, findText, type ScriptRecord } from "./scripts.ts";

const analyses = new WeakMap<ScriptRecord, Map<string, Analysis>>();

/** The innermost scope that has a variable of this name; the global object does not count. */
export function scopeWith(scopes: readonly ScopeValues[], name: string): ScopeValues | undefined {
  return scopes.find(({ type, values }) => type !== "Global" && Object.hasOwn(values, name));
}

/** The analysis of a function whose script is known. */
export function analysisOf(
  fn: Function,
  text: string,
  facts: FunctionFacts,
  record: ScriptRecord,
  path: string,
): Analysis {
  const { lineNumber = 0, columnNumber = 0 } = facts.location ?? {};
  const name = nameOf(fn);
  const isHeir = !text.startsWith("class") && inherits(Object.getOwnPropertyDescriptor(fn, "prototype")?.value);
  const key = `${lineNumber}:${columnNumber}:${text.length}:${isHeir}:${name}`;
  let known = analyses.get(record);
  if (known === undefined) analyses.set(record, (known = new Map()));
  let analysis = known.get(key);
  if (analysis === undefined) {
    const found = findInFile(text, facts, record) ?? parseAlone(text, record.isModule);
    if (found === undefined)
      throw new SerializationError(`Cannot send \`${path}\`: its text cannot be parsed`, { path });
    const { scopes, site, source } = found;
    const start = found.offset ?? findText(record.source, record.lines, facts.location ?? NOWHERE, text) ?? -1;
    const line = start === -1 ? lineNumber : lineOf(record.lines, start);
    const column = start === -1 ? columnNumber : start - (record.lines[line] as number);
    const { url, isModule } = record;
    const isKnown = (wanted: string): "scope" | "global" | undefined =>
      scopeWith(facts.scopes, wanted) !== undefined
        ? "scope"
        : !GLOBAL_NAMES.has(wanted) && wanted in globalThis
          ? "global"
          : undefined;
    const valueOf = (wanted: string): unknown => {
      try {
        return scopeWith(facts.scopes, wanted)?.values[wanted];
      } catch {
        return undefined; // not initialised yet
      }
    };
    const place: Place = {
      url,
      isModule,
      scopes,
      source,
      site,
      line,
      column,
      name,
      isKnown,
      valueOf,
      inherits: isHeir,
    };
    analysis = analyse(place, path);
    known.set(key, analysis);
  }
  return analysis;
}

const NOWHERE = { scriptId: "", lineNumber: 0, columnNumber: 0 };

/** `name`, unless a static member of the class hides it. */
function nameOf(fn: Function): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, "name")?.value;
  return typeof name === "string" ? name : "";
}

interface Found {
  readonly scopes: FileScopes;
  readonly site: FunctionSite;
  readonly source: string;
  readonly offset?: number;
}

function findInFile(text: string, { location }: FunctionFacts, record: ScriptRecord): Found | undefined {
  if (location === undefined) return undefined;
  const start = findText(record.source, record.lines, location, text);
  const scopes = start === undefined ? undefined : record.scopes();
  const site = start === undefined ? undefined : siteAt(scopes, start, text.length);
  if (scopes === undefined || site === undefined || start === undefined) return undefined;
  return { scopes, site, source: record.source, offset: start };
}

function siteAt(scopes: FileScopes | undefined, start: number, length: number): FunctionSite | undefined {
  return scopes?.functions.get(start)?.find((site) => site.end - site.start === length);
}

/** For code whose file cannot be parsed: the function's text by itself, as an expression or as a class member. */
export function parseAlone(text: string, isModule: boolean): Found | undefined {
  for (const [open, close] of [
    ["(", "\n)"],
    ["({", "\n})"],
    ["(class{", "\n})"],
  ] as const) {
    const source = open + text + close;
    const scopes = analyseText(source, isModule);
    const site = siteAt(scopes, open.length, text.length);
    if (scopes !== undefined && site !== undefined) return { scopes, site, source };
  }
  return undefined;
}
