// Compiles the tests, runs every *.test.js under node:test (a process a file) and prints the counts last.
//   node scripts/test.mjs [part of a path ...]
import { readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";
import { compile } from "./build.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const build = join(root, "build");
const wanted = process.argv.slice(2);

rmSync(build, { recursive: true, force: true });
compile("tsconfig.test.json");

const files = readdirSync(join(build, "test"), { recursive: true })
  .map(String)
  .filter((name) => name.endsWith(".test.js"))
  .map((name) => join(build, "test", name))
  .filter((file) => wanted.length === 0 || wanted.some((part) => relative(build, file).includes(part)))
  .sort();

const counts = { passed: 0, failed: 0, skipped: 0 };
const stream = run({ files, concurrency: 2, timeout: 300_000 });
stream.on("test:pass", ({ skip, todo, details }) => {
  if (details.type === "suite") return;
  counts[skip !== undefined || todo !== undefined ? "skipped" : "passed"] += 1;
});
stream.on("test:fail", () => (counts.failed += 1));
stream.compose(new spec()).pipe(process.stdout);
stream.on("end", () => {
  process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
  setImmediate(() => console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`));
});
