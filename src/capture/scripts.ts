/**
 * The files that functions come from: address, text and scope analysis of each script, by V8's script id.
 *
 * Cheap sources first: the address from the call stack, the text from the disk (checked against the function's own text). Only what
 * these cannot tell (code that a loader made, functions of files that are not on the stack) costs a `Debugger.enable`.
 */

import { readFileSync } from "node:fs";
import module, { createRequire } from "node:module";
import * as util from "node:util";
import { assertCanOpen } from "../core/open-file.ts";
import { ownFolder } from "../core/own-modules.ts";
import { setImmediate } from "../core/timers.ts";
import { quietly, toFilePath } from "./file-values.ts";
import { type Location, type ScriptFacts, scriptSource, withDebugger } from "./inspector.ts";
import { rememberSourceMap } from "./source-maps.ts";
import { analyseScopes } from "./scope-analysis.ts";
import type { FileScopes, Node } from "./scope-tree.ts";

/** What is known of a script. */
export interface ScriptRecord {
  /** As V8 knows it: a file URL, a path, `node:fs`, or empty. */
  readonly url: string;
  /** The whole text, as V8 runs it. */
  readonly source: string;
  readonly isModule: boolean;
  /** The text is what stands on the disk: no loader changed it. */
  readonly isOriginal: boolean;
  /** Offsets at which lines start. */
  readonly lines: readonly number[];
  /** undefined when acorn cannot parse it. */
  scopes(): FileScopes | undefined;
}

type Acorn = typeof import("acorn");

const records = new Map<string, ScriptRecord>();
const announced = new Map<string, ScriptFacts>();
const addresses = new Map<string, string>();
let acorn: Acorn | undefined;

/** The record of the script in which a function with this text stands. */
export function scriptOf(location: Location, text: string, isModule: boolean): ScriptRecord {
  let record = records.get(location.scriptId);
  if (record === undefined) {
    record = fromDisk(location, text, isModule) ?? fromDebugger(location.scriptId);
    records.set(location.scriptId, record);
  }
  return record;
}

/** The address of a script, as far as it can be told without the debugger. */
export function addressOnStack(location: Location, text: string): string | undefined {
  const known = addresses.get(location.scriptId) ?? announced.get(location.scriptId)?.url;
  if (known !== undefined) return known;
  const callSites = (util as { getCallSites?: (count: number) => CallSite[] }).getCallSites?.(200);
  if (callSites === undefined) return addressOnOldStack(location, text);
  for (const { scriptId, scriptName } of callSites) if (scriptId !== undefined) addresses.set(scriptId, scriptName);
  return addresses.get(location.scriptId);
}

interface CallSite {
  readonly scriptId?: string;
  readonly scriptName: string;
}

/** Node 20 has no script ids on the stack: the file on the stack that has this text at this place. */
function addressOnOldStack(location: Location, text: string): string | undefined {
  const found = filesOnStack().filter((file) => {
    const source = readText(file);
    return source !== undefined && findText(source, lineStarts(source), location, text) !== undefined;
  });
  if (found.length === 1) addresses.set(location.scriptId, found[0] as string);
  return found.length === 1 ? found[0] : undefined;
}

/** The files whose functions are being called right now; not those of this package. */
export function filesOnStack(): string[] {
  const { stackTraceLimit } = Error;
  // oxlint-disable-next-line typescript/unbound-method -- put back as it was, never called
  const prepareStackTrace = Error.prepareStackTrace;
  try {
    Error.stackTraceLimit = 200;
    Error.prepareStackTrace = (_error, sites) => sites;
    const sites = new Error().stack as unknown as NodeJS.CallSite[];
    const names = sites.map((site) => site.getFileName() ?? "");
    const isFile = (name: string): boolean => name.startsWith("file:") || name.startsWith("/");
    return [...new Set(names)].filter((name) => isFile(name) && !name.startsWith(ownFolder()));
  } catch {
    return []; // with frozen intrinsics; the debugger knows the file, too
  } finally {
    restore(prepareStackTrace, stackTraceLimit);
  }
}

function restore(prepareStackTrace: typeof Error.prepareStackTrace, stackTraceLimit: number): void {
  try {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  } catch {
    // as above
  }
}

const texts = new Map<string, string | undefined>();

