// Compiles the tests, runs every *.test.js under node:test (a process a file), looks for leftovers and prints the counts last.
//   node scripts/test.mjs [part of a path ...]
import { readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { compile } from "./build.mjs";
import { startLeakCheck } from "./leak-check.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const build = join(root, "build");
const FILE_TIMEOUT_MS = 600_000;

function testFiles(wanted) {
  return readdirSync(join(build, "test"), { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".test.js"))
    .map((name) => join(build, "test", name))
    .filter((file) => wanted.length === 0 || wanted.some((part) => relative(build, file).includes(part)))
    .sort();
}

async function runTests(files) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const failures = [];
  const stream = run({ files, concurrency: 2, timeout: FILE_TIMEOUT_MS });
  stream.on("test:pass", ({ skip, todo, details }) => {
    if (details.type === "suite") return;
    counts[skip !== undefined || todo !== undefined ? "skipped" : "passed"] += 1;
  });
  stream.on("test:fail", ({ name, file }) => {
    counts.failed += 1;
    failures.push(`${file === undefined ? "" : `${relative(build, file)}: `}${name}`);
  });
  const output = stream.compose(new spec());
  output.pipe(process.stdout, { end: false });
  await new Promise((resolve) => output.on("end", resolve));
  return { counts, failures };
}

process.chdir(root);
if (process.env.MULTIPROC_SKIP_BUILD !== "1") {
  rmSync(build, { recursive: true, force: true });
  compile("tsconfig.test.json");
}
const leaks = startLeakCheck();
const { counts, failures } = await runTests(testFiles(process.argv.slice(2)));
for (const leak of await leaks()) {
  counts.failed += 1;
  failures.push(`left behind: ${leak}`);
}
if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ${failure}`).join("\n")}`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
