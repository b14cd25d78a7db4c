import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// Each example runs to its end. Lines of its head that start with "//   prints " are patterns its output must match, in order.

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** The tour parses all of node_modules, three times. */
const LIMIT_MS = 240_000;

for (const name of readdirSync(join(root, "examples")).filter((file) => /\.(ts|mjs)$/.test(file))) {
  test(`examples/${name}`, () => {
    const file = join(root, "examples", name);
    const ran = spawnSync(process.execPath, ["--import", "tsx", file], {
      cwd: root,
      encoding: "utf8",
      timeout: LIMIT_MS,
      killSignal: "SIGKILL",
    });
    assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
    assert.equal(ran.stderr, "");
    let rest = ran.stdout;
    for (const [, pattern] of readFileSync(file, "utf8").matchAll(/^\/\/ {3}prints (.+)$/gm)) {
      const match = new RegExp(pattern as string, "m").exec(rest);
      assert.ok(match, `prints /${pattern}/, not:\n${rest}`);
      rest = rest.slice(match.index + match[0].length);
    }
  });
}
