// Synchronization against Python's: medians of 5 runs, both sides in one go, where the processes may use every CPU and where
// they share one. node bench/sync.mjs (after npm run build)
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Barrier, Lock, Process, Semaphore } from "../dist/index.js";
import { median, Report } from "./report.mjs";

const RUNS = 5;
const ROUNDS = 300;
const oneCpu = process.argv.includes("--one-cpu");

const { stdout, status } = spawnSync("python3", [fileURLToPath(new URL("sync.py", import.meta.url))], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
if (status !== 0) throw new Error("python3 failed");
// The scheduler likes to put both on one CPU: what is called two CPUs is pinned to two.
const pin = (pid, cpu) => spawnSync("taskset", ["-acp", cpu, String(pid)]);
const lines = stdout.trim().split("\n");
const python = Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, us]) => [name, Number(us)]));

/** Microseconds a piece of work: the median of 5 runs after a warm-up. */
async function measure(count, work) {
  const times = [];
  for (let run = 0; run <= RUNS; run++) {
    const start = performance.now();
    await work(count);
    times.push(((performance.now() - start) / count) * 1000);
  }
  return median(times.slice(1));
}

const report = new Report(oneCpu ? "Synchronization, both processes on one CPU" : "Synchronization, two CPUs");
const lock = new Lock();
const there = new Semaphore(0);
const back = new Semaphore(0);
const barrier = new Barrier(2);
const all = ROUNDS * (RUNS + 1);
const goal = oneCpu ? "<= 1.2" : "<= 0.1";

const held = await measure(100_000, (n) => {
  for (let i = 0; i < n; i++) {
    lock.acquireSync();
    lock.release();
  }
});
report.row("Lock acquire + release, sync", "µs", held, "<= 0.6", { name: "Python", value: python.lock });
const awaited = await measure(50_000, async (n) => {
  for (let i = 0; i < n; i++) {
    await lock.acquire();
    lock.release();
  }
});
report.row("Lock acquire + release, promises", "µs", awaited, "<= 0.5");

if (!oneCpu) pin(process.pid, "0");
const ponging = new Process((n) => {
  for (let i = 0; i < n; i++) {
    there.acquireSync();
    back.release();
  }
}, all).start();
if (!oneCpu) pin(ponging.pid, "1");
const ping = await measure(ROUNDS, (n) => {
  for (let i = 0; i < n; i++) {
    there.release();
    back.acquireSync();
  }
});
await ponging.join();
report.row("Semaphore ping-pong, sync", "µs", ping, goal, { name: "Python", value: python.semaphore });

const meeting = new Process((n) => {
  for (let i = 0; i < n; i++) barrier.waitSync();
}, all).start();
if (!oneCpu) pin(meeting.pid, "1");
const met = await measure(ROUNDS, (n) => {
  for (let i = 0; i < n; i++) barrier.waitSync();
});
await meeting.join();
report.row("Barrier round, sync", "µs", met, goal, { name: "Python", value: python.barrier });
report.print();

if (!oneCpu) {
  const self = fileURLToPath(import.meta.url);
  const again = spawnSync("taskset", ["-c", "0", process.execPath, self, "--one-cpu"], { stdio: "inherit" });
  process.exit(again.status ?? 1);
}
process.exit(0);
