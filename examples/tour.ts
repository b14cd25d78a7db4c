// The tour: parses every JavaScript file below node_modules with acorn in child processes, and prints the largest
// functions found, the serial and the parallel time, and the processes that did the work.
//   prints files of JavaScript
//   prints largest functions
//   prints serial .* parallel
//   prints process \d+

import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import { cpuCount, currentProcess, Process } from "multiproc";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

interface FoundFunction {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly lines: number;
  readonly characters: number;
}

interface Report {
  readonly worker: string;
  readonly pid: number;
  readonly files: number;
  readonly unreadable: number;
  readonly largest: FoundFunction[];
}

/** All JavaScript files below a folder, with their sizes. */
function javaScriptFiles(folder: string): { file: string; bytes: number }[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[cm]?js$/.test(name))
    .map((name) => join(folder, name))
    .flatMap((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return stats?.isFile() ? [{ file, bytes: stats.size }] : [];
    });
}

/** Spreads the files over `count` lists of about the same number of bytes. */
function spread(files: { file: string; bytes: number }[], count: number): string[][] {
  const lists = Array.from({ length: count }, () => ({ bytes: 0, files: [] as string[] }));
  for (const { file, bytes } of files.toSorted((a, b) => b.bytes - a.bytes)) {
    const smallest = lists.reduce((a, b) => (a.bytes <= b.bytes ? a : b));
    smallest.files.push(file);
    smallest.bytes += bytes;
  }
  return lists.map((list) => list.files);
}

const KEPT = 5;

/** Parses files and reports the largest functions. Captures `root` and `KEPT`; imports are imported again in the child. */
function parseFiles(files: string[]): Report {
  let found: FoundFunction[] = [];
  let unreadable = 0;
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    try {
      const here: { name: string; start: number; end: number }[] = [];
      visit(parseText(text), undefined, ({ start, end }, name) => here.push({ name, start, end }));
      const best = here.toSorted((a, b) => b.end - b.start - (a.end - a.start)).slice(0, KEPT);
      found = largest([...found, ...best.map((each) => describe(each, file, text))]);
    } catch {
      unreadable += 1;
    }
  }
  const { name, pid } = currentProcess();
  return { worker: name, pid: pid ?? 0, files: files.length, unreadable, largest: found };
}

function parseText(text: string): unknown {
  const options = { ecmaVersion: "latest", allowHashBang: true } as const;
  try {
    return parse(text, { ...options, sourceType: "module" });
  } catch {
    return parse(text, { ...options, sourceType: "script", allowReturnOutsideFunction: true });
  }
}

function largest(functions: FoundFunction[]): FoundFunction[] {
  return functions.toSorted((a, b) => b.characters - a.characters || a.file.localeCompare(b.file)).slice(0, KEPT);
}

function describe({ name, start, end }: Located & { name: string }, file: string, text: string): FoundFunction {
  const [line, lines] = [countLines(text, 0, start), countLines(text, start, end)];
  return { name, file: relative(root, file), line, lines, characters: end - start };
}

function countLines(text: string, start: number, end: number): number {
  let lines = 1;
  for (let at = text.indexOf("\n", start); at !== -1 && at < end; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

type Located = { start: number; end: number };

function visit(node: unknown, name: string | undefined, onFunction: (node: Located, name: string) => void): void {
  if (Array.isArray(node)) for (const item of node) visit(item, name, onFunction);
  if (typeof node !== "object" || node === null || Array.isArray(node)) return;
  const { type, id, key } = node as { type?: string; id?: { name?: string }; key?: { name?: string } };
  if (typeof type !== "string") return;
  const named = id?.name ?? key?.name ?? name;
  if (/Function/.test(type)) onFunction(node as Located, named ?? "(anonymous)");
  for (const value of Object.values(node)) {
    if (typeof value === "object")
      visit(value, type === "Property" || type === "VariableDeclarator" ? named : undefined, onFunction);
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(2)} s`;
}

const files = javaScriptFiles(join(root, "node_modules"));
const megabytes = files.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
console.log(`${files.length} files of JavaScript, ${megabytes.toFixed(1)} MB\n`);

const serialStart = performance.now();
const serial = parseFiles(files.map(({ file }) => file));
const serialTime = seconds(serialStart);

const count = Math.max(2, cpuCount());
const parallelStart = performance.now();
const children = spread(files, count).map((list) => new Process(parseFiles, list).start());
const reports = await Promise.all(children.map((child) => child.result()));
const parallelTime = seconds(parallelStart);

console.log("largest functions:");
const best = largest(reports.flatMap((report) => report.largest));
for (const { name, file, line, lines } of best)
  console.log(`  ${String(lines).padStart(6)} lines  ${name}  ${file}:${line}`);
if (JSON.stringify(best) !== JSON.stringify(serial.largest)) throw new Error("The children found something else");

console.log(`\nserial ${serialTime}, parallel ${parallelTime} in ${count} processes`);
for (const { worker, pid, files: done, unreadable } of reports) {
  console.log(`  process ${pid} (${worker}) parsed ${done} files, ${unreadable} of them not readable as JavaScript`);
}
