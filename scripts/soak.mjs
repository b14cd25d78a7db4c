// Everything at once under random kills: npm run soak [-- --minutes 10 --seed N --lap SECONDS --part NAME]
// Prints the figures of each lap, looks for leftovers at the end, and writes docs/soak.md unless only a part was run.
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compile } from "./build.mjs";
import { startLeakCheck } from "./leak-check.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    lap: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    part: { type: "string" },
    out: { type: "string", default: join(root, "docs", "soak.md") },
  },
});

compile("tsconfig.test.json");
const file = join(tmpdir(), `multiproc-soak-${process.pid}.json`);
const leaks = startLeakCheck();
console.log(`seed ${values.seed}, ${values.minutes} minutes`);
const program = join(root, "build", "test", "soak", "run.js");
const args = [values.minutes, values.lap, values.seed, file, ...(values.part === undefined ? [] : [values.part])];
const { status } = spawnSync(process.execPath, [program, ...args], { stdio: "inherit" });
const leftovers = await leaks();
for (const leftover of leftovers) console.error(`left behind: ${leftover}`);
const machine = [
  `${cpus()[0].model}, ${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GiB`,
  `Linux ${release()}, Node.js ${process.version}`,
];
const { markdownOf } = await import(join(root, "build", "test", "soak", "report.js"));
const text = markdownOf(JSON.parse(readFileSync(file, "utf8")), machine, leftovers);
rmSync(file);
if (values.part === undefined) writeFileSync(values.out, text);
console.log(text);
process.exitCode = status === 0 && leftovers.length === 0 ? 0 : 1;
