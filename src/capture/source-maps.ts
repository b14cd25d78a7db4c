/**
 * Stacks of functions whose text a loader made (tsx, vitest, a transform): from the place in that text to the place in the source.
 *
 * The map stays in the process that captured the function; a child's stack names the place in the text that it was sent, and is mapped
 * when it comes back.
 */

import { readFileSync } from "node:fs";
import { createRequire, type SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import { ownFolder } from "../core/own-modules.ts";
import { toFileUrl } from "./file-values.ts";

const require = createRequire(ownFolder());
const maps = new Map<string, { readonly url: string; map?: SourceMap | undefined }>();

/** Remembers where the map of a file is; it is read when a stack needs it. */
export function rememberSourceMap(file: string, sourceMapUrl: string): void {
  if (!maps.has(toFileUrl(file))) maps.set(toFileUrl(file), { url: sourceMapUrl });
}

/** Whether there are places that this process can find in their sources. */
export function knowsSources(): boolean {
  return maps.size > 0;
}

/** A stack with all places that this process knows better replaced by those of the source. */
export function mapStack(stack: string): string {
  if (maps.size === 0) return stack;
  return stack.replace(
    /((?:file:\/\/)?\/[^\s()]*?):(\d+):(\d+)(?=\)|$)/gm,
    (whole, file: string, line: string, column: string) => {
      const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !("originalLine" in entry)) return whole;
      return `${sourceName(file, entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    },
  );
}

function mapOf(file: string): SourceMap | undefined {
  const known = maps.get(toFileUrl(file));
  if (known === undefined) return undefined;
  if (!("map" in known)) known.map = readMap(toFileUrl(file), known.url);
  return known.map;
}

function readMap(file: string, sourceMapUrl: string): SourceMap | undefined {
  try {
    const text = sourceMapUrl.startsWith("data:")
      ? decode(sourceMapUrl)
      : readFileSync(new URL(sourceMapUrl, file), "utf8");
    const module = require("node:module") as { SourceMap: new (payload: unknown) => SourceMap };
    return new module.SourceMap(JSON.parse(text));
  } catch {
    return undefined; // a stack without a map is better than none
  }
}

function decode(dataUrl: string): string {
  const comma = dataUrl.indexOf(",");
  const data = dataUrl.slice(comma + 1);
  return dataUrl.slice(0, comma).endsWith(";base64")
    ? Buffer.from(data, "base64").toString()
    : decodeURIComponent(data);
}

/** The source's name, in the spelling of the place that it replaces. */
function sourceName(file: string, source: string): string {
  const url = URL.canParse(source) ? source : new URL(source, toFileUrl(file)).href;
  return file.startsWith("file:") || !url.startsWith("file:") ? url : fileURLToPath(url);
}
