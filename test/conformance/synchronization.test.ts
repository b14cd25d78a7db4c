/** The contract of locks, semaphores, conditions, events and barriers. */

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import {
  Barrier,
  BoundedSemaphore,
  BrokenBarrierError,
  Condition,
  DeadlockError,
  deadlocks,
  Event,
  Guard,
  Lock,
  LockNotHeldError,
  Process,
  RLock,
  Semaphore,
  Value,
} from "multiproc";
import { eachMethod } from "./each-method.ts";

eachMethod("a lock is held by one process at a time", async ({ Process: P }) => {
  const lock = new Lock();
  const count = new Value("int32", 0);
  const work = (): void => {
    for (let i = 0; i < 500; i++) lock.useSync(() => (count.value = count.value + 1));
  };
  const children = [1, 2].map(() => new P(work).start());
  for (const child of children) assert.equal(await child.join(), 0);
  assert.equal(count.value, 1000);
});

eachMethod(
  "when a holder dies, the next one gets the lock, and ownerDied is true until it is released",
  async ({ Process: P }) => {
    for (const lock of [new Lock(), new RLock()]) {
      const child = new P(() => {
        lock.acquireSync();
        process.kill(process.pid, "SIGKILL");
      }).start();
      await child.join();
      assert.equal(await lock.acquire({ timeout: 5000 }), true);
      assert.equal(lock.ownerDied, true);
      lock.release();
      await lock.acquire();
      assert.equal(lock.ownerDied, false);
      lock.release();
    }
  },
);

for (const make of [
  () => new Lock(),
  () => new RLock(),
  () => new Semaphore(1),
  () => new BoundedSemaphore(1),
  () => new Condition(),
]) {
  const { name } = make().constructor;
  test(`${name}: acquire, tryAcquire, release, use, guard`, async () => {
    const lock = make();
    assert.equal(await lock.acquire(), true);
    assert.equal(lock.locked, true);
    lock.release();
    assert.equal(lock.acquireSync({ timeout: 0 }), true);
    lock.release();
    assert.equal(lock.tryAcquire(), true);
    lock.release();
    assert.equal(await lock.use(async () => lock.locked), true);
    assert.throws(() => lock.useSync(() => assert.fail("inside")), /inside/);
    {
      using held = await lock.guard();
      assert.ok(held instanceof Guard && lock.locked);
    }
    const held = lock.guardSync();
    assert.equal(lock.locked, true);
    held.release();
    held.release();
    assert.equal(lock.locked, false);
  });
}

test("out of time, acquire gives false; aborted, it rejects with the reason", async () => {
  const lock = new Lock();
  await lock.acquire();
  assert.equal(await lock.acquire({ timeout: 1 }), false);
  assert.equal(lock.acquireSync({ timeout: 0 }), false);
  assert.equal(lock.tryAcquire(), false);
  await assert.rejects(lock.acquire({ signal: AbortSignal.abort(new Error("no")) }), /no/);
});

test("releasing what is not held: LockNotHeldError; a Lock may be released by another process, an RLock not", async () => {
  const [lock, rlock] = [new Lock(), new RLock()];
  assert.throws(() => lock.release(), LockNotHeldError);
  await lock.acquire();
  await rlock.acquire();
  await new Process(() => lock.release()).start().result();
  assert.equal(lock.locked, false);
  const release = new Process({ target: () => rlock.release(), stdio: "ignore" }).start();
  await assert.rejects(release.result(), LockNotHeldError);
});

test("an RLock may be acquired again by its process, and is released as often", async () => {
  const lock = new RLock();
  assert.equal(lock.isMine, false);
  await lock.acquire();
  assert.equal(lock.acquireSync(), true);
  assert.equal(await new Process(() => lock.isMine || lock.tryAcquire()).start().result(), false);
  lock.release();
  assert.deepEqual([lock.locked, lock.isMine], [true, true]);
  lock.release();
  assert.equal(lock.locked, false);
});

test("a semaphore has so many permits; a bounded one never more: RangeError", async () => {
  const semaphore = new Semaphore(2);
  assert.equal(semaphore.tryAcquire() && semaphore.tryAcquire(), true);
  assert.equal(semaphore.tryAcquire(), false);
  semaphore.release(3);
  assert.equal(semaphore.value, 3);
  assert.throws(() => new BoundedSemaphore(1).release(), RangeError);
  assert.throws(() => new Semaphore(-1), RangeError);
});

