// Synchronization against Python's: medians of 5 runs, both sides in one go; first with a processor for each process, then with both
// processes on one.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Barrier, Condition, Event, Lock, Process, RLock, Semaphore, SharedArray } from "../dist/index.js";
import { median, Report } from "./report.mjs";

const RUNS = 5;
const ROUNDS = 3000;
const CONTENDED = 100_000;
const oneCpu = process.argv.includes("--one-cpu");
const self = fileURLToPath(import.meta.url);

/** The scheduler likes to put two that talk on one processor: what is called two is pinned to two. */
function pin(pid, cpu) {
  if (!oneCpu) spawnSync("taskset", ["-acp", cpu, String(pid)]);
}

function pythonFigures() {
  const { stdout, status } = spawnSync("python3", [fileURLToPath(new URL("sync.py", import.meta.url))], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) return {};
  const lines = stdout.trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(" ")).map(([name, us]) => [name, Number(us)]));
}

/** Microseconds a round: the median of 5 runs after a warm-up. */
async function measure(count, work) {
  const times = [];
  for (let run = 0; run <= RUNS; run++) {
    const start = performance.now();
    await work(count);
    times.push(((performance.now() - start) / count) * 1000);
  }
  return median(times.slice(1));
}

/** Both sides of a game, each in a process; `work(n)` plays n rounds. */
async function against(rounds, work, peer, args) {
  const child = new Process(peer, rounds * (RUNS + 1), ...args).start();
  pin(child.pid, "1");
  const time = await measure(rounds, work);
  await child.join();
  return time;
}

const python = pythonFigures();
pin(process.pid, "0");
const report = new Report(oneCpu ? "Synchronization, both processes on one CPU" : "Synchronization, two CPUs");
const peer = (name) => ({ name: "Python", value: python[name] });
const goal = oneCpu ? "<= 1.2" : "<= 0.1";

if (!oneCpu) {
  const lock = new Lock();
  const held = await measure(200_000, (n) => {
    for (let i = 0; i < n; i++) {
      lock.acquireSync();
      lock.release();
    }
  });
  report.row("Lock acquire + release, sync", "µs", held, "<= 0.6", peer("lock"));
  const awaited = await measure(100_000, async (n) => {
    for (let i = 0; i < n; i++) {
      await lock.acquire();
      lock.release();
    }
  });
  report.row("Lock acquire + release, promises", "µs", awaited, "<= 0.5");

  const counter = new SharedArray("float64", 1);
  const { view } = counter;
  const contended = await against(
    CONTENDED,
    (n) => {
      for (let i = 0; i < n; i++) {
        lock.acquireSync();
        view[0] += 1;
        lock.release();
      }
    },
    (n, l, c) => {
      const shared = c.view;
      for (let i = 0; i < n; i++) {
        l.acquireSync();
        shared[0] += 1;
        l.release();
      }
    },
    [lock, counter],
  );
  if (view[0] !== 2 * CONTENDED * (RUNS + 1)) throw new Error(`A count was lost: ${view[0]}`);
  report.row("Lock contended by 2 processes, counter++", "M/s", 2 / contended, ">= 4", peer("contended"));
}

const [there, back] = [new Semaphore(0), new Semaphore(0)];
const semaphore = await against(
  ROUNDS,
  (n) => {
    for (let i = 0; i < n; i++) {
      there.release();
      back.acquireSync();
    }
  },
  (n, a, b) => {
    for (let i = 0; i < n; i++) {
      a.acquireSync();
      b.release();
    }
  },
  [there, back],
);
report.row("Semaphore ping-pong, sync", "µs", semaphore, goal, peer("semaphore"));

const [on, off] = [new Event(), new Event()];
const event = await against(
  ROUNDS,
  (n) => {
    for (let i = 0; i < n; i++) {
      on.set();
      off.waitSync();
      off.clear();
    }
  },
  (n, a, b) => {
    for (let i = 0; i < n; i++) {
      a.waitSync();
      a.clear();
      b.set();
    }
  },
  [on, off],
);
report.row("Event ping-pong, sync", "µs", event, goal, peer("event"));

const turn = new SharedArray("int32", 1);
const condition = new Condition(new RLock());
function play(n, mine, cond, turns) {
  const { view } = turns;
  for (let i = 0; i < n; i++) {
    cond.acquireSync();
    while (view[0] !== mine) cond.waitSync();
    view[0] = 1 - mine;
    cond.notify();
    cond.release();
  }
}
const conditions = await against(
  ROUNDS,
  (n) => play(n, 0, condition, turn),
  (n, c, t, fn) => fn(n, 1, c, t),
  [condition, turn, play],
);
report.row("Condition ping-pong, sync", "µs", conditions, goal, peer("condition"));

const barrier = new Barrier(2);
const barriers = await against(
  ROUNDS,
  (n) => {
    for (let i = 0; i < n; i++) barrier.waitSync();
  },
  (n, b) => {
    for (let i = 0; i < n; i++) b.waitSync();
  },
  [barrier],
);
report.row("Barrier round, sync", "µs", barriers, goal, peer("barrier"));

const promised = await against(
  ROUNDS / 2,
  async (n) => {
    for (let i = 0; i < n; i++) {
      there.release();
      await back.acquire();
    }
  },
  async (n, a, b) => {
    for (let i = 0; i < n; i++) {
      await a.acquire();
      b.release();
    }
  },
  [there, back],
);
report.row("Semaphore ping-pong, promises", "µs", promised, oneCpu ? "" : "<= 0.8", peer("semaphore"));
const flags = await against(
  ROUNDS / 2,
  async (n) => {
    for (let i = 0; i < n; i++) {
      on.set();
      await off.wait();
      off.clear();
    }
  },
  async (n, a, b) => {
    for (let i = 0; i < n; i++) {
      await a.wait();
      a.clear();
      b.set();
    }
  },
  [on, off],
);
report.row("Event ping-pong, promises", "µs", flags, oneCpu ? "" : "<= 0.8", peer("event"));

async function playAwaiting(n, mine, cond, turns) {
  const { view } = turns;
  for (let i = 0; i < n; i++) {
    await cond.acquire();
    while (view[0] !== mine) await cond.wait();
    view[0] = 1 - mine;
    cond.notify();
    cond.release();
  }
}
const awaitedConditions = await against(
  ROUNDS / 2,
  (n) => playAwaiting(n, 0, condition, turn),
  (n, c, t, fn) => fn(n, 1, c, t),
  [condition, turn, playAwaiting],
);
report.row("Condition ping-pong, promises", "µs", awaitedConditions, oneCpu ? "" : "<= 0.8", peer("condition"));

const awaitedBarriers = await against(
  ROUNDS / 2,
  async (n) => {
    for (let i = 0; i < n; i++) await barrier.wait();
  },
  async (n, b) => {
    for (let i = 0; i < n; i++) await b.wait();
  },
  [barrier],
);
report.row("Barrier round, promises", "µs", awaitedBarriers, oneCpu ? "" : "<= 0.8", peer("barrier"));
report.print();

if (!oneCpu) {
  const again = spawnSync("taskset", ["-c", "0", process.execPath, self, "--one-cpu"], { stdio: "inherit" });
  process.exit(again.status ?? 1);
}
process.exit(0);
