/**
 * Where the user's program is just now: the nearest frame that is not this package's.
 *
 * It takes some microseconds, a hundred times an uncontended acquire. So it is asked only where that does not count: see
 * LockWord.
 */

import { nodeModule } from "../core/node-builtins.ts";
import { ownFolder } from "../core/own-modules.ts";

/** Own frames above the user's: acquire and what it calls; through `use` and the like there are more. */
const FEW_FRAMES = 4;
const MORE_FRAMES = 16;

/** Places in loaded text that have been looked up: where they are in the source. */
const sources = new Map<string, string>();
const MOST_SOURCES = 1000;

/**
 * @returns `file:line` if it is known to be the place in the source; else `file:line:column`, a place in the text that this
 *   process runs, which `sourcePlace` maps in the process that sent the text. Undefined when there is no frame of the user's.
 */
export function callSite(): string | undefined {
  const frame = usersFrame(FEW_FRAMES) ?? usersFrame(MORE_FRAMES);
  if (frame === undefined) return undefined;
  const file = (frame.getFileName() as string).replace(/^file:\/\//, "");
  const line = frame.getLineNumber() ?? 0;
  const column = frame.getColumnNumber() ?? 0;
  const place = `${file}:${line}:${column}`;
  const known = sources.get(place);
  if (known !== undefined) return known;
  const source = inSource(frame.getFileName() as string, line, column) ?? place;
  if (sources.size < MOST_SOURCES) sources.set(place, source);
  return source;
}

function usersFrame(limit: number): NodeJS.CallSite | undefined {
  return frames(limit).find((site) => isUsers(site.getFileName()));
}

function isUsers(file: string | null | undefined): boolean {
  if (file === null || file === undefined || file === "" || file.startsWith("node:")) return false;
  return !file.startsWith(ownFolder()) && !file.startsWith(OWN_PATH);
}

const OWN_PATH = decodeURI(ownFolder()).replace(/^file:\/\//, "");

function frames(limit: number): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: NodeJS.CallSite[] } = {};
  try {
    Error.stackTraceLimit = limit;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, usersFrame);
    return holder.stack ?? [];
  } catch {
    return []; // with frozen intrinsics; a lock must work all the same
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

/** Through the map that a loader in this process left (tsx, `--enable-source-maps`). */
function inSource(file: string, line: number, column: number): string | undefined {
  try {
    const entry = nodeModule()
      .findSourceMap(file)
      ?.findEntry(line - 1, column - 1);
    if (entry === undefined || !("originalLine" in entry)) return undefined;
    const source = new URL(entry.originalSource, file.startsWith("file:") ? file : `file://${file}`);
    return `${decodeURI(source.pathname)}:${entry.originalLine + 1}`;
  } catch {
    return undefined;
  }
}
