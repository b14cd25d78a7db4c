// The tour: parses every JavaScript file below node_modules with acorn in a pool of processes, with a bar on a terminal, and
// prints the largest functions found, the serial and the parallel time, and the processes that did the work.
//   prints files of JavaScript
//   prints largest functions
//   prints serial
//   prints parallel in
//   prints process \d+

import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "acorn";
import { cpuCount, currentProcess, Pool } from "multiproc";

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
  readonly unreadable: boolean;
  readonly largest: FoundFunction[];
}

/** All JavaScript files below a folder, the largest first: who gets one of them last would keep the others waiting. */
function javaScriptFiles(folder: string): { file: string; bytes: number }[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.[cm]?js$/.test(name))
    .map((name) => join(folder, name))
    .flatMap((file) => {
      const stats = statSync(file, { throwIfNoEntry: false });
      return stats?.isFile() ? [{ file, bytes: stats.size }] : [];
    })
    .toSorted((a, b) => b.bytes - a.bytes);
}

const KEPT = 5;

/** Parses a file and reports the largest functions. Captures `root` and `KEPT`; imports are imported again in the workers. */
function parseFile(file: string): Report {
  const { name: worker, pid } = currentProcess();
  const about = { worker, pid: pid ?? 0 };
  const text = readFileSync(file, "utf8");
  try {
    const here: { name: string; start: number; end: number }[] = [];
    visit(parseText(text), undefined, ({ start, end }, name) => here.push({ name, start, end }));
    const best = here.toSorted((a, b) => b.end - b.start - (a.end - a.start)).slice(0, KEPT);
    return { ...about, unreadable: false, largest: best.map((each) => describe(each, file, text)) };
  } catch {
    return { ...about, unreadable: true, largest: [] };
  }
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

const sizes = javaScriptFiles(join(root, "node_modules"));
const files = sizes.map(({ file }) => file);
const megabytes = sizes.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6;
console.log(`${files.length} files of JavaScript, ${megabytes.toFixed(1)} MB\n`);

const count = Math.max(2, cpuCount());
const pool = new Pool(count);
// Fresh workers first have to be started, and V8 has to compile acorn in each; what is kept is paid for once. So twice each.
const serial = [0, 1].map(() => {
  const start = performance.now();
  const found = files.map(parseFile);
  return { found, time: seconds(start) };
});
const parallel = [];
for (const round of ["fresh workers", "warm workers"]) {
  const start = performance.now();
  const found = await pool.map(parseFile, files, { chunkSize: 1, progress: true });
  parallel.push({ found, time: seconds(start), round });
}
pool.close();
await pool.join();

console.log("largest functions:");
const reports = parallel[0]?.found ?? [];
const best = largest(reports.flatMap((report) => report.largest));
for (const { name, file, line, lines } of best)
  console.log(`  ${String(lines).padStart(6)} lines  ${name}  ${file}:${line}`);
const alone = largest((serial[0]?.found ?? []).flatMap((report) => report.largest));
if (JSON.stringify(best) !== JSON.stringify(alone)) throw new Error("The workers found something else");

console.log(`\nserial ${serial.map(({ time }) => time).join(", again ")}`);
console.log(`parallel in ${count} processes ${parallel.map(({ time, round }) => `${time} by ${round}`).join(", ")}`);
for (const pid of new Set(reports.map((report) => report.pid))) {
  const done = reports.filter((report) => report.pid === pid);
  const unreadable = done.filter((report) => report.unreadable).length;
  console.log(
    `  process ${pid} (${done[0]?.worker}) parsed ${done.length} files, ${unreadable} of them not readable as JavaScript`,
  );
}