test("a condition: wait and notify under its lock, else LockNotHeldError", async () => {
  const condition = new Condition();
  const n = new Value("int32", 0);
  const child = new Process(() => condition.use(() => condition.waitFor(() => n.value === 3))).start();
  for (let i = 1; i <= 3; i++) {
    await condition.use(() => {
      n.value = i;
      condition.notifyAll();
    });
  }
  assert.equal(await child.result(), true);
  const blocking = new Process(() => condition.useSync(() => condition.waitForSync(() => n.value === 4))).start();
  await condition.use(() => {
    n.value = 4;
    condition.notify();
  });
  assert.equal(await blocking.result(), true);
  assert.throws(() => condition.notify(), LockNotHeldError);
  await assert.rejects(async () => condition.wait(), LockNotHeldError);
  await condition.use(async () => assert.equal(await condition.wait({ timeout: 1 }), false));
});

test("an event is set, waited for and cleared", async () => {
  const event = new Event();
  assert.equal(await event.wait({ timeout: 1 }), false);
  const child = new Process(() => event.set()).start();
  assert.equal(await event.wait(), true);
  assert.equal(event.isSet, true);
  event.clear();
  assert.equal(event.waitSync({ timeout: 0 }), false);
  await child.join();
});

test("a barrier lets its parties go together, each with a number of its own, after its action", async () => {
  const ran = new Value("int32", 0);
  const barrier = new Barrier(2, { action: () => void ran.add(1) });
  const child = new Process(() => barrier.wait()).start();
  const mine = await barrier.wait();
  assert.deepEqual(
    [mine, await child.result()].sort((a, b) => a - b),
    [0, 1],
  );
  assert.equal(ran.value, 1);
  assert.deepEqual([barrier.parties, barrier.nWaiting, barrier.broken], [2, 0, false]);
});

test("a barrier breaks when one is late, aborts or dies: BrokenBarrierError for all; reset() mends it", async () => {
  const barrier = new Barrier(2);
  await assert.rejects(barrier.wait({ timeout: 1 }), BrokenBarrierError);
  assert.equal(barrier.broken, true);
  await assert.rejects(barrier.wait(), BrokenBarrierError);
  barrier.reset();
  const waiting = barrier.wait();
  barrier.abort();
  await assert.rejects(waiting, BrokenBarrierError);
  barrier.reset();
  const child = new Process(() => barrier.waitSync()).start();
  while (barrier.nWaiting === 0) await sleep(1);
  child.kill();
  await child.join();
  await assert.rejects(barrier.wait(), BrokenBarrierError);
});

test("deadlocks() names the cycle: who holds what, who waits for what, and where it was acquired", async () => {
  assert.deepEqual(await deadlocks(), []);
  const [a, b] = [new Lock({ name: "a" }), new Lock({ name: "b" })];
  const both = new Barrier(2);
  const work = (one: Lock, other: Lock): void => {
    one.useSync(() => {
      both.waitSync();
      other.useSync(() => {});
    });
  };
  const children = [
    new Process({ name: "p", target: work, args: [a, b] }),
    new Process({ name: "q", target: work, args: [b, a] }),
  ];
  for (const child of children) child.start();
  let cycles = await deadlocks();
  for (; cycles.length === 0; cycles = await deadlocks()) await sleep(5);
  const parties = [...(cycles[0]?.processes ?? [])].sort((x, y) => x.name.localeCompare(y.name));
  assert.deepEqual(
    parties.map(({ name }) => name),
    ["p", "q"],
  );
  assert.match(parties[0]?.holds ?? "", /a/);
  assert.match(parties[0]?.waitsFor ?? "", /b/);
  for (const { acquiredAt } of parties) assert.match(acquiredAt ?? "", /synchronization\.test\.[jt]s:\d+/);
  for (const child of children) {
    child.kill();
    await child.join();
  }
});

test("with detectDeadlock, a wait that closes a cycle rejects with DeadlockError", async () => {
  const lock = new Lock({ detectDeadlock: true });
  await lock.acquire();
  assert.throws(() => lock.acquireSync(), DeadlockError);
  lock.release();
});
