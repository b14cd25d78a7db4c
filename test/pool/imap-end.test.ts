/** How an imap ends before its input does: aborted, terminated, closed, left. */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { CancelledError, Pool, Value } from "../../src/index.ts";
import { until } from "../helpers/program.ts";

const square = (n: number): number => n * n;

/** Endless, and counts how often it was closed. */
function* naturals(closed: { count: number }): Generator<number> {
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    closed.count += 1;
  }
}

test("aborting the signal of an imap stops the task that runs, closes the input, and rejects once", async () => {
  for (const method of ["imap", "imapUnordered"] as const) {
    await using pool = new Pool(1);
    const controller = new AbortController();
    const closed = { count: 0 };
    const begun = new Value("int32", 0);
    const work = (n: number): number => {
      if (n === 0) return n;
      begun.add(1);
      for (;;);
    };
    const items = pool[method](work, naturals(closed), { chunkSize: 1, signal: controller.signal });
    assert.deepEqual(await items.next(), { done: false, value: 0 });
    const next = items.next();
    await until(() => begun.value === 1);
    controller.abort(new Error("enough"));
    await assert.rejects(next, /enough/);
    assert.deepEqual(await items.next(), { done: true, value: undefined });
    assert.equal(closed.count, 1);
    // The worker that ran it would run for ever.
    assert.equal(await pool.apply(square, [3]), 9);
    assert.equal(begun.value, 1);
  }
});

test("an imap that is aborted while nobody waits rejects the next one who asks, once", async () => {
  await using pool = new Pool(1);
  const controller = new AbortController();
  const items = pool.imap(square, naturals({ count: 0 }), { chunkSize: 1, signal: controller.signal });
  await items.next();
  controller.abort(new Error("enough"));
  await assert.rejects(items.next(), /enough/);
  assert.deepEqual(await items.next(), { done: true, value: undefined });
});

test("terminate ends an imap over an endless input: one CancelledError, then nothing", async () => {
  const pool = new Pool(2);
  const closed = { count: 0 };
  const items = pool.imap(square, naturals(closed));
  await items.next();
  pool.terminate();
  await assert.rejects(items.next(), CancelledError);
  assert.deepEqual(await items.next(), { done: true, value: undefined });
  assert.equal(closed.count, 1);
  await pool.join();
});

test("terminate ends an imap also when all its tasks are done, and their results wait to be taken", async () => {
  const pool = new Pool(1);
  const closed = { count: 0 };
  const items = pool.imap(square, naturals(closed), { chunkSize: 1 });
  await items.next();
  // A worker runs its tasks in order, so whatever the imap has sent by now is done.
  await pool.apply(square, [1]);
  pool.terminate();
  await assert.rejects(items.next(), CancelledError);
  assert.deepEqual(await items.next(), { done: true, value: undefined });
  assert.equal(closed.count, 1);
  await pool.join();
});

test("what a pool has done is taken after it was terminated, if nothing was to follow", async () => {
  const pool = new Pool(1);
  const items = pool.imap(square, [1, 2], { chunkSize: 1 });
  assert.deepEqual(await items.next(), { done: false, value: 1 });
  await pool.apply(square, [1]);
  pool.terminate();
  assert.deepEqual(await items.next(), { done: false, value: 4 });
  assert.deepEqual(await items.next(), { done: true, value: undefined });
  await pool.join();
});

test("close lets a map and an imap that are under way go on to their ends", async () => {
  const pool = new Pool(2);
  const numbers = Array.from({ length: 100 }, (_, i) => i);
  const mapped = pool.map(async (n: number) => n, numbers);
  const items = pool.imap(square, numbers, { chunkSize: 1 });
  const seen = [(await items.next()).value as number];
  pool.close();
  const joined = pool.join();
  for await (const each of items) seen.push(each);
  assert.deepEqual(seen, numbers.map(square));
  assert.deepEqual(await mapped, numbers);
  await joined;
});

test("a loop that ends at an error leaves endless generators behind, which do not keep the pool from ending", async () => {
  const begun = new Value("int32", 0);
  const closed = new Value("int32", 0);
  const endless = function* (n: number): Generator<number> {
    if (n === 0) throw new RangeError("zero");
    begun.add(1);
    try {
      for (;;) yield n;
    } finally {
      closed.add(1);
    }
  };
  const leave = async (): Promise<void> => {
    await using pool = new Pool(2);
    for await (const each of pool.imap(endless, [0, 1, 2], { chunkSize: 1 })) assert.fail(String(each));
  };
  await assert.rejects(leave(), RangeError);
  assert.equal(closed.value, begun.value);
});

test("many calls may share a signal: no warning, and nothing stays on it", async () => {
  await using pool = new Pool(2);
  const { signal } = new AbortController();
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on("warning", onWarning);
  const calls = Array.from({ length: 30 }, (_, n) => pool.applyAsync(square, [n], { signal }));
  const maps = Array.from({ length: 15 }, (_, n) => pool.map(square, [n], { signal }));
  const imaps = Array.from({ length: 15 }, () => pool.imap(square, [1, 2, 3], { signal }));
  await Promise.all([...calls, ...maps, ...calls.map((call) => call.get({ signal }))]);
  for (const items of imaps) for await (const _ of items);
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", onWarning);
  assert.deepEqual(warnings, []);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
