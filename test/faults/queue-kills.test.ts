import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Process, Queue, QueueShutdownError, SharedArray } from "../../src/index.ts";
import { Random } from "../helpers/random.ts";

// Producers and consumers are killed at random, and replaced. Every item is accounted for: what a completed put handed over arrives,
// exactly once; only what a killed consumer had just taken may be unaccounted for, one item each.

const SECONDS = Number(process.env.MULTIPROC_STRESS_SECONDS ?? 2);
const PER_PRODUCER = 50_000;
const MAX_PRODUCERS = 400;
const MAX_CONSUMERS = 2000;

/** Puts items that say who made them, of all sizes; `completed` counts those whose put has returned. */
function produce(queue: Queue<unknown>, completed: SharedArray<"uint32">, me: number, perProducer: number): void {
  const medium = "m".repeat(20_000);
  const large = "l".repeat(1_500_000);
  for (let i = 0; i < perProducer; i++) {
    const item = me * perProducer + i;
    if (i % 997 === 996) queue.putSync({ item, pad: large });
    else if (i % 31 === 30) queue.putSync({ item, pad: medium });
    else if (i % 3 === 2) queue.putSync({ item });
    else queue.putSync(item);
    completed.add(me, 1);
  }
}

/** Takes items and marks each; a second mark would show. */
function consumeSync(
  queue: Queue<unknown>,
  seen: SharedArray<"uint8">,
  taken: SharedArray<"uint32">,
  me: number,
): void {
  try {
    for (;;) {
      const item = queue.getSync();
      taken.add(me, 1);
      seen.add(typeof item === "number" ? item : (item as { item: number }).item, 1);
    }
  } catch (error) {
    if (!(error instanceof QueueShutdownError)) throw error;
  }
}

async function consume(
  queue: Queue<unknown>,
  seen: SharedArray<"uint8">,
  taken: SharedArray<"uint32">,
  me: number,
): Promise<void> {
  for await (const item of queue) {
    taken.add(me, 1);
    seen.add(typeof item === "number" ? item : (item as { item: number }).item, 1);
  }
}

/** A process that is killed only when it is at work. */
interface Victim {
  readonly process: Process<unknown>;
  readonly counts: SharedArray<"uint32">;
  readonly index: number;
}

for (const maxSize of [50, 0]) {
  test(`killed producers and consumers lose and repeat nothing (maxSize ${maxSize}, ${SECONDS / 2} s)`, async (t) => {
    const random = new Random();
    t.diagnostic(`seed ${random.seed}`);
    const queue = new Queue<unknown>(maxSize);
    const seen = new SharedArray("uint8", PER_PRODUCER * MAX_PRODUCERS);
    const completed = new SharedArray("uint32", MAX_PRODUCERS);
    const taken = new SharedArray("uint32", MAX_CONSUMERS);
    let made = 0;
    let madeConsumers = 0;
    let killedConsumers = 0;
    const startProducer = (): Victim => {
      const process = new Process(produce, queue, completed, made, PER_PRODUCER).start();
      return { process, counts: completed, index: made++ };
    };
    const startConsumer = (): Victim => {
      const target = random.pick([consume, consumeSync]);
      const process = new Process(target, queue, seen, taken, madeConsumers).start();
      return { process, counts: taken, index: madeConsumers++ };
    };
    const producers = [startProducer(), startProducer()];
    const consumers = [startConsumer(), startConsumer()];
    const end = Date.now() + (SECONDS / 2) * 1000;
    while (Date.now() < end && made < MAX_PRODUCERS && madeConsumers < MAX_CONSUMERS) {
      const isProducer = random.next() < 0.5;
      const group = isProducer ? producers : consumers;
      const slot = random.below(2);
      const { process, counts, index } = group[slot] as Victim;
      while (counts.at(index) === 0 && Date.now() < end) await sleep(2);
      await sleep(random.below(30));
      process.kill();
      await process.join();
      if (!isProducer) killedConsumers += 1;
      group[slot] = isProducer ? startProducer() : startConsumer();
    }
    for (const { process } of producers) process.kill();
    for (const { process } of producers) await process.join();
    queue.shutdown();
    for (const { process } of consumers) assert.equal(await process.join({ timeout: 60_000 }), 0);
    assert.equal(queue.size, 0);
    let missing = 0;
    let total = 0;
    for (let producer = 0; producer < made; producer++) {
      const done = completed.at(producer) as number;
      total += done;
      for (let i = 0; i < PER_PRODUCER; i++) {
        const times = seen.at(producer * PER_PRODUCER + i) as number;
        assert.ok(times <= 1, `item ${i} of producer ${producer} came ${times} times`);
        if (i < done && times === 0) missing += 1;
        // The put that was being made when the producer was killed may be in or not.
        if (i > done)
          assert.equal(times, 0, `item ${i} of producer ${producer}, who completed ${done}, is from nowhere`);
      }
    }
    t.diagnostic(
      `${total} items of ${made} producers; ${missing} unaccounted for, ${killedConsumers} consumers killed`,
    );
    assert.ok(
      missing <= killedConsumers,
      `${missing} items are missing, but only ${killedConsumers} consumers were killed`,
    );
  });
}
