// Shared data against Python's: Value, SharedArray, and a 100 MB array on its way to a child.
//   node bench/shared.mjs          needs `npm run build` before; prints a table, medians of 5 runs
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { reviveHandle, TO_HANDLE } from "../dist/core/handle.js";
import { arenaFd, inheritArena, inheritParentSlot, selfSlot } from "../dist/memory/index.js";
import { SharedArray, Value } from "../dist/shared/index.js";

const RUNS = 5;
const LENGTH = 1024;

if (process.argv[2] === "child") await child();
else await main();

/** Receives handles and answers with the length or the last element of each, as text on stdin and stdout. */
async function child() {
  inheritArena(3);
  inheritParentSlot(Number(process.argv[3]));
  for await (const line of createInterface({ input: process.stdin })) {
    const { tag, data, touch } = JSON.parse(line);
    const array = reviveHandle(tag, data);
    console.log(touch ? array.view[array.length - 1] : array.length);
    // Now, before the next one comes, and not when the collector comes to it.
    array.close();
  }
}

async function main() {
  const python = pythonFigures();
  const value = new Value("int32", 0);
  const float = new Value("float64", 0);
  const big = new Value("int64", 0n);
  const array = new SharedArray("float64", LENGTH);
  const { view } = array;
  const rows = [
    [
      "Value add (int32)",
      perCall(
        2e6,
        (n) => {
          for (let i = 0; i < n; i++) value.add(1);
        },
        () => (value.value = 0),
      ),
      python.value,
      0.1,
    ],
    [
      "Value add (float64)",
      perCall(1e6, (n) => {
        for (let i = 0; i < n; i++) float.add(1);
      }),
      python.value,
      0.1,
    ],
    [
      "Value add (int64)",
      perCall(1e6, (n) => {
        for (let i = 0; i < n; i++) big.add(1n);
      }),
      python.value,
      0.1,
    ],
    [
      "Value read + write",
      perCall(
        2e6,
        (n) => {
          for (let i = 0; i < n; i++) value.value = value.value + 1;
        },
        () => (value.value = 0),
      ),
      python.value,
      0.1,
    ],
    [
      "element read + write: kept view",
      perCall(1e7, (n) => {
        for (let i = 0; i < n; i++) view[i & 1023] += 1;
      }),
      python.element,
      0.02,
    ],
    [
      "element read + write: a.view[i]",
      perCall(1e7, (n) => {
        for (let i = 0; i < n; i++) array.view[i & 1023] = array.view[i & 1023] + 1;
      }),
      python.element,
      0.02,
    ],
    [
      "element read + write: at, set",
      perCall(5e6, (n) => {
        for (let i = 0; i < n; i++) array.set(i & 1023, array.at(i & 1023) + 1);
      }),
      python.element,
      0.02,
    ],
    [
      "element read + write: a[i]",
      perCall(5e5, (n) => {
        for (let i = 0; i < n; i++) array[i & 1023] = array[i & 1023] + 1;
      }),
      python.element,
      0.02,
    ],
    [
      "element add, atomic",
      perCall(1e6, (n) => {
        for (let i = 0; i < n; i++) array.add(i & 1023, 1);
      }),
      python.element,
      undefined,
    ],
  ];
  console.log("figure".padEnd(34), "ns".padStart(8), "Python".padStart(8), "ratio".padStart(8), "goal".padStart(6));
  for (const [name, ns, reference, goal] of rows) {
    console.log(
      name.padEnd(34),
      ns.toFixed(1).padStart(8),
      reference.toFixed(0).padStart(8),
      (ns / reference).toFixed(4).padStart(8),
      String(goal ?? "").padStart(6),
    );
  }
  const { pass, touched, small } = await passing();
  console.log("\nSharedArray to a running child, which answers with a word (Python: 100 MB as bytes)");
  for (const [name, ms] of [
    ["100 MB, its length (goal 1 ms)", pass],
    ["100 MB, its last element (V8 reacts to the mapping)", touched],
    ["8 bytes, its length", small],
    ["Python", python.pass],
  ]) {
    console.log(name.padEnd(52), `${ms.toFixed(2)} ms`);
  }
}

function perCall(count, run, reset = () => {}) {
  run(count / 10);
  return median(
    Array.from({ length: RUNS }, () => {
      reset();
      const start = process.hrtime.bigint();
      run(count);
      return Number(process.hrtime.bigint() - start) / count;
    }),
  );
}

async function passing() {
  const peer = spawn(process.execPath, [fileURLToPath(import.meta.url), "child", String(selfSlot())], {
    stdio: ["pipe", "pipe", "inherit", arenaFd()],
  });
  const lines = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
  const time = async (length, touch) => {
    const array = new SharedArray("float64", length);
    array.view.fill(1);
    // What V8 does after so large an allocation is not what is measured.
    await setTimeout(200);
    const times = [];
    for (let i = 0; i <= RUNS; i++) {
      const start = performance.now();
      const { tag, data } = array[TO_HANDLE]();
      peer.stdin.write(`${JSON.stringify({ tag, data, touch })}\n`);
      await lines.next();
      times.push(performance.now() - start);
      await setTimeout(20);
    }
    array.close();
    return median(times.slice(1));
  };
  await time(1, true);
  const pass = await time(12_500_000, false);
  const touched = await time(12_500_000, true);
  const small = await time(1, false);
  peer.stdin.end();
  await once(peer, "exit");
  return { pass, touched, small };
}

function pythonFigures() {
  const script = `
import json, time, multiprocessing as mp
def median(run):
    t = []
    for _ in range(${RUNS}):
        s = time.perf_counter(); run(); t.append(time.perf_counter() - s)
    return sorted(t)[len(t) // 2]
N = 100000
v = mp.Value("i", 0)
def add():
    for _ in range(N):
        with v.get_lock(): v.value += 1
a = mp.Array("d", ${LENGTH})
def element():
    for i in range(N): a[i & 1023] = a[i & 1023] + 1
def child(c):
    while True:
        b = c.recv_bytes()
        if not b: return
        c.send(b[-1])
here, there = mp.Pipe()
p = mp.Process(target=child, args=(there,)); p.start()
data = bytes(100_000_000)
def send(): here.send_bytes(data); here.recv()
send()
r = {"value": median(add) / N * 1e9, "element": median(element) / N * 1e9, "pass": median(send) * 1e3}
here.send_bytes(b""); p.join()
print(json.dumps(r))`;
  const { stdout, stderr, status } = spawnSync("python3", ["-c", script], { encoding: "utf8" });
  if (status !== 0) throw new Error(`python3 failed: ${stderr}`);
  return JSON.parse(stdout);
}

function median(times) {
  return times.toSorted((a, b) => a - b)[times.length >> 1];
}
