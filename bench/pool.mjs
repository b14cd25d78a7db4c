// The pool against Python's and against Node's pools: 2 workers, medians of 5 windows.
//   npm run build && npm install --prefix bench/peers && node bench/pool.mjs
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Pool } from "../dist/index.js";
import { adapters } from "./peers/adapters.mjs";
import { median } from "./report.mjs";

const RUNS = 5;
const WINDOW_MS = 300;
const echo = (x) => x;
const small = { a: 1, b: "x", c: [1, 2, 3] };
const mib = new Uint8Array(2 ** 20);

async function medianOf(runs, measure) {
  const values = [];
  for (let i = 0; i < runs; i++) values.push(await measure());
  return median(values);
}

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
  out.big = await medianOf(RUNS, () => timed(() => pool.apply(echo, [big])));
  const work = Array.from({ length: 64 }, () => 27);
  const serial = await medianOf(3, () => timed(() => work.forEach((n) => fib(n))));
  out.cpu = serial / (await medianOf(3, () => timed(() => pool.map(fib, work, { chunkSize: 4 }))));
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

/** The best of the peers, for a figure where more is better. */
function best(key, pattern = /./) {
  const of = Object.entries(peers).filter(([name]) => pattern.test(name));
  return Math.max(...of.map(([, figures]) => figures[key]));
}

const rows = [
  ["apply, one at a time (µs)", ours.alone, python.apply, "<= 0.35"],
  ["64 in flight (1/s), Python", ours[64], python.async, ">= 10"],
  ["1024 in flight (1/s), Python", ours[1024], python.async, ">= 10"],
  ["64 in flight (1/s), best peer", ours[64], best(64), ">= 3"],
  ["1024 in flight (1/s), best peer", ours[1024], best(1024), ">= 3"],
  ["map of 100,000 (1/s)", ours.map, python.map, ">= 0.5"],
  ["map, chunkSize 1 (1/s)", ours.map1, python.map1, ">= 5"],
  ["CPU-bound map (x serial)", ours.cpu, 1, ">= 1.9"],
  ["small object, 64 in flight (1/s), best peer", ours.small, best("small"), ">= 2"],
  ["1 MiB there and back (GB/s), best threads", ours.mib, best("mib", /piscina|threads/), ">= 1"],
  ["1 MiB there and back (GB/s), best processes", ours.mib, best("mib", /processes|cluster|farm/), ">= 4"],
  ["100 MB there and back (ms)", ours.big, python.big, "<= 0.25"],
  ["pool made to first result, cold (ms)", ours.cold, 1, "<= 40"],
  ["pool made to first result, spares kept (ms)", ours.warm, 1, "<= 5"],
];
for (const [name, value, peer, goal] of rows) {
  const ratio = value / peer;
  const [sign, bound] = goal.split(" ");
  const ok = sign === "<=" ? ratio <= Number(bound) : ratio >= Number(bound);
  const cells = [value, peer, ratio].map((n) =>
    (n > 1000 ? Math.round(n).toLocaleString("en") : (n ?? NaN).toPrecision(3)).padStart(12),
  );
  console.log(
    `${name.padEnd(44)}${cells.join("")}  ${goal}  ${Number.isNaN(ratio) ? "no peer" : ok ? "ok" : "MISSED"}`,
  );
}
