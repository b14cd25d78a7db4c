import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { analyse } from "../../src/capture/definition.ts";
import { GLOBAL_NAMES } from "../../src/capture/global-names.ts";
import { compileOnly } from "../../src/capture/restore.ts";
import { analyseText } from "../../src/capture/scripts.ts";

const require = createRequire(import.meta.url);
const own = fileURLToPath(new URL("../../src/", import.meta.url));
const files = readdirSync(own, { recursive: true })
  .map((name) => join(own, String(name)))
  .filter((name) => name.endsWith(".js"));
files.push(require.resolve("acorn"), join(dirname(require.resolve("typescript/package.json")), "bin/tsc"));

test("every function of real programs compiles away from its place, and nothing in it moves", () => {
  let count = 0;
  let moved = 0;
  for (const file of files) {
    const source = readFileSync(file, "utf8");
    const isModule = /^(?:import|export)\b/m.test(source);
    const scopes = analyseText(source, isModule);
    assert.ok(scopes, file);
    for (const site of [...scopes.functions.values()].flat()) {
      const isKnown = (name: string): "scope" | undefined => (GLOBAL_NAMES.has(name) ? undefined : "scope");
      const place = {
        source,
        site,
        scopes,
        url: file,
        isModule,
        line: 0,
        column: 0,
        name: "fn",
        isKnown,
        // As most of what is imported: a function. Other imports are read as members of their modules, which takes more room.
        valueOf: () => test,
        inherits: false,
      };
      let definition;
      try {
        ({ definition } = analyse(place, "task"));
      } catch (error) {
        assert.equal((error as Error).name, "SerializationError", `${file}:${site.start} ${(error as Error).stack}`);
        continue;
      }
      assert.doesNotThrow(() => compileOnly(definition), `${file}:${site.start}\n${definition.source}`);
      count++;
      const lines = (text: string): number[] => text.split("\n").map((line) => line.length);
      const original = source.slice(site.start, site.end);
      if (String(lines(definition.source)) !== String(lines(original))) moved++;
      assert.equal(lines(definition.source).length, lines(original).length);
    }
  }
  assert.ok(count > 500, `only ${count} functions`);
  assert.ok(moved < count / 50, `${moved} of ${count} functions have a line that moved`);
});
