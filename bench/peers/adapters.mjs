// One way to call each peer: { name, run(x), close() }. Needs `npm install` in this folder.
import { fileURLToPath } from "node:url";

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

export const adapters = {
  async piscina() {
    const { Piscina } = await import("piscina");
    const pool = new Piscina({ filename: file("worker.mjs"), minThreads: 2, maxThreads: 2 });
    return { run: (x) => pool.run(x), close: () => pool.destroy() };
  },
  async "piscina tuned"() {
    const { Piscina, FixedQueue } = await import("piscina");
    const options = { minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 64, taskQueue: new FixedQueue() };
    const pool = new Piscina({ filename: file("worker.mjs"), ...options });
    return { run: (x) => pool.run(x), close: () => pool.destroy() };
  },
  async "tinypool threads"() {
    const { Tinypool } = await import("tinypool");
    const pool = new Tinypool({ filename: file("worker.mjs"), minThreads: 2, maxThreads: 2 });
    return { run: (x) => pool.run(x), close: () => pool.destroy() };
  },
  async "workerpool processes"() {
    const { default: workerpool } = await import("workerpool");
    const options = { minWorkers: 2, maxWorkers: 2, workerType: "process", forkOpts: { serialization: "advanced" } };
    const pool = workerpool.pool(file("workerpool-worker.mjs"), options);
    return { run: (x) => pool.exec("echo", [x]), close: () => pool.terminate() };
  },
  async "poolifier threads"() {
    const { FixedThreadPool } = await import("poolifier");
    const pool = new FixedThreadPool(2, file("poolifier-worker.cjs"));
    return { run: (x) => pool.execute(x), close: () => pool.destroy() };
  },
  async "poolifier cluster"() {
    const { FixedClusterPool } = await import("poolifier");
    const pool = new FixedClusterPool(2, file("poolifier-worker.cjs"));
    return { run: (x) => pool.execute(x), close: () => pool.destroy() };
  },
  async "worker-farm"() {
    const { default: farm } = await import("worker-farm");
    const call = farm({ maxConcurrentWorkers: 2 }, file("farm-worker.cjs"));
    const run = (x) => new Promise((yes, no) => call(x, (error, value) => (error ? no(error) : yes(value))));
    return { run, close: () => farm.end(call) };
  },
};
