import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

// docs/reference is made from the doc comments: it must be what they say now. Making it fails where a comment is missing.

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const folder = mkdtempSync(join(tmpdir(), "multiproc-reference-"));
after(() => rmSync(folder, { recursive: true, force: true }));

function pagesIn(place: string): Record<string, string> {
  return Object.fromEntries(readdirSync(place).map((name) => [name, readFileSync(join(place, name), "utf8")]));
}

test("every exported name and member has a doc comment, and the API reference is up to date (if not: npm run docs)", () => {
  const made = spawnSync(process.execPath, [join(root, "scripts/reference/generate.mjs"), folder], {
    encoding: "utf8",
  });
  assert.equal(made.status, 0, `${made.stdout}\n${made.stderr}`);
  assert.deepEqual(pagesIn(folder), pagesIn(join(root, "docs/reference")));
});
