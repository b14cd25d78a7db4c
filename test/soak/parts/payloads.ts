/** Large messages: from a child by a queue, and through a pool there and back. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Pool, Process, Queue, QueueShutdownError, WorkerDiedError } from "../../../src/index.ts";
import type { Lap, Part } from "../part.ts";

const LARGEST = 12 * 2 ** 20;

interface Parcel {
  readonly bytes: Uint8Array;
  readonly sum: string;
}

function sumOf(bytes: Uint8Array): string {
  return createHash("sha1").update(bytes).digest("hex");
}

/** Bytes that differ from place to place and from seed to seed. */
function bytesOf(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer, 0, length >> 2);
  for (let i = 0; i < words.length; i += 16) words[i] = Math.imul(i + seed, 0x9e3779b1);
  return bytes;
}

async function produce(queue: Queue<Parcel>, seed: number): Promise<void> {
  try {
    for (let n = seed; ; n += 7919) {
      const bytes = bytesOf((Math.imul(n, 48_271) >>> 0) % LARGEST, n);
      await queue.put({ bytes, sum: sumOf(bytes) });
    }
  } catch (error) {
    if (!(error instanceof QueueShutdownError)) throw error;
  }
}

/** A producer is replaced as often as it is killed. */
async function fromChild(lap: Lap, running: Set<number | undefined>): Promise<void> {
  const queue = new Queue<Parcel>(3);
  const producing = (async () => {
    do {
      const child = new Process(produce, queue, lap.random.below(1e6)).start();
      running.add(child.pid);
      const code = await child.join();
      running.delete(child.pid);
      assert.ok(code === 0 || lap.wasKilled(child.pid), `the producer ended with ${code}`);
    } while (!lap.over);
  })();
  while (!lap.over) {
    const parcel = await queue.get({ timeout: 1000 }).catch(() => undefined);
    if (parcel === undefined) continue;
    assert.equal(sumOf(parcel.bytes), parcel.sum);
    lap.count("MB by queue", parcel.bytes.length / 2 ** 20);
  }
  queue.shutdown({ immediate: true });
  await producing;
  queue.close();
}

async function thereAndBack(lap: Lap): Promise<void> {
  const pool = new Pool(1);
  lap.expose(() => pool.stats().workers.map(({ pid }) => pid));
  while (!lap.over) {
    const bytes = bytesOf(lap.random.below(LARGEST), lap.random.below(1e6));
    try {
      const back = await pool.apply((b: Uint8Array) => b, [bytes]);
      assert.equal(sumOf(back), sumOf(bytes));
      lap.count("MB through a pool", bytes.length / 2 ** 20);
    } catch (error) {
      if (!(error instanceof WorkerDiedError)) throw error;
    }
  }
  pool.close();
  await pool.join();
}

export const payloads: Part = {
  name: "payloads",
  guarantee:
    "What arrives is whole: the SHA-1 of each buffer is the one it was sent with, whoever was killed in the middle of it.",
  async lap(lap) {
    const running = new Set<number | undefined>();
    lap.expose(() => [...running]);
    await Promise.all([fromChild(lap, running), thereAndBack(lap)]);
  },
};
