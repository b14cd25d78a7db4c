// Managers against Python's: medians of 5 runs, both sides in one go. node bench/manager.mjs (after npm run build)
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Manager, Process } from "../dist/index.js";
import { Report } from "./report.mjs";

const RUNS = 5;
const PIPELINED = 20_000;
const python = spawnSync("python3", [fileURLToPath(new URL("manager.py", import.meta.url))], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
const peer = Object.fromEntries(
  python.stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([name, us]) => [name, Number(us)]),
);

/** Microseconds for each piece of work: the median of 5 runs after a warm-up. */
function measureSync(count, work) {
  for (let i = 0; i < count; i++) work();
  const times = [];
  for (let run = 0; run < 5; run++) {
    const start = performance.now();
    for (let i = 0; i < count; i++) work();
    times.push(((performance.now() - start) / count) * 1000);
  }
  return times.sort((a, b) => a - b)[2];
}

async function measure(count, work) {
  await work();
  const times = [];
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await work();
    times.push(((performance.now() - start) / count) * 1000);
  }
  return times.sort((a, b) => a - b)[RUNS >> 1];
}

const report = new Report("Managers");
const row = (name, us, python, goal) => report.row(name, "µs", us, goal, { name: "Python", value: python });

const starts = [];
for (let run = 0; run <= RUNS; run++) {
  // A spare is kept when there has been a moment since the last start.
  await new Promise((resolve) => setTimeout(resolve, 400));
  const start = performance.now();
  const m = await Manager.start();
  if (run > 0) starts.push((performance.now() - start) * 1000);
  await m.shutdown();
}
row("start, with a spare", starts.sort((a, b) => a - b)[RUNS >> 1], peer.start, "<= 1");

const m = await Manager.start();
const [d, l, q, lock] = [await m.dict({ k: 1 }), await m.list(), await m.queue(), await m.lock()];
const child = new Process((measureSync) => {
  return {
    set: measureSync(2000, () => d.setSync("k", 1)),
    get: measureSync(2000, () => d.getSync("k")),
    view: measureSync(2000, () => (d.sync.k = 1)),
    append: measureSync(2000, () => l.pushSync(1)),
    queue: measureSync(1000, () => (q.putSync(1), q.getSync())),
    lock: measureSync(1000, () => (lock.acquireSync(), lock.releaseSync())),
  };
}, measureSync);
const sync = await child.start().result();
row("dict set, blocking, in a child", sync.set, peer.set, "<= 0.3");
row("dict get, blocking, in a child", sync.get, peer.get, "<= 0.3");
row("d.sync.k = 1, in a child", sync.view, peer.set, "<= 0.3");
row("list append, blocking", sync.append, peer.append, "<= 0.3");
row("queue put + get, blocking", sync.queue, peer.queue, "<= 0.3");
row("lock acquire + release, blocking", sync.lock, peer.lock, "<= 0.3");
row(
  "dict get, awaited one by one",
  await measure(2000, async () => {
    for (let i = 0; i < 2000; i++) await d.get("k");
  }),
  peer.get,
  "",
);
row(
  "dict set, pipelined",
  await measure(PIPELINED, () => Promise.all(Array.from({ length: PIPELINED }, () => d.set("k", 1)))),
  peer.set,
  "<= 0.125",
);
row(
  "dict get, pipelined",
  await measure(PIPELINED, () => Promise.all(Array.from({ length: PIPELINED }, () => d.get("k")))),
  peer.get,
  "<= 0.125",
);
row(
  "create a dict",
  await measure(100, async () => {
    for (let i = 0; i < 100; i++) await m.dict();
  }),
  peer.create,
  "<= 0.2",
);
const big = await m.dict(new Map(Array.from({ length: 10_000 }, (_, i) => [i, i])));
row(
  "copy 10,000 entries (toMap)",
  measureSync(20, () => big.toMapSync()),
  peer.copy,
  "<= 1",
);
await m.shutdown();

report.print();
