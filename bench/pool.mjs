// The pool against Python's and against Node's pools: 2 workers, medians of 5 windows. Without bench/peers installed, only Python's.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Pool } from "../dist/index.js";
import { adapters } from "./peers/adapters.mjs";
import { medianOf, Report } from "./report.mjs";

const RUNS = 5;
/** As many as Python makes. */
const BIG_RUNS = 15;
const WINDOW_MS = 300;
const echo = (x) => x;
const small = { a: 1, b: "x", c: [1, 2, 3] };
const mib = new Uint8Array(2 ** 20);

/** Calls a second with so many in flight. */
async function rate(run, value, inFlight) {
  let count = 0;
  const start = performance.now();
  const until = start + WINDOW_MS;
  const one = async () => {
    while (performance.now() < until) {
      await run(value);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, one));
  return (count / (performance.now() - start)) * 1000;
}

async function figures(run) {
  await rate(run, 1, 64);
  return {
    alone: 1e6 / (await medianOf(RUNS, () => rate(run, 1, 1))),
    64: await medianOf(RUNS, () => rate(run, 1, 64)),
    1024: await medianOf(RUNS, () => rate(run, 1, 1024)),
    small: await medianOf(RUNS, () => rate(run, small, 64)),
    mib: ((await medianOf(RUNS, () => rate(run, mib, 2))) * 2 ** 20) / 1e9,
  };
}

async function timed(action) {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

function fib(n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

async function mine() {
  const cold = await timed(() => pool0().apply(echo, [1]));
  await new Promise((resolve) => setTimeout(resolve, 600));
  const warm = await medianOf(RUNS, async () => {
    const pool = new Pool(2);
    const time = await timed(() => pool.apply(echo, [1]));
    pool.terminate();
    await pool.join();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return time;
  });
  const pool = new Pool(2);
  await Promise.all([pool.apply(echo, [1]), pool.apply(echo, [1])]);
  const out = { cold, warm, ...(await figures((x) => pool.apply(echo, [x]))) };
  const items = Array.from({ length: 100_000 }, (_, i) => i);
  out.map = 1e8 / (await medianOf(7, () => timed(() => pool.map(echo, items))));
  const few = items.slice(0, 20_000);
  out.map1 = 2e7 / (await medianOf(RUNS, () => timed(() => pool.map(echo, few, { chunkSize: 1 }))));
  const big = new Uint8Array(1e8).fill(1);
  // Until the memory has been used before, which the kernel may have to find first, rounds take up to eight times as long.
  out.big = await medianOf(BIG_RUNS, () => timed(() => pool.apply(echo, [big])));
  const work = Array.from({ length: 64 }, () => 27);
  const serial = await medianOf(RUNS, () => timed(() => work.forEach((n) => fib(n))));
  out.cpu = serial / (await medianOf(RUNS, () => timed(() => pool.map(fib, work))));
  const alone = await medianOf(RUNS, () => timed(() => pool.map(fib, work, { chunkSize: work.length })));
  out.cpuAlone = alone / (serial / out.cpu);
  pool.close();
  await pool.join();
  first.terminate();
  return out;
}

let first;
function pool0() {
  return (first = new Pool(2));
}

const ours = await mine();
const peers = {};
for (const [name, make] of Object.entries(adapters)) {
  if (process.argv.includes("--alone")) break;
  try {
    const { run, close } = await make();
    peers[name] = await figures(run);
    await close();
  } catch (error) {
    console.error(`${name}: ${error.message}`);
  }
}
const ran = spawnSync("python3", [fileURLToPath(new URL("peers/pool.py", import.meta.url))], { encoding: "utf8" });
const python = ran.status === 0 ? JSON.parse(ran.stdout) : {};

const THREADS = /piscina|threads|tinypool$/;
const PROCESSES = /processes|cluster|farm/;

/** The best of the peers and its value, for a figure where more is better. */
function best(key, pattern = /./) {
  const of = Object.entries(peers).filter(([name]) => pattern.test(name));
  return of.map(([name, figures]) => [name, figures[key]]).sort(([, a], [, b]) => b - a)[0] ?? ["no peer"];
}

/** As `best`, for a figure where less is better. */
function least(key) {
  return (
    Object.entries(peers)
      .map(([name, figures]) => [name, figures[key]])
      .sort(([, a], [, b]) => a - b)[0] ?? ["no peer"]
  );
}

const report = new Report("Pools of 2 workers");
const against = (name, value) => ({ name, value });
const peer = (key, pattern) => against(...best(key, pattern));
report.row("apply, one at a time", "µs", ours.alone, "<= 0.35", against("Python", python.apply));
report.row("apply, one at a time", "µs", ours.alone, "<= 1", against(...least("alone")));
report.row("64 in flight", "1/s", ours[64], ">= 10", against("Python", python.async));
report.row("1024 in flight", "1/s", ours[1024], ">= 10", against("Python", python.async));
report.row("64 in flight", "1/s", ours[64], ">= 3", peer(64));
report.row("1024 in flight", "1/s", ours[1024], ">= 3", peer(1024));
report.row("map of 100,000", "1/s", ours.map, ">= 0.5", against("Python", python.map));
report.row("map, chunkSize 1", "1/s", ours.map1, ">= 5", against("Python", python.map1));
report.row("CPU-bound map, as often as serial", "×", ours.cpu, ">= 1.9");
// What is compiled in another process may be faster or slower than here: on Node 20 a recursive function declaration is 8 % slower.
report.row("the same, as often as in one worker alone", "×", ours.cpuAlone);
report.row("small object, 64 in flight", "1/s", ours.small, ">= 2", peer("small"));
report.row("1 MiB there and back, 2 in flight", "GB/s", ours.mib, ">= 1", peer("mib", THREADS));
report.row("1 MiB there and back, 2 in flight", "GB/s", ours.mib, ">= 4", peer("mib", PROCESSES));
report.row("100 MB there and back", "ms", ours.big, "<= 0.25", against("Python", python.big));
report.row("pool made to first result, cold", "ms", ours.cold, "<= 40");
report.row("pool made to first result, spares kept", "ms", ours.warm, "<= 5");
report.print();
process.exit(0);
