// Queues and pipes against Python's, process.send and a MessagePort between threads: medians of 5 runs, all sides in one go.
//   npm run build && node bench/channel.mjs
import { fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { Pipe, Process, Queue } from "../dist/index.js";
import { median, Report } from "./report.mjs";

const RUNS = 5;
const SMALL = { id: 1, name: "item", ok: true };
const MIB = 1 << 20;
const IDLE_MS = 10_000;
/** How much goes in one run: about a tenth to a third of a second for each side. */
const COUNTS = { integers: 600_000, objects: 200_000, blocks: 300, trips: 10_000, promiseTrips: 10_000 };
const PEER_COUNTS = { json: 40_000, advanced: 20_000, port: 100_000, blocks: 300 };
/**
 * How many messages the peers send without letting their event loop turn. 50, 300, 2000 and all at once were tried once, on a busy
 * machine: for integers and for a MessagePort 300 was best or near it; for objects by process.send json it was not (all at once was).
 */
const [BATCH, BLOCK_BATCH] = [300, 4];
const PEER = fileURLToPath(new URL("programs/channel-peer.mjs", import.meta.url));

/** The median of 5 runs after one to warm up. */
async function medianOf(run) {
  await run();
  const figures = [];
  for (let i = 0; i < RUNS; i++) figures.push(await run());
  return median(figures);
}

const seconds = (start) => (performance.now() - start) / 1000;

function putAll(go, queue, item, count) {
  while (go.getSync()) {
    for (let i = 0; i < count; i++) queue.putSync(item);
  }
}

/** Items a second from a child to this process. */
async function oneWay(item, count) {
  const [go, queue] = [new Queue(), new Queue()];
  const child = new Process(putAll, go, queue, item, count).start();
  const figure = await medianOf(() => {
    go.putSync(true);
    const start = performance.now();
    for (let i = 0; i < count; i++) queue.getSync();
    return count / seconds(start);
  });
  go.putSync(false);
  await child.join();
  return figure;
}

function takeAll(go, done, queue, count) {
  while (go.getSync()) {
    for (let i = 0; i < count; i++) queue.getSync();
    done.putSync(true);
  }
}

/** Items a second of two producers and two consumers, all children; each pair has its own of the queues, or all share one. */
async function twoPairs(queues, item, count) {
  const [go, done] = [new Queue(), new Queue()];
  const gos = [];
  const children = [0, 1].flatMap((i) => {
    const queue = queues[i % queues.length];
    const [a, b] = [new Queue(), new Queue()];
    gos.push(a, b);
    return [new Process(putAll, a, queue, item, count), new Process(takeAll, b, done, queue, count)];
  });
  for (const child of children) child.start();
  go.close();
  const figure = await medianOf(async () => {
    const start = performance.now();
    for (const each of gos) each.putSync(true);
    for (let i = 0; i < 2; i++) done.getSync();
    return (2 * count) / seconds(start);
  });
  for (const each of gos) each.putSync(false);
  await Promise.all(children.map((child) => child.join()));
  return figure;
}

function pin(pid, cpus) {
  spawnSync("taskset", ["-cp", cpus, String(pid)]);
}

const cpusOf = (pid) => /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1];

/** Microseconds for there and back, both sides blocking; pinned to one CPU each, or as the system likes it. */
async function roundTrip(across) {
  const [here, there] = Pipe();
  const child = new Process((end) => {
    for (let message = end.recvSync(); message !== null; message = end.recvSync()) end.sendSync(message);
  }, there).start();
  here.sendSync(0);
  here.recvSync();
  const before = cpusOf(process.pid);
  if (across) [process.pid, child.pid].forEach((pid, cpu) => pin(pid, String(cpu)));
  const figure = await medianOf(() => {
    const start = performance.now();
    for (let i = 0; i < COUNTS.trips; i++) {
      here.sendSync(i);
      here.recvSync();
    }
    return (seconds(start) * 1e6) / COUNTS.trips;
  });
  if (across) pin(process.pid, before);
  here.sendSync(null);
  await child.join();
  return figure;
}

async function promiseRoundTrip() {
  const [here, there] = Pipe();
  const child = new Process(async (end) => {
    for (let message = await end.recv(); message !== null; message = await end.recv()) await end.send(message);
  }, there).start();
  const figure = await medianOf(async () => {
    const start = performance.now();
    for (let i = 0; i < COUNTS.promiseTrips; i++) {
      await here.send(i);
      await here.recv();
    }
    return (seconds(start) * 1e6) / COUNTS.promiseTrips;
  });
  await here.send(null);
  await child.join();
  return figure;
}

/** GB a second; into a buffer of the reader's when there is one, else each into a new one. */
async function blocks(into) {
  const [reader, writer] = Pipe({ duplex: false });
  const go = new Queue();
  const sendBlocks = (go, writer, size, count) => {
    const block = new Uint8Array(size);
    while (go.getSync()) {
      for (let i = 0; i < count; i++) writer.sendBytesSync(block);
    }
  };
  const child = new Process(sendBlocks, go, writer, MIB, COUNTS.blocks).start();
  const figure = await medianOf(() => {
    go.putSync(true);
    const start = performance.now();
    for (let i = 0; i < COUNTS.blocks; i++) {
      if (into === undefined) reader.recvBytesSync();
      else reader.recvBytesIntoSync(into);
    }
    return (COUNTS.blocks * MIB) / seconds(start) / 1e9;
  });
  go.putSync(false);
  await child.join();
  return figure;
}

