import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../helpers/random.ts";
import { parts } from "./parts/index.ts";
import { markdownOf } from "./report.ts";
import { soak } from "./soak.ts";

// `npm run soak` does the same for ten minutes, and looks whether memory stays flat.

test("everything at once, under random kills, for some seconds: nothing is lost, nothing comes twice", async (t) => {
  const { seed } = new Random();
  const lines: string[] = [];
  const report = await soak({ minutes: 6 / 60, lapSeconds: 3, seed, parts, log: (line) => void lines.push(line) });
  t.diagnostic(`MULTIPROC_SEED=${seed}, ${report.parts.reduce((sum, { kills }) => sum + kills, 0)} kills`);
  assert.deepEqual(report.failures, []);
  for (const { name, counts } of report.parts) assert.ok(Object.keys(counts).length > 0, `${name} did nothing`);
  assert.match(markdownOf(report, ["a machine"], []), /Passed/);
  assert.match(markdownOf(report, ["a machine"], ["process 1"]), /FAILED/);
});
