import assert from "node:assert/strict";
import { test } from "node:test";
import { Event, Lock, Process, Semaphore } from "../../src/index.ts";
import { arena } from "../../src/memory/index.ts";

/** Longer than a waiter waits before it is handed what is released, instead of being told to try. */
const FAIR_MS = 6;

function pass(milliseconds: number): void {
  for (const start = Date.now(); Date.now() - start < milliseconds;);
}

const makers: [string, () => Lock | Semaphore][] = [
  ["Lock", () => new Lock()],
  ["Semaphore", () => new Semaphore(1)],
];

for (const [name, make] of makers) {
  for (const [how, milliseconds] of [
    ["handed over", FAIR_MS],
    ["released", 0],
  ] as const) {
    test(`${name}: ${how} to a waiter that is aborted before it knows, it is not lost`, async () => {
      const lock = make();
      lock.acquireSync();
      const stop = new AbortController();
      const aborted = lock.acquire({ signal: stop.signal });
      const next = lock.acquire();
      pass(milliseconds);
      lock.release();
      stop.abort(new Error("too late"));
      assert.equal(await aborted, true, "it was woken first, so it holds what it waited for");
      lock.release();
      assert.equal(await next, true);
      lock.release();
      assert.equal(lock.locked, false);
    });
  }

  test(`${name}: an abort before the release takes the waiter out, and the next one gets it`, async () => {
    const lock = make();
    lock.acquireSync();
    const stop = new AbortController();
    const aborted = lock.acquire({ signal: stop.signal });
    const next = lock.acquire();
    stop.abort(new Error("in time"));
    lock.release();
    await assert.rejects(aborted, /in time/);
    assert.equal(await next, true);
    lock.release();
  });
}

/** The index of an object's first word; what a releaser does first is done to it by hand, before the process kills itself. */
function wordOf(object: object): number {
  return (object as unknown as { word: number }).word;
}

test("Lock: the holder is killed between releasing it and waking the next: the next gets it", async () => {
  const lock = new Lock();
  const held = new Event();
  const child = new Process(() => {
    lock.acquireSync();
    held.set();
    while (arena().words[wordOf(lock) + 7] === 0);
    Atomics.store(arena().words, wordOf(lock), 0);
    process.kill(process.pid, "SIGKILL");
  }).start();
  await held.wait();
  assert.equal(await lock.acquire(), true);
  assert.equal(await child.join(), -9);
  lock.release();
});

test("Semaphore: the holder is killed between giving back a permit and waking the next: the next gets it", async () => {
  const semaphore = new Semaphore(1);
  const held = new Event();
  const child = new Process(() => {
    semaphore.acquireSync();
    held.set();
    while (arena().words[wordOf(semaphore) + 7] === 0);
    Atomics.store(arena().words, wordOf(semaphore), 1);
    process.kill(process.pid, "SIGKILL");
  }).start();
  await held.wait();
  assert.equal(await semaphore.acquire(), true);
  assert.equal(await child.join(), -9);
});

test("Event: the one that sets it is killed before it wakes the waiters: they wake all the same", async () => {
  const event = new Event();
  const child = new Process(() => {
    while (arena().words[wordOf(event) + 7] === 0);
    Atomics.or(arena().words, wordOf(event), 1);
    process.kill(process.pid, "SIGKILL");
  }).start();
  assert.equal(await event.wait(), true);
  assert.equal(await child.join(), -9);
});
