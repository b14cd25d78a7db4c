// Starting processes: against Python's fork, child_process.fork and a bare node, in one run; medians.
//   npm run build && node bench/start.mjs
import { fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Process } from "../dist/index.js";
import { median, Report } from "./report.mjs";

const PEER = fileURLToPath(new URL("programs/fork-peer.cjs", import.meta.url));
const BARE = fileURLToPath(new URL("programs/bare.cjs", import.meta.url));
const FACADE = new URL("../dist/index.js", import.meta.url).href;
const RUNS = 15;
const SUSTAINED = 200;
/** Time for a spare to come up and to warm up between two starts. */
const PAUSE_MS = 300;

/** CLOCK_MONOTONIC in ms: the same clock in every process. */
const now = () => Number(process.hrtime.bigint()) / 1e6;
const first = () => Number(process.hrtime.bigint()) / 1e6;
const nothing = () => {};

async function spareFirst() {
  const start = now();
  const child = new Process(first).start();
  const at = await child.result();
  await child.join();
  return at - start;
}

async function forkFirst() {
  const start = now();
  const child = fork(PEER, { stdio: "ignore" });
  const [at] = await once(child, "message");
  await once(child, "exit");
  return at - start;
}

async function coldJoined() {
  const start = now();
  const child = new Process({ target: nothing, method: "spawn", stdio: "ignore" }).start();
  await child.join();
  return now() - start;
}

async function bareJoined() {
  const start = now();
  await once(spawn(process.execPath, [BARE], { stdio: "ignore" }), "exit");
  return now() - start;
}

function pythonFork() {
  const code = `
import multiprocessing as m, time
c = m.get_context("fork")
def f(w): w.send(time.monotonic())
for i in range(${RUNS}):
    time.sleep(${PAUSE_MS / 1000})
    r, w = c.Pipe(False)
    t = time.monotonic(); p = c.Process(target=f, args=(w,)); p.start(); a = r.recv(); p.join()
    print((a - t) * 1000)`;
  const { stdout, status } = spawnSync("python3", ["-c", code], { encoding: "utf8" });
  return status === 0 ? median(stdout.trim().split("\n").map(Number)) : undefined;
}

async function sustained(start) {
  const begun = now();
  for (let i = 0; i < SUSTAINED; i++) await start();
  return now() - begun;
}

async function startAndJoin() {
  await new Process(nothing).start().join();
}

async function forkAndJoin() {
  await once(fork(PEER, { stdio: "ignore" }), "exit");
}

/** Private memory of the spares, in MB: what is neither node's nor the C library's. */
function spareMemory() {
  const sizes = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/status`, "latin1").includes(`PPid:\t${process.pid}\n`)) continue;
      const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
      sizes.push(Number(/Private_Dirty:\s+(\d+)/.exec(rollup)[1]) / 1000);
    } catch {
      // It ended meanwhile.
    }
  }
  return median(sizes);
}

function importCost() {
  const code = `const t = performance.now(); await import(${JSON.stringify(FACADE)}); console.log(performance.now() - t)`;
  const run = () =>
    Number(spawnSync(process.execPath, ["--input-type=module", "-e", code], { encoding: "utf8" }).stdout);
  return median(Array.from({ length: 7 }, run));
}

// First, while no spares are coming up, which would take the processors.
const imported = importCost();
const figures = { spare: [], fork: [], cold: [], bare: [] };
await startAndJoin();
// Each in a row of its own, as Python's are: what runs in between takes the caches from what comes next.
for (const [name, start] of [
  ["spare", spareFirst],
  ["fork", forkFirst],
]) {
  for (let i = 0; i < RUNS; i++) {
    await sleep(PAUSE_MS);
    figures[name].push(await start());
  }
}
for (let i = 0; i < RUNS; i++) {
  figures.cold.push(await coldJoined());
  figures.bare.push(await bareJoined());
}
await sleep(1000);
const memory = spareMemory();
const python = pythonFork();
const ours = await sustained(startAndJoin);
const forks = await sustained(forkAndJoin);
const [spare, forked, cold, bare] = [figures.spare, figures.fork, figures.cold, figures.bare].map(median);

const report = new Report("Starting processes");
report.row("spare: start to first instruction", "ms", spare, "<= 0.6", { name: "Python fork", value: python });
report.row("spare: start to first instruction", "ms", spare, "<= 0.1", { name: "child_process.fork", value: forked });
report.row(`${SUSTAINED} times start and join, each`, "ms", ours / SUSTAINED, "<= 0.5", {
  name: "child_process.fork",
  value: forks / SUSTAINED,
});
report.row("spawn: start to end", "ms", cold, "<= 1.15", { name: "bare node", value: bare });
report.row("private memory of an idle spare", "MB", memory, "<= 9");
report.row("import of multiproc", "ms", imported, "<= 30");
report.print();
process.exit(0);