/** The text of a file on the disk as V8 would run it; undefined where that cannot be told. */
export function readText(url: string): string | undefined {
  if (texts.has(url)) return texts.get(url);
  // A few files are read while looking for one: they are kept for this turn only.
  if (texts.size === 0) setImmediate(() => texts.clear()).unref();
  let text: string | undefined;
  try {
    text = readFileSync(toFilePath(url.replace(/[?#].*$/, "")), "utf8").replace(/^\uFEFF/, "");
    if (/\.[mc]?ts$/.test(url)) text = stripTypes(text);
  } catch {
    text = undefined;
  }
  texts.set(url, text);
  return text;
}

/** As Node's own type stripping does it: every position stays. */
function stripTypes(text: string): string | undefined {
  const { stripTypeScriptTypes } = module as { stripTypeScriptTypes?: (code: string) => string };
  if (stripTypeScriptTypes === undefined) return undefined;
  return quietly("stripTypeScriptTypes", () => stripTypeScriptTypes(text));
}

/** Where a function's text starts, given the place that V8 names (the parenthesis of its parameters). */
export function findText(
  source: string,
  lines: readonly number[],
  location: Location,
  text: string,
): number | undefined {
  const line = lines[location.lineNumber];
  if (line === undefined) return undefined;
  const at = line + location.columnNumber;
  const start = source.lastIndexOf(text, at);
  return start !== -1 && start + text.length >= at ? start : undefined;
}

export function lineStarts(source: string): number[] {
  const starts = [0];
  for (let at = source.indexOf("\n"); at !== -1; at = source.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** A file names its map in its last line; one that is longer holds the map itself and is not searched for. */
const TAIL = 4096;

/** A compiled file: where node itself maps its stacks, a child's are mapped, too. */
export function rememberMapOnDisk(url: string, source: string): void {
  if (!process.sourceMapsEnabled) return;
  const map = /\n\/\/# sourceMappingURL=(\S+)\s*$/.exec(source.slice(-TAIL))?.[1];
  if (map !== undefined) rememberSourceMap(url, map);
}

function fromDisk(location: Location, text: string, isModule: boolean): ScriptRecord | undefined {
  const url = addressOnStack(location, text);
  if (url === undefined || !(url.startsWith("file:") || url.startsWith("/"))) return undefined;
  const source = readText(url);
  if (source === undefined) return undefined;
  const lines = lineStarts(source);
  if (findText(source, lines, location, text) === undefined) return undefined;
  rememberMapOnDisk(url, source);
  return makeRecord({ url, source, lines, isModule, isOriginal: true });
}

function fromDebugger(scriptId: string): ScriptRecord {
  const source = withDebugger(
    () => scriptSource(scriptId),
    (script) => {
      // Every enabling tells all of them again: what is known stays.
      if (script.url !== "" && !announced.has(script.scriptId)) announced.set(script.scriptId, script);
      else if (script.scriptId === scriptId) announced.set(scriptId, script);
    },
  );
  const facts = announced.get(scriptId);
  const isModule = facts?.isModule ?? false;
  if (facts?.sourceMapURL) rememberSourceMap(facts.url, facts.sourceMapURL);
  return makeRecord({
    // The inspector shows paths as URLs; stack traces of CommonJS show paths.
    url: isModule ? (facts?.url ?? "") : toFilePath(facts?.url ?? ""),
    source,
    lines: lineStarts(source),
    isModule,
    isOriginal: false,
  });
}

function makeRecord(parts: Omit<ScriptRecord, "scopes">): ScriptRecord {
  let scopes: FileScopes | undefined;
  let tried = false;
  return {
    ...parts,
    scopes() {
      if (!tried) {
        tried = true;
        scopes = analyseText(parts.source, parts.isModule);
      }
      return scopes;
    },
  };
}

function loadAcorn(): Acorn {
  assertCanOpen("acorn");
  return createRequire(ownFolder())("acorn") as Acorn;
}

/** Parses a text as a module or script and analyses it; undefined when acorn cannot. */
export function analyseText(source: string, isModule: boolean): FileScopes | undefined {
  acorn ??= loadAcorn();
  try {
    const program = acorn.parse(source, {
      ecmaVersion: "latest",
      sourceType: isModule ? "module" : "script",
      allowHashBang: true,
      // A CommonJS file is the body of a function, and a lone class element may name what is outside.
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
      allowSuperOutsideMethod: true,
      checkPrivateFields: false,
    }) as unknown as Node;
    return analyseScopes(program, source, isModule);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
