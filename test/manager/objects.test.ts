import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadline } from "../../src/core/deadline.ts";
import { BrokenBarrierError, LockNotHeldError, QueueEmptyError, QueueFullError } from "../../src/core/errors.ts";
import { Caller, type Call, serveCall } from "../../src/manager/call-context.ts";
import { ManagedBarrier } from "../../src/manager/objects/barrier.ts";
import { ManagedCondition } from "../../src/manager/objects/condition.ts";
import { Fifo } from "../../src/manager/objects/fifo.ts";
import { ManagedLock, ManagedRLock } from "../../src/manager/objects/lock.ts";
import { ManagedQueue } from "../../src/manager/objects/queue.ts";
import { ManagedBoundedSemaphore, ManagedSemaphore } from "../../src/manager/objects/semaphore.ts";
import { WaitList } from "../../src/manager/objects/wait-list.ts";

const alice = new Caller("alice");
const bob = new Caller("bob");

const byNumber = (a: number, b: number): number => a - b;

function as<R>(caller: Caller, method: () => R): R {
  return serveCall({ caller }, method);
}

test("a lock is passed to waiters in the order in which they came", async () => {
  const lock = new ManagedLock();
  assert.equal(
    as(alice, () => lock.acquire()),
    true,
  );
  const order: string[] = [];
  const first = Promise.resolve(as(bob, () => lock.acquire())).then(() => order.push("first"));
  const second = Promise.resolve(as(bob, () => lock.acquire())).then(() => order.push("second"));
  as(alice, () => lock.release());
  await first;
  assert.deepEqual(order, ["first"]);
  as(bob, () => lock.release());
  await second;
  assert.deepEqual(order, ["first", "second"]);
});

test("a lock whose holder is gone goes to the next one, and says so until it is released", async () => {
  const lock = new ManagedLock();
  const doomed = new Caller("doomed");
  void as(doomed, () => lock.acquire());
  const waiting = as(alice, () => lock.acquire());
  doomed.leave();
  assert.equal(await waiting, true);
  assert.equal(lock.ownerDied(), true);
  as(alice, () => lock.release());
  assert.equal(lock.ownerDied(), false);
  assert.equal(lock.locked(), false);
});

test("a waiter that is gone is never given the lock", async () => {
  const lock = new ManagedLock();
  const doomed = new Caller("doomed");
  void as(alice, () => lock.acquire());
  const lost = as(doomed, () => lock.acquire());
  const kept = as(bob, () => lock.acquire());
  doomed.leave();
  assert.equal(await lost, false);
  as(alice, () => lock.release());
  assert.equal(await kept, true);
});

test("a lock may be released by another process, an RLock only by its holder", () => {
  const lock = new ManagedLock();
  void as(alice, () => lock.acquire());
  as(bob, () => lock.release());
  assert.throws(() => as(bob, () => lock.release()), LockNotHeldError);
  const rlock = new ManagedRLock();
  void as(alice, () => rlock.acquire());
  void as(alice, () => rlock.acquire());
  assert.throws(() => as(bob, () => rlock.release()), /alice holds it, not bob/);
  as(alice, () => rlock.release());
  assert.equal(rlock.locked(), true);
  as(alice, () => rlock.release());
  assert.equal(rlock.locked(), false);
});

test("a wait ends with false when its time runs out, and with the reason when it is aborted", async () => {
  const list = new WaitList<boolean>();
  assert.equal(await list.wait(alice, Deadline.from({ timeout: 5 }), false), false);
  const controller = new AbortController();
  const waiting = list.wait(alice, Deadline.from({ signal: controller.signal }), false);
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.equal(list.size, 0);
});

test("a time that is longer than timers can be is a long time, not none", async () => {
  const list = new WaitList<boolean>();
  const waiting = list.wait(alice, Deadline.from({ timeout: 2 ** 40 }), false);
  await new Promise((resolve) => setTimeout(resolve, 5));
  list.wakeOne(true);
  assert.equal(await waiting, true);
});

