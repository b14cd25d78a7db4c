/** The contract of the queues. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  JoinableQueue,
  Process,
  Queue,
  QueueEmptyError,
  QueueFullError,
  QueueShutdownError,
  SimpleQueue,
  StateError,
} from "multiproc";
import { eachMethod } from "./each-method.ts";

eachMethod("items of one producer keep their order", async ({ Process: P }) => {
  const queue = new Queue<number>();
  const child = new P(async () => {
    for (let n = 0; n < 100; n++) await queue.put(n);
  }).start();
  for (let n = 0; n < 100; n++) assert.equal(await queue.get(), n);
  assert.equal(await child.join(), 0);
});

eachMethod("what a completed put handed over arrives though its process was killed", async ({ Process: P }) => {
  const queue = new Queue<number>();
  const child = new P(() => {
    queue.putSync(1);
    queue.putSync(2);
    process.kill(process.pid, "SIGKILL");
  }).start();
  await child.join();
  assert.deepEqual([await queue.get(), queue.getSync()], [1, 2]);
});

eachMethod("a process ends though nobody has read its queue", async ({ Process: P }) => {
  const queue = new Queue<string>();
  const child = new P(() => {
    for (let i = 0; i < 100; i++) queue.putSync("x".repeat(10_000));
  }).start();
  assert.equal(await child.join(), 0);
  assert.equal(queue.size, 100);
});

test("many consumers: each item goes to one of them", async () => {
  const queue = new Queue<number>();
  const consume = async (): Promise<number> => {
    let sum = 0;
    for await (const n of queue) sum += n;
    return sum;
  };
  const children = [1, 2].map(() => new Process(consume).start());
  for (let n = 1; n <= 100; n++) await queue.put(n);
  queue.shutdown();
  const sums = await Promise.all(children.map((child) => child.result()));
  assert.equal(
    sums.reduce((a, b) => a + b),
    5050,
  );
});

test("size, empty and full are exact", async () => {
  const queue = new Queue<number>(2);
  assert.deepEqual([queue.size, queue.empty, queue.full, queue.maxSize], [0, true, false, 2]);
  await queue.put(1);
  await queue.put(2);
  assert.deepEqual([queue.size, queue.empty, queue.full], [2, false, true]);
});

test("a full queue makes put wait; out of time: QueueFullError; tryPut says false", async () => {
  const queue = new Queue<number>(1);
  await queue.put(1);
  assert.equal(queue.tryPut(2), false);
  await assert.rejects(queue.put(2, { timeout: 1 }), QueueFullError);
  assert.throws(() => queue.putSync(2, { timeout: 0 }), QueueFullError);
  const waiting = queue.put(3);
  assert.equal(await queue.get(), 1);
  await waiting;
  assert.equal(queue.tryGet(), 3);
});

test("an empty queue makes get wait; out of time: QueueEmptyError; tryGet gives undefined", async () => {
  const queue = new Queue<number>();
  assert.equal(queue.tryGet(), undefined);
  await assert.rejects(queue.get({ timeout: 1 }), QueueEmptyError);
  assert.throws(() => queue.getSync({ timeout: 0 }), QueueEmptyError);
  await assert.rejects(queue.get({ signal: AbortSignal.abort(new Error("stop")) }), /stop/);
  const waiting = queue.get();
  queue.putSync(4);
  assert.equal(await waiting, 4);
});

test("shutdown: what is there is still given, then QueueShutdownError and the end of loops", async () => {
  const queue = new Queue<number>();
  await queue.put(1);
  queue.shutdown();
  await assert.rejects(queue.put(2), QueueShutdownError);
  assert.equal(await queue.get(), 1);
  await assert.rejects(queue.get(), QueueShutdownError);
  for await (const item of queue) assert.fail(String(item));
});

test("shutdown({ immediate: true }) drops what is there", async () => {
  const queue = new Queue<number>();
  await queue.put(1);
  queue.shutdown({ immediate: true });
  await assert.rejects(queue.get(), QueueShutdownError);
});

test("maxBytes bounds what the items take up in memory", async () => {
  const queue = new Queue<Uint8Array>(0, { maxBytes: 2 ** 20 });
  const fill = (): void => {
    for (;;) queue.putSync(new Uint8Array(2 ** 14));
  };
  assert.throws(fill, QueueFullError);
  assert.ok(queue.size >= 2 ** 6, String(queue.size));
  for (let left = queue.size; left > 0; left--) await queue.get();
  await queue.put(new Uint8Array(2 ** 14));
});

test("toReadable() is a stream of the items, which ends with the queue", async () => {
  const queue = new Queue<number>();
  for (const n of [1, 2, 3]) queue.putSync(n);
  queue.shutdown();
  assert.deepEqual(await queue.toReadable().toArray(), [1, 2, 3]);
});

test("SimpleQueue puts and gets", async () => {
  const queue = new SimpleQueue<string>();
  await queue.put("a");
  assert.equal(queue.empty, false);
  assert.equal(await queue.get(), "a");
});

test("JoinableQueue: join() ends when taskDone() was called for each item; once too often is a StateError", async () => {
  const queue = new JoinableQueue<number>();
  await queue.put(1);
  await queue.put(2);
  const work = async (): Promise<void> => {
    for await (const _ of queue) queue.taskDone();
  };
  assert.equal(await queue.join({ timeout: 1 }), false);
  const child = new Process(work).start();
  assert.equal(await queue.join(), true);
  assert.throws(() => queue.taskDone(), StateError);
  queue.shutdown();
  assert.equal(await child.join(), 0);
});

test("sizes that make no sense are refused", () => {
  for (const wrong of [-1, 1.5, Number.NaN, "3"]) assert.throws(() => new Queue(wrong as number), /maxSize/);
});
