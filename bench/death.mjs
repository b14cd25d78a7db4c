// How soon deaths are noticed: medians and worst of several runs. Real kills, of processes that this program has started.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Event, Process } from "../dist/index.js";
import { median, Report } from "./report.mjs";

const RUNS = 7;
const FAMILY = fileURLToPath(new URL("programs/family.mjs", import.meta.url));

/** A zombie is gone: when it is buried is up to the system's first process. */
function isGone(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return "ZX".includes(stat[stat.lastIndexOf(")") + 2]);
  } catch {
    return true;
  }
}

/** A program with busy, blocked and idle children and a grandchild; in a group of its own. */
async function startFamily() {
  const program = spawn(process.execPath, [FAMILY], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  let errors = "";
  program.stderr.on("data", (text) => (errors += text));
  const [line] = await once(createInterface({ input: program.stdout }), "line");
  return { program, pids: JSON.parse(line), errors: () => errors };
}

/** Milliseconds from the signal until all are gone. */
async function untilGone(signal, toGroup) {
  const { program, pids, errors } = await startFamily();
  const exited = once(program, "exit");
  const start = performance.now();
  process.kill((toGroup ? -1 : 1) * Number(program.pid), signal);
  await exited;
  while (!pids.every(isGone)) await new Promise((resolve) => setImmediate(resolve));
  return { time: performance.now() - start, lines: errors().split("\n").filter(Boolean).length };
}

/** Milliseconds from the kill of a child until its parent's `join()` and `result()` have settled. */
async function untilSettled(what) {
  const up = new Event();
  const child = new Process((busy) => {
    up.set();
    if (busy) for (;;);
    return new Promise((resolve) => setTimeout(resolve, 1e6));
  }, what === "result").start();
  await up.wait();
  const start = performance.now();
  process.kill(child.pid, "SIGKILL");
  await child[what]().catch(() => {});
  return performance.now() - start;
}

const killed = [];
const interrupted = [];
const joined = [];
const failed = [];
for (let i = 0; i < RUNS; i++) {
  killed.push(await untilGone("SIGKILL", false));
  interrupted.push(await untilGone("SIGINT", true));
  joined.push(await untilSettled("join"));
  failed.push(await untilSettled("result"));
}
const times = (runs) => runs.map(({ time }) => time);
const report = new Report("Deaths");
report.row("parent killed: all 4 descendants are gone, worst", "ms", Math.max(...times(killed)), "<= 1000");
report.row("parent killed: all 4 descendants are gone", "ms", median(times(killed)), "<= 1000");
report.row("child killed: join() settles", "ms", median(joined), "<= 50");
report.row("child killed: result() settles, worst", "ms", Math.max(...failed), "<= 50");
report.row("Ctrl-C to the group: all have stopped, worst", "ms", Math.max(...times(interrupted)), "<= 2000");
report.row("Ctrl-C to the group: lines on stderr", "lines", Math.max(...interrupted.map(({ lines }) => lines)), "<= 0");
report.print();
process.exit(0);