test("permits of a process that is gone are given back", async () => {
  const semaphore = new ManagedSemaphore(2);
  const doomed = new Caller("doomed");
  void as(doomed, () => semaphore.acquire());
  void as(doomed, () => semaphore.acquire());
  const waiting = as(alice, () => semaphore.acquire());
  doomed.leave();
  assert.equal(await waiting, true);
  assert.equal(semaphore.value(), 1);
});

test("a semaphore may go above its start, a bounded one not", () => {
  const semaphore = new ManagedSemaphore(1);
  as(alice, () => semaphore.release(2));
  assert.equal(semaphore.value(), 3);
  const bounded = new ManagedBoundedSemaphore(1);
  assert.throws(() => as(alice, () => bounded.release()), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
  assert.equal(
    as(alice, () => bounded.tryAcquire()),
    true,
  );
  assert.equal(
    as(alice, () => bounded.tryAcquire()),
    false,
  );
});

test("notify wakes one waiter of a condition, which has its lock again then", async () => {
  const condition = new ManagedCondition();
  assert.throws(() => as(alice, () => condition.notify()), LockNotHeldError);
  await as(alice, () => condition.acquire());
  await as(alice, () => condition.acquire());
  const waiting = as(alice, () => condition.wait());
  await as(bob, () => condition.acquire());
  as(bob, () => condition.notify());
  as(bob, () => condition.release());
  assert.equal(await waiting, true);
  // It was acquired twice, and is so again.
  as(alice, () => condition.release());
  assert.equal(condition.locked(), true);
  as(alice, () => condition.release());
  assert.equal(condition.locked(), false);
});

test("a barrier lets all through, each with another number, and runs its action once", async () => {
  let actions = 0;
  const barrier = new ManagedBarrier(3, { action: () => (actions += 1) });
  for (let round = 1; round <= 3; round++) {
    const indexes = await Promise.all([alice, bob, alice].map((caller) => as(caller, () => barrier.wait())));
    assert.deepEqual(indexes.sort(byNumber), [0, 1, 2]);
    assert.equal(actions, round);
  }
});

test("a barrier breaks when a party dies or is late, and is whole after a reset", async () => {
  const barrier = new ManagedBarrier(3);
  const doomed = new Caller("doomed");
  const lost = as(doomed, () => barrier.wait());
  const waiting = as(alice, () => barrier.wait());
  doomed.leave();
  await assert.rejects(waiting, BrokenBarrierError);
  await assert.rejects(lost, BrokenBarrierError);
  assert.equal(barrier.broken(), true);
  barrier.reset();
  assert.equal(barrier.broken(), false);
  await assert.rejects(
    as(alice, () => barrier.wait({ timeout: 5 })),
    /a party's time ran out/,
  );
});

test("a queue is full at its size, empty at none, and says so", async () => {
  const queue = new ManagedQueue<number>(1);
  void queue.put(1);
  assert.equal(queue.tryPut(2), false);
  assert.throws(() => queue.put(2, { timeout: 0 }), QueueFullError);
  const putting = queue.put(2);
  assert.equal(queue.get(), 1);
  await putting;
  assert.equal(queue.get(), 2);
  assert.throws(() => queue.get({ timeout: 0 }), QueueEmptyError);
  assert.equal(queue.tryGet(), undefined);
});

test("an item that was not taken goes back to its place", () => {
  const queue = new ManagedQueue<number>();
  void queue.put(1);
  void queue.put(2);
  const call: Call = { caller: alice };
  assert.equal(
    serveCall(call, () => queue.get()),
    1,
  );
  call.undo?.();
  assert.deepEqual([queue.get(), queue.get()], [1, 2]);
});

test("a first-in first-out list keeps its order over many thousands", () => {
  const fifo = new Fifo<number>();
  let put = 0;
  let got = 0;
  for (let round = 0; round < 5000; round++) {
    for (let i = 0; i < 3; i++) fifo.push(put++);
    for (let i = 0; i < 2; i++) assert.equal(fifo.shift(), got++);
  }
  assert.equal(fifo.size, put - got);
  fifo.unshift(-1);
  assert.equal(fifo.shift(), -1);
});
