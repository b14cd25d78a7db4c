/** The main program of `npm run soak` (scripts/soak.mjs): minutes, seconds of a lap, seed, file for the report as JSON, one part only. */

import { writeFileSync } from "node:fs";
import { parts } from "./parts/index.ts";
import { soak } from "./soak.ts";

const [minutes, lapSeconds, seed, file, only] = process.argv.slice(2) as [string, string, string, string, string?];
const report = await soak({
  minutes: Number(minutes),
  lapSeconds: Number(lapSeconds),
  seed: Number(seed),
  parts: parts.filter(({ name }) => only === undefined || name === only),
  log: console.log,
});
writeFileSync(file, JSON.stringify(report));
for (const failure of report.failures) console.error(`FAILED ${failure}`);
process.exitCode = report.failures.length === 0 ? 0 : 1;
