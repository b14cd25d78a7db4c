/** Traps of Python's multiprocessing that we ran and saw (T1 to T6; T5, T7 and T8 are also in test/pool): each has a good outcome. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Event, Lock, Manager, Pool, Process, Queue } from "../../src/index.ts";
import { until } from "../helpers/program.ts";

test("T1: what was put can be got at once, 200 times of 200", () => {
  let missed = 0;
  for (let i = 0; i < 200; i++) {
    const queue = new Queue<number>();
    queue.putSync(1);
    if (queue.tryGet() !== 1) missed += 1;
  }
  assert.equal(missed, 0);
});

test("T2: a child that put 1 MB that nobody reads can be joined, and the data is there afterwards", async () => {
  const queue = new Queue<Uint8Array>();
  const child = new Process((q: Queue<Uint8Array>) => q.put(new Uint8Array(1_000_000).fill(3)), queue).start();
  assert.equal(await child.join({ timeout: 20_000 }), 0);
  const data = await queue.get({ timeout: 20_000 });
  assert.equal(data.length, 1_000_000);
  assert.equal(data[999_999], 3);
});

test("T3: a lock whose holder was killed is acquired, and says so", async () => {
  const lock = new Lock();
  const held = new Event();
  const holder = new Process(
    (l: Lock, e: Event) => {
      l.acquireSync();
      e.set();
      for (;;);
    },
    lock,
    held,
  ).start();
  await held.wait();
  holder.kill();
  assert.equal(await lock.acquire({ timeout: 20_000 }), true);
  assert.equal(lock.ownerDied, true);
  lock.release();
  assert.equal(lock.ownerDied, false);
  await holder.join();
});

test("T4: a reader that was killed while it waited in get takes nothing with it", async () => {
  const queue = new Queue<number>();
  for (const blocking of [true, false]) {
    const about = new Event();
    const reader = new Process(
      async (q: Queue<number>, e: Event, sync: boolean) => {
        e.set();
        if (sync) q.getSync();
        else await q.get();
      },
      queue,
      about,
      blocking,
    ).start();
    await about.wait();
    reader.kill();
    await reader.join();
    await queue.put(5);
    assert.equal(await queue.get({ timeout: 20_000 }), 5);
  }
});

test("T5: after one next() of an imap over 1000 inputs a small window of them is taken", async () => {
  await using pool = new Pool(2);
  let taken = 0;
  function* inputs(): Generator<number> {
    for (let i = 0; i < 1000; i++) {
      taken += 1;
      yield i;
    }
  }
  const results = pool.imap((n: number) => n, inputs(), { chunkSize: 1 });
  assert.deepEqual(await results.next(), { done: false, value: 0 });
  await until(() => pool.stats().running + pool.stats().queued === 0);
  assert.ok(taken <= 6, `${taken} inputs were taken`);
  await results.return?.();
});

test("T6: two processes that each add 1 to a manager's dict 100 times with compute make 200", async () => {
  await using manager = await Manager.start();
  const dict = await manager.dict<string, number>({ n: 0 });
  const add = async (d: typeof dict): Promise<void> => {
    for (let i = 0; i < 100; i++) await d.compute("n", (n) => (n ?? 0) + 1);
  };
  const adders = [0, 1].map(() => new Process(add, dict).start());
  assert.deepEqual(await Promise.all(adders.map((each) => each.join())), [0, 0]);
  assert.equal(await dict.get("n"), 200);
});
