import assert from "node:assert/strict";
import { test } from "node:test";
import { Event, getContext, Lock, Pool, Queue, Semaphore, SharedArray, Value } from "../../src/index.ts";

const METHODS = ["spawn", "spare"] as const;

test("handles as arguments of the very first task of a worker work there", async () => {
  for (const method of METHODS) {
    await using pool = new Pool(1, { method });
    const queue = new Queue<number>();
    const lock = new Lock();
    const array = new SharedArray("int32", 3);
    const sum = await pool.apply(
      async (q: Queue<number>, l: Lock, a: SharedArray<"int32">) => {
        await l.use(() => {
          for (let i = 0; i < a.length; i++) a.set(i, i + 1);
        });
        await q.put(7);
        return a.view.reduce((x, y) => x + y, 0);
      },
      [queue, lock, array],
    );
    assert.equal(sum, 6);
    assert.equal(await queue.get(), 7);
    assert.deepEqual([...array.view], [1, 2, 3]);
    assert.equal(lock.locked, false);
  }
});

test("handles that the very first task captures, or that are deep in a message, work there", async () => {
  for (const method of METHODS) {
    await using pool = new Pool(1, { method });
    const value = new Value("int32", 5);
    assert.equal(await pool.apply(() => value.add(2)), 5);
    const nested = { list: [{ value }, new Map([["value", value]])] };
    assert.equal(await pool.apply((given) => (given.list[0] as { value: typeof value }).value.add(1), [nested]), 7);
    assert.equal(value.value, 8);
  }
});

test("handles in map, imap and starmap, in items and captured; every task sees the same ones", async () => {
  await using pool = new Pool(2);
  const lock = new Lock();
  const array = new SharedArray("int32", 1);
  const add = (n: number): Promise<void> =>
    lock.use(() => {
      array.view[0] = (array.view[0] as number) + n;
    });
  await pool.map(add, Array.from({ length: 100 }).fill(1) as number[]);
  for await (const _ of pool.imap(add, Array.from({ length: 50 }).fill(2) as number[]));
  const queue = new Queue<number>();
  await pool.starmap(
    (q: Queue<number>, n: number) => q.put(n),
    [1, 2, 3, 4].map((n) => [queue, n] as [Queue<number>, number]),
  );
  assert.equal(array.view[0], 200);
  const got = await Promise.all([1, 2, 3, 4].map(() => queue.get()));
  assert.deepEqual(
    got.toSorted((a, b) => a - b),
    [1, 2, 3, 4],
  );
});

test("a handle that comes back is the same object; one made in a task lives on here", async () => {
  await using pool = new Pool(1);
  const queue = new Queue<string>();
  const back = await pool.apply((q) => q, [queue]);
  await back.put("through the one that came back");
  assert.equal(await queue.get(), "through the one that came back");
  const { Queue: Made } = getContext("spare");
  const made = await pool.apply(() => {
    const q = new Made<number>();
    q.putSync(11);
    return q;
  });
  assert.equal(await made.get(), 11);
});

test("a semaphore limits tasks across workers; an event wakes a task that waits", async () => {
  await using pool = new Pool(3);
  const semaphore = new Semaphore(1);
  const inside = new Value("int32", 0);
  const most = await pool.map(
    () =>
      semaphore.use(() => {
        const others = inside.add(1);
        inside.add(-1);
        return others;
      }),
    Array.from({ length: 60 }, (_, i) => i),
    { chunkSize: 1 },
  );
  assert.equal(Math.max(...most), 0);
  const event = new Event();
  const waiting = pool.apply((e: Event) => e.wait(), [event]);
  event.set();
  assert.equal(await waiting, true);
});

test("a task that waited in the queue, or whose worker died, does not lose its handles", async () => {
  await using pool = new Pool(1, { retries: 1 });
  const queue = new Queue<number>();
  const tries = new Value("int32", 0);
  const dying = pool.apply(
    (q: Queue<number>, v: typeof tries) => {
      if (v.add(1) === 0) process.exit(1);
      q.putSync(1);
    },
    [queue, tries],
  );
  const behind = pool.apply((q: Queue<number>) => q.putSync(2), [queue]);
  await Promise.all([dying, behind]);
  assert.deepEqual(
    [await queue.get(), await queue.get()].toSorted((a, b) => a - b),
    [1, 2],
  );
});
