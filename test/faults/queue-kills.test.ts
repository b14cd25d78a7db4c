import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { QueueLedger } from "../helpers/queue-ledger.ts";
import { Random } from "../helpers/random.ts";

// Producers and consumers are killed at random, and replaced. Every item is accounted for.

const SECONDS = Number(process.env.MULTIPROC_STRESS_SECONDS ?? 2);

for (const maxSize of [50, 0]) {
  test(`killed producers and consumers lose and repeat nothing (maxSize ${maxSize}, ${SECONDS / 2} s)`, async (t) => {
    const random = new Random();
    t.diagnostic(`seed ${random.seed}`);
    const ledger = new QueueLedger({ maxSize, perProducer: 50_000, maxProducers: 400, maxConsumers: 2000 }, random);
    const producers = [ledger.startProducer(), ledger.startProducer()];
    const consumers = [ledger.startConsumer(), ledger.startConsumer()];
    let killedConsumers = 0;
    const end = Date.now() + (SECONDS / 2) * 1000;
    while (Date.now() < end && !ledger.full) {
      const isProducer = random.next() < 0.5;
      const group = isProducer ? producers : consumers;
      const slot = random.below(2);
      const victim = group[slot] as (typeof group)[number];
      // A process is killed only when it is at work.
      while (!victim.hasBegun() && Date.now() < end) await sleep(2);
      await sleep(random.below(30));
      victim.process.kill();
      await victim.process.join();
      if (!isProducer) killedConsumers += 1;
      group[slot] = isProducer ? ledger.startProducer() : ledger.startConsumer();
    }
    for (const { process } of producers) process.kill();
    for (const { process } of producers) await process.join();
    await ledger.drain(consumers);
    const { total, missing } = ledger.settle(killedConsumers);
    t.diagnostic(
      `${total} items of ${ledger.producers} producers; ${missing} unaccounted for, ${killedConsumers} consumers killed`,
    );
  });
}
