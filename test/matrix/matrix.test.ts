/** The same program under every way of running one: each case sends a function of its main file to another process. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Workspace } from "./workspace.ts";

interface Outcome {
  readonly name: string;
  readonly failure?: string;
}

const require = createRequire(import.meta.url);
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const canStripTypes = major > 22 || (major === 22 && minor >= 18);

/** Runs a program of the matrix and gives what became of its cases. */
async function run(workspace: Workspace, args: readonly string[]): Promise<Outcome[]> {
  const out = workspace.path("outcomes.jsonl");
  rmSync(out, { force: true });
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, args, {
    cwd: workspace.folder,
    env: { ...env, MATRIX_OUT: out },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 120_000,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
  const [code] = (await once(child, "close")) as [number | null];
  assert.ok(existsSync(out), `no case ran:\n${output}`);
  assert.equal(code, 0, output);
  assert.doesNotMatch(output, /ExperimentalWarning: vm\./);
  const lines = readFileSync(out, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Outcome);
}

/** Cases that cannot work under a runtime, each with what it fails with. */
type Exceptions = Readonly<Record<string, RegExp>>;

function runtime(name: string, prepare: () => [Workspace, string[]], exceptions: Exceptions = {}, skip = false): void {
  test(`functions travel under ${name}`, { skip }, async (t) => {
    const [workspace, args] = prepare();
    const outcomes = await run(workspace, args);
    assert.ok(outcomes.length >= 51, `only ${outcomes.length} cases ran`);
    for (const outcome of outcomes) {
      const expected = exceptions[outcome.name];
      await t.test(outcome.name, () => {
        if (expected === undefined) assert.equal(outcome.failure, undefined, outcome.failure);
        else assert.match(outcome.failure ?? "it passed", expected);
      });
    }
  });
}

const tsx = pathToFileURL(require.resolve("tsx")).href;

for (const format of ["esm", "cjs"] as const) {
  const extension = format === "esm" ? "mjs" : "cjs";

  runtime(`node, plain .${extension}`, () => {
    const workspace = new Workspace(`plain-${format}`, format);
    workspace.plain(extension);
    return [workspace, [`main.${extension}`]];
  });

  runtime(`node, output of tsc in ${format}`, () => {
    const workspace = new Workspace(`tsc-${format}`, format);
    workspace.typescript();
    workspace.compile();
    return [workspace, ["out/main.js"]];
  });

  runtime(`tsx, ${format}`, () => {
    const workspace = new Workspace(`tsx-${format}`, format);
    workspace.typescript();
    return [workspace, ["--import", tsx, "main.ts"]];
  });

  for (const minify of [false, true]) {
    runtime(`an esbuild bundle in ${format}${minify ? ", minified" : ""}`, () => {
      const workspace = new Workspace(`esbuild-${format}${minify ? "-min" : ""}`, format);
      workspace.typescript();
      workspace.bundle(`bundle.${extension}`, minify);
      return [workspace, [`bundle.${extension}`]];
    });
  }
}

runtime(
  "node's own type stripping",
  () => {
    const workspace = new Workspace("strip-esm", "esm");
    workspace.typescript();
    return [workspace, ["main.ts"]];
  },
  {},
  !canStripTypes,
);

for (const pool of ["forks", "threads", "vmForks"]) {
  runtime(
    `vitest, ${pool}`,
    () => {
      const workspace = new Workspace(`vitest-${pool}`, "esm");
      const last = 'import { test } from "vitest";\ntest("the matrix", () => runCases(), 100_000);\n';
      workspace.typescript("main.test.ts", last);
      workspace.write("vitest.config.mjs", `export default { test: { pool: '${pool}', include: ['*.test.ts'] } };\n`);
      return [workspace, [join(dirname(require.resolve("vitest/package.json")), "vitest.mjs"), "run"]];
    },
    // The child is a plain node, which imports .ts files from 22.18 on.
    canStripTypes ? {} : { "import() of a file and of a package": /Unknown file extension/ },
  );
}

runtime("jest", () => {
  const workspace = new Workspace("jest", "esm");
  const last = 'import { test } from "@jest/globals";\ntest("the matrix", () => runCases(), 100_000);\n';
  workspace.plain("mjs", last);
  workspace.write(
    "jest.config.mjs",
    "export default { testMatch: ['**/main.mjs'], moduleFileExtensions: ['mjs', 'js'], cacheDirectory: 'cache' };\n",
  );
  return [workspace, ["--experimental-vm-modules", require.resolve("jest/bin/jest")]];
});