/** Messages a second from a peer that is asked with `order` and answers with "message" events. */
async function eventsPerSecond(peer, order, item, count, batch = BATCH) {
  let got = 0;
  let done;
  peer.on("message", () => {
    if (++got === count) done();
  });
  const figure = await medianOf(async () => {
    got = 0;
    const end = new Promise((resolve) => (done = resolve));
    const start = performance.now();
    order({ item, count, batch });
    await end;
    return count / seconds(start);
  });
  order("end");
  await once(peer, "exit");
  return figure;
}

function processSend(serialization, item) {
  const child = fork(PEER, { serialization });
  return eventsPerSecond(child, (order) => child.send(order), item, PEER_COUNTS[serialization]);
}

function messagePort(item, count, batch) {
  const worker = new Worker(PEER);
  return eventsPerSecond(worker, (order) => worker.postMessage(order), item, count, batch);
}

/** Seconds that all threads of a process have run. */
function cpuSeconds(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ")[0]));
  return times.reduce((sum, ns) => sum + ns, 0) / 1e9;
}

async function python() {
  const child = spawn("python3", [fileURLToPath(new URL("channel.py", import.meta.url))], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = (await child.stdout.toArray()).join("");
  const lines = text.trim().split("\n");
  return Object.fromEntries(
    lines.map((line) => line.split(" ")).map(([name, ...all]) => [name, median(all.map(Number))]),
  );
}

/**
 * A blocked and an awaiting reader, to be measured when all else is done. V8 collects garbage once more 8 or 16 s after the last time (its
 * memory reducer, in any program of Node that has collected once): 15 ms that belong to the start, and would be 0.15 % of 10 s. They are
 * 0 with --no-memory-reducer.
 */
function startIdling() {
  const queue = new Queue();
  const waiters = [new Process((q) => q.getSync(), queue), new Process((q) => q.get(), queue)];
  for (const waiter of waiters) waiter.start();
  return { queue, waiters };
}

/** The per cent of a CPU that each uses. */
async function idleOf({ queue, waiters }) {
  const before = waiters.map(({ pid }) => cpuSeconds(pid));
  const start = performance.now();
  await sleep(IDLE_MS);
  const idle = waiters.map(({ pid }, i) => ((cpuSeconds(pid) - before[i]) / seconds(start)) * 100);
  for (const waiter of waiters) await queue.put(waiter.pid);
  await Promise.all(waiters.map((waiter) => waiter.join()));
  return idle;
}

const report = new Report("Queues and pipes");
const K = { unit: "k/s", scale: 1e-3 };
const US = { unit: "µs", scale: 1 };
const GB = { unit: "GB/s", scale: 1 };
let figure = "";

/** @param name Empty for another peer of the last figure. @param atLeast True when more is better. */
function row(name, value, peerName, peer, { unit, scale }, goal, atLeast) {
  figure = name || figure;
  const wanted = goal === undefined ? "" : `${atLeast ? ">=" : "<="} ${goal}`;
  report.row(figure, unit, value * scale, wanted, { name: peerName, value: peer * scale });
}

const began = performance.now();
const idlers = startIdling();
const peer = await python();

const integers = await oneWay(5, COUNTS.integers);
const json = await processSend("json", 5);
const advanced = await processSend("advanced", 5);
row("queue, one way, integers", integers, "python3 Queue", peer.integers, K, 12, true);
row("", integers, "process.send json", json, K, ...(json >= advanced ? [8, true] : []));
row("", integers, "process.send advanced", advanced, K, ...(advanced > json ? [8, true] : []));
row("", integers, "MessagePort", await messagePort(5, PEER_COUNTS.port), K, 1.5, true);

const objects = await oneWay(SMALL, COUNTS.objects);
row("queue, one way, small objects", objects, "python3 Queue", peer.objects, K, 8, true);
row("", objects, "process.send json", await processSend("json", SMALL), K);
row("", objects, "process.send advanced", await processSend("advanced", SMALL), K);
row("", objects, "MessagePort", await messagePort(SMALL, PEER_COUNTS.port), K, 1.2, true);

row("pipe round trip, blocking, a CPU each", await roundTrip(true), "python3 Pipe", peer.tripAcross, US, 0.25, false);
row("pipe round trip, blocking, unpinned", await roundTrip(false), "python3 Pipe", peer.trip, US);
row("pipe round trip, promises", await promiseRoundTrip(), "python3, blocking", peer.trip, US, 1, false);

const port = await messagePort("block", PEER_COUNTS.blocks, BLOCK_BATCH);
const fresh = await blocks();
const reused = await blocks(new Uint8Array(MIB));
row("1 MiB blocks, recvBytes", fresh, "python3 send_bytes", peer.blocks, GB, 3, true);
row("", fresh, "MessagePort, copied", (port * MIB) / 1e9, GB, 1.5, true);
row("1 MiB blocks, recvBytesInto", reused, "python3 send_bytes", peer.blocks, GB);
row("", reused, "MessagePort, copied", (port * MIB) / 1e9, GB);

const apart = await twoPairs([new Queue(), new Queue()], SMALL, COUNTS.objects / 2);
const shared = await twoPairs([new Queue()], SMALL, COUNTS.objects / 2);
row("2 producers, 2 consumers, one queue", shared, "two pairs at once", apart, K, 0.7, true);
row("", shared, "2 x a pair alone", 2 * objects, K);

const idle = await idleOf(idlers);
report.row("idle for 10 s, blocked", "% CPU", idle[0], "<= 0.05");
report.row("idle for 10 s, awaiting", "% CPU", idle[1], "<= 0.05");
report.print();
// Shared cores make all of this vary: a figure is worth something when the load is that of the benchmark itself, about 2.
console.log(`${seconds(began).toFixed(0)} s in all; load average at the end ${loadavg()[0].toFixed(1)}`);
