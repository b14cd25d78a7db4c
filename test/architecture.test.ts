import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Each folder's layer. A file imports from its own folder and from lower layers only. docs/architecture.md draws this. */
const LAYERS: Record<string, number> = {
  core: 0,
  platform: 1,
  memory: 2,
  wait: 3,
  capture: 3,
  codec: 4,
  sync: 4,
  ring: 4,
  shared: 5,
  channel: 5,
  process: 6,
  pool: 7,
  manager: 8,
  ".": 9,
  entry: 10,
};

const MAX_LINES = 500;

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const src = join(root, "src");
const files = readdirSync(src, { recursive: true })
  .map(String)
  .filter((file) => file.endsWith(".ts"))
  .sort();

/** What a file imports from other files of src, type-only imports too, as paths relative to src. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(src, file), "utf8");
  const specifiers = [...text.matchAll(/^\s*(?:import|export)\b[^;"']*?["'](\.[^"']+)["']/gm)].map(
    (match) => match[1] as string,
  );
  return specifiers.map((specifier) => relative(src, join(src, dirname(file), specifier)));
}

function folderOf(file: string): string {
  return file.includes("/") ? (file.split("/")[0] as string) : ".";
}

test("every folder has a layer", () => {
  for (const file of files) assert.ok(folderOf(file) in LAYERS, `${file} is in a folder without a layer`);
});

test("every import names a file that exists", () => {
  for (const file of files) {
    for (const imported of importsOf(file)) assert.ok(files.includes(imported), `${file} imports ${imported}`);
  }
});

test("layers only look down", () => {
  const wrong = files.flatMap((file) =>
    importsOf(file)
      .filter((imported) => folderOf(imported) !== folderOf(file))
      .filter((imported) => (LAYERS[folderOf(imported)] as number) >= (LAYERS[folderOf(file)] as number))
      .map((imported) => `${file} imports ${imported}`),
  );
  assert.deepEqual(wrong, []);
});

test("there are no import cycles", () => {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (done.has(file)) return;
    assert.ok(!path.includes(file), `cycle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
    path.push(file);
    for (const imported of importsOf(file)) visit(imported);
    path.pop();
    done.add(file);
  };
  for (const file of files) visit(file);
});

test("index files only re-export", () => {
  for (const file of files.filter((name) => name.endsWith("index.ts"))) {
    const code = readFileSync(join(src, file), "utf8")
      .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
      .replace(/^export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+["'][^"']+["'];/gm, "")
      .replace(/^import\s+["'][^"']+["'];/gm, "")
      .trim();
    assert.equal(code, "", `${file} holds more than re-exports`);
  }
});

test("no file is a grab-bag", () => {
  for (const file of files) {
    const lines = readFileSync(join(src, file), "utf8").split("\n").length;
    assert.ok(lines <= MAX_LINES, `${file} has ${lines} lines`);
  }
});

test("the documents and sources name no place of one machine", () => {
  const places = /\/(?:work|home|root|tmp)\/[a-z]/;
  for (const file of files) assert.doesNotMatch(readFileSync(join(src, file), "utf8"), places, file);
});
