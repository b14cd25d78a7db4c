/** A queue with several producers and consumers, which are killed and replaced; and a joinable one. */

import assert from "node:assert/strict";
import { JoinableQueue, Process, QueueShutdownError } from "../../../src/index.ts";
import { QueueLedger, type QueueWorker } from "../../helpers/queue-ledger.ts";
import type { Lap, Part } from "../part.ts";

const EACH = 2;
const PATIENCE_MS = 60_000;

async function ledger(lap: Lap): Promise<void> {
  const maxSize = lap.random.pick([0, 50]);
  const items = new QueueLedger({ maxSize, perProducer: 20_000, maxProducers: 60, maxConsumers: 200 }, lap.random);
  const running = new Set<QueueWorker>();
  lap.expose(() => [...running].filter((worker) => worker.hasBegun()).map(({ process }) => process.pid));
  let killedConsumers = 0;
  /** Replaces a worker whenever it ends; gives the last one, which lived to the end of the lap. */
  const keep = async (start: () => QueueWorker): Promise<QueueWorker | undefined> => {
    let worker: QueueWorker | undefined;
    while (!lap.over && !items.full) {
      worker = start();
      running.add(worker);
      let code: number | null = null;
      while (!lap.over && code === null) code = await worker.process.join({ timeout: 50 });
      if (code === null && lap.wasKilled(worker.process.pid)) code = await worker.process.join();
      if (code === null) return worker;
      running.delete(worker);
      assert.ok(code === 0 || lap.wasKilled(worker.process.pid), `${worker.process.name} ended with ${code}`);
      if (code !== 0 && !worker.isProducer) killedConsumers += 1;
      worker = undefined;
    }
    return worker;
  };
  const each = <T>(make: () => T): T[] => Array.from({ length: EACH }, make);
  const [producers, consumers] = await Promise.all([
    Promise.all(each(() => keep(() => items.startProducer()))),
    Promise.all(each(() => keep(() => items.startConsumer()))),
  ]);
  for (const producer of producers) producer?.process.kill();
  for (const producer of producers) await producer?.process.join();
  const living = consumers.filter((consumer) => consumer !== undefined);
  // Somebody must take what is left.
  if (living.length === 0) living.push(items.startConsumer());
  await items.drain(living);
  const { total, missing } = items.settle(killedConsumers);
  lap.count("items", total);
  lap.count("items taken by a consumer that was then killed", missing);
  items.close();
}

async function work(queue: JoinableQueue<number>): Promise<number> {
  let sum = 0;
  try {
    for (;;) {
      sum += await queue.get();
      queue.taskDone();
    }
  } catch (error) {
    if (!(error instanceof QueueShutdownError)) throw error;
  }
  return sum;
}

/** Nobody is killed here: a task whose worker is gone is never done. */
async function joinable(lap: Lap): Promise<void> {
  const queue = new JoinableQueue<number>(20);
  const workers = [1, 2].map(() => new Process(work, queue).start());
  let sum = 0;
  while (!lap.over) {
    for (let n = lap.random.below(30); n > 0; n--) {
      await queue.put(n);
      sum += n;
      lap.count("tasks");
    }
    assert.equal(await queue.join({ timeout: PATIENCE_MS }), true);
    assert.equal(queue.size, 0);
  }
  queue.shutdown();
  const sums = await Promise.all(workers.map((worker) => worker.result()));
  assert.equal(
    sums.reduce((a, b) => a + b, 0),
    sum,
  );
  for (const worker of workers) await worker.join();
  queue.close();
}

export const queues: Part = {
  name: "queues",
  guarantee:
    "Each item whose `put` was completed arrives exactly once, whichever producers and consumers were killed; for each killed consumer at most " +
    "one item that it had just taken is unaccounted for. `join()` of a joinable queue ends when all tasks are done, and not before.",
  async lap(lap) {
    await Promise.all([ledger(lap), joinable(lap)]);
  },
};
