// What it costs to send a function: the goals of the first milestone, as value and goal.
//   npm run build && node bench/capture.mjs
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, report } from "./report.mjs";

const RUNS = 7;
const probe = fileURLToPath(new URL("capture-probe.mjs", import.meta.url));
const runs = Array.from({ length: RUNS }, () =>
  JSON.parse(execFileSync(process.execPath, [probe], { encoding: "utf8" })),
);
const figure = (name) => median(runs.map((run) => run[name]));
const isOld = process.versions.node.startsWith("20.");

report([
  ["first send, nothing captured", figure("firstPlain"), 2, "ms"],
  ["first send, function with captures", figure("firstCaptured"), isOld ? 50 : 25, "ms"],
  ["later send, nothing captured", figure("laterPlain") * 1000, 10, "µs"],
  ["later send, captured values re-read", figure("laterCaptured") * 1000, 150, "µs"],
  ["new closure of a known text", figure("newClosure") * 1000, 150, "µs"],
  ["first rebuild in a process", figure("firstRebuild"), 2, "ms"],
  ["later rebuild", figure("laterRebuild") * 1000, 25, "µs"],
]);
