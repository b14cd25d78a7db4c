// All figures against their peers, one benchmark after the other: npm run bench [names]
// Writes bench/results.md and bench/results.svg when all were run.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../scripts/build.mjs";
import { chart } from "./chart.mjs";
import { digits, verdictOf } from "./report.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const ALL = ["start", "death", "capture", "codec", "sync", "shared", "channel", "pool", "manager"];
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !ALL.includes(name));
if (unknown.length > 0) throw new Error(`No benchmark "${unknown[0]}"; there are ${ALL.join(", ")}`);

function run(command, args, options) {
  return spawnSync(command, args, { encoding: "utf8", ...options });
}

/** The peers are installed where they are used; the package itself never needs them. */
function installPeers() {
  const peers = join(here, "peers");
  const { status } = run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", peers]);
  if (status !== 0) console.error("Cannot install Node's pools: their rows have no peer");
}

function versionOf(command, args) {
  const { status, stdout } = run(command, args);
  return status === 0 ? stdout.trim() : "absent";
}

function machine() {
  const [{ model }] = cpus();
  return [
    `${model}, ${cpus().length} processors, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    `Linux ${release()}, Node.js ${process.version}, ${versionOf("python3", ["--version"])}`,
  ];
}

function measure(names) {
  const folder = mkdtempSync(join(tmpdir(), "multiproc-bench-"));
  const out = join(folder, "rows");
  writeFileSync(out, "");
  for (const name of names) {
    const env = { ...process.env, MULTIPROC_BENCH_OUT: out };
    const { status } = run(process.execPath, [join(here, `${name}.mjs`)], { env, stdio: "inherit" });
    if (status !== 0) console.error(`bench/${name}.mjs failed`);
    console.log();
  }
  const rows = readFileSync(out, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  rmSync(folder, { recursive: true });
  return rows;
}

function table(rows) {
  const lines = rows.map(({ figure, unit, ours, peer, measured, goal, ...row }) => {
    const verdict = verdictOf({ ...row, goal });
    const theirs = peer === undefined ? "" : `${peer.name} ${digits(peer.value)}`;
    const ratio = peer === undefined ? "" : digits(measured);
    return `| ${figure}, ${unit} | ${digits(ours)} | ${theirs} | ${ratio} | ${goal} | ${verdict === "MISSED" ? "**missed**" : verdict} |`;
  });
  return ["| figure | multiproc | peer | ratio | goal | |", "| --- | --: | --: | --: | --- | --- |", ...lines].join(
    "\n",
  );
}

function markdown(rows) {
  const titles = [...new Set(rows.map(({ title }) => title))];
  const judged = rows.filter(({ met }) => met !== undefined);
  return `# Figures

${machine().join("  \n")}

Medians, both sides in one run, made by \`npm run bench\`, without NODE_EXTRA_CA_CERTS in the environment (Node 20 reads what it names at
every start). A goal is for the ratio where there is a peer, otherwise for the value;
${judged.filter(({ met }) => met).length} of ${judged.length} goals are met.

![Ratios against their goals](results.svg)

${titles.map((title) => `## ${title}\n\n${table(rows.filter((row) => row.title === title))}`).join("\n\n")}
`;
}

compile("tsconfig.test.json");
installPeers();
const rows = measure(wanted.length > 0 ? wanted : ALL);
const judged = rows.filter(({ met }) => met !== undefined);
console.log(`${judged.filter(({ met }) => met).length} of ${judged.length} goals met`);
if (wanted.length === 0) {
  writeFileSync(join(here, "results.md"), markdown(rows));
  writeFileSync(join(here, "results.svg"), chart(rows));
}
