// What it costs to send a function, on the single files of the library.
//   npm run build && node bench/capture.mjs
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median, Report } from "./report.mjs";

const RUNS = 7;
const probe = fileURLToPath(new URL("capture-probe.mjs", import.meta.url));
const runs = Array.from({ length: RUNS }, () =>
  JSON.parse(execFileSync(process.execPath, [probe], { encoding: "utf8" })),
);
const figure = (name) => median(runs.map((run) => run[name]));
const isOld = process.versions.node.startsWith("20.");

const report = new Report("Functions that travel");
report.row("first send, nothing captured", "ms", figure("firstPlain"), "<= 2");
report.row("first send, function with captures", "ms", figure("firstCaptured"), isOld ? "<= 50" : "<= 25");
report.row("later send, nothing captured", "µs", figure("laterPlain") * 1000, "<= 10");
report.row("later send, captured values re-read", "µs", figure("laterCaptured") * 1000, "<= 150");
report.row("new closure of a known text", "µs", figure("newClosure") * 1000, "<= 150");
report.row("first rebuild in a process", "ms", figure("firstRebuild"), "<= 2");
report.row("later rebuild", "µs", figure("laterRebuild") * 1000, "<= 25");
report.print();
