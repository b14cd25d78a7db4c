/**
 * Accounts for every item of a queue whose producers and consumers are killed: what a completed put handed over arrives, exactly once;
 * only what a killed consumer had just taken may be unaccounted for, one item each.
 */

import assert from "node:assert/strict";
import { Process, Queue, QueueShutdownError, SharedArray } from "../../src/index.ts";
import type { Random } from "./random.ts";

const PATIENCE_MS = 60_000;

export interface LedgerLimits {
  readonly maxSize: number;
  readonly perProducer: number;
  readonly maxProducers: number;
  readonly maxConsumers: number;
}

/** A producer or consumer. `hasBegun` when it has put or taken something. */
export interface QueueWorker {
  readonly process: Process<unknown>;
  readonly isProducer: boolean;
  hasBegun(): boolean;
}

/** Puts items that say who made them, of all sizes; `completed` counts those whose put has returned. */
function produce(queue: Queue<unknown>, completed: SharedArray<"uint32">, me: number, perProducer: number): void {
  const medium = "m".repeat(20_000);
  const large = "l".repeat(1_500_000);
  try {
    for (let i = 0; i < perProducer; i++) {
      const item = me * perProducer + i;
      if (i % 997 === 996) queue.putSync({ item, pad: large });
      else if (i % 31 === 30) queue.putSync({ item, pad: medium });
      else if (i % 3 === 2) queue.putSync({ item });
      else queue.putSync(item);
      completed.add(me, 1);
    }
  } catch (error) {
    if (!(error instanceof QueueShutdownError)) throw error;
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

export class QueueLedger {
  readonly queue: Queue<unknown>;
  readonly #limits: LedgerLimits;
  readonly #random: Random;
  readonly #seen: SharedArray<"uint8">;
  readonly #completed: SharedArray<"uint32">;
  readonly #taken: SharedArray<"uint32">;
  #producers = 0;
  #consumers = 0;

  constructor(limits: LedgerLimits, random: Random) {
    this.#limits = limits;
    this.#random = random;
    this.queue = new Queue(limits.maxSize);
    this.#seen = new SharedArray("uint8", limits.perProducer * limits.maxProducers);
    this.#completed = new SharedArray("uint32", limits.maxProducers);
    this.#taken = new SharedArray("uint32", limits.maxConsumers);
  }

  get producers(): number {
    return this.#producers;
  }

  /** True when no more workers can be told apart. */
  get full(): boolean {
    return this.#producers === this.#limits.maxProducers || this.#consumers === this.#limits.maxConsumers;
  }

  startProducer(): QueueWorker {
    const index = this.#producers++;
    const process = new Process(produce, this.queue, this.#completed, index, this.#limits.perProducer).start();
    return { process, isProducer: true, hasBegun: () => this.#completed.at(index) > 0 };
  }

  startConsumer(): QueueWorker {
    const index = this.#consumers++;
    const target = this.#random.pick([consume, consumeSync]);
    const process = new Process(target, this.queue, this.#seen, this.#taken, index).start();
    return { process, isProducer: false, hasBegun: () => this.#taken.at(index) > 0 };
  }

  /** Lets living consumers take what is left and end. */
  async drain(consumers: readonly QueueWorker[]): Promise<void> {
    this.queue.shutdown();
    for (const { process } of consumers) assert.equal(await process.join({ timeout: PATIENCE_MS }), 0);
  }

  /**
   * Compares what was put with what came, all workers having ended.
   * @throws If an item came twice, or from nowhere, or if more are missing than consumers were killed.
   */
  settle(killedConsumers: number): { total: number; missing: number } {
    assert.equal(this.queue.size, 0);
    const { perProducer } = this.#limits;
    let missing = 0;
    let total = 0;
    for (let producer = 0; producer < this.#producers; producer++) {
      const done = this.#completed.at(producer);
      total += done;
      for (let i = 0; i < perProducer; i++) {
        const times = this.#seen.at(producer * perProducer + i);
        assert.ok(times <= 1, `item ${i} of producer ${producer} came ${times} times`);
        if (i < done && times === 0) missing += 1;
        // The put that was being made when the producer was killed may be in or not.
        if (i > done)
          assert.equal(times, 0, `item ${i} of producer ${producer}, who completed ${done}, is from nowhere`);
      }
    }
    assert.ok(
      missing <= killedConsumers,
      `${missing} items are missing, but only ${killedConsumers} consumers were killed`,
    );
    return { total, missing };
  }

  close(): void {
    this.queue.close();
    for (const array of [this.#seen, this.#completed, this.#taken]) array.close();
  }
}
