import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadline } from "../../src/core/deadline.ts";
import * as memory from "../../src/memory/index.ts";
import { NOT_PARKED, TIMED_OUT, WaitQueue } from "../../src/wait/index.ts";
import { startArenaChild } from "../helpers/arena-child.ts";

const always = { validate: (): boolean => true };

function newQueue(): { queue: WaitQueue; word: number } {
  const { word } = memory.allocateCell(64);
  return { queue: new WaitQueue(word), word };
}

test("parkSync() gives TIMED_OUT, and nobody waits afterwards", () => {
  const { queue } = newQueue();
  assert.equal(queue.parkSync(Deadline.from({ timeout: 5 }), always), TIMED_OUT);
  assert.equal(queue.waiting, 0);
  assert.equal(queue.unpark(), 0);
});

test("park() and parkSync() do not wait when the check says no", async () => {
  const { queue } = newQueue();
  assert.equal(queue.parkSync(Deadline.never, { validate: () => false }), NOT_PARKED);
  assert.equal(await queue.park(Deadline.never, { validate: () => false }), NOT_PARKED);
});

test("promises are woken first come first served, with the token", async () => {
  const { queue } = newQueue();
  const order: number[] = [];
  const waits = [0, 1, 2].map((i) => queue.park(Deadline.never, always).then((token) => order.push(i, token)));
  assert.equal(queue.waiting, 3);
  assert.ok(queue.unparkOne(() => 7));
  await waits[0];
  assert.deepEqual(order, [0, 7]);
  assert.equal(queue.unpark(Infinity, 8), 2);
  await Promise.all(waits);
  assert.deepEqual(order, [0, 7, 1, 8, 2, 8]);
});

test("a wait that timed out or was aborted eats no wake-up", async () => {
  const { queue } = newQueue();
  const controller = new AbortController();
  const timedOut = queue.park(Deadline.from({ timeout: 1 }), always);
  const aborted = queue.park(Deadline.from({ signal: controller.signal }), always);
  const woken = queue.park(Deadline.never, always);
  assert.equal(await timedOut, TIMED_OUT);
  controller.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  assert.equal(queue.waiting, 1);
  assert.ok(queue.unparkOne());
  assert.equal(await woken, 0);
});

test("an error in onSlice ends the wait, promise and blocking", async () => {
  const { queue } = newQueue();
  const onSlice = (): never => {
    throw new Error("owner died");
  };
  assert.throws(() => queue.parkSync(Deadline.never, { ...always, onSlice }), /owner died/);
  await assert.rejects(queue.park(Deadline.never, { ...always, onSlice }), /owner died/);
  assert.equal(queue.waiting, 0);
});

for (const how of ["sync", "loop"]) {
  test(`another process is woken (${how})`, async () => {
    const { queue, word } = newQueue();
    const child = await startArenaChild("waiter", word, how);
    assert.equal(await child.line(), "waiting");
    while (!queue.unparkOne(() => 42));
    assert.equal(await child.line(), "42");
    assert.equal(await child.ended(), 0);
    memory.sweepProcess(child.pid);
  });

  test(`a killed waiter is removed and eats no wake-up (${how})`, async () => {
    const { queue, word } = newQueue();
    const child = await startArenaChild("waiter", word, how);
    assert.equal(await child.line(), "waiting");
    while (queue.waiters().length === 0);
    const mine = queue.park(Deadline.never, always);
    await child.kill();
    assert.equal(queue.waiting, 2);
    memory.sweepProcess(child.pid);
    assert.equal(queue.waiting, 1);
    assert.ok(queue.unparkOne(() => 3));
    assert.equal(await mine, 3);
  });
}

test("a wake-up given to a process that died before it acted goes to the next waiter", async () => {
  const { queue, word } = newQueue();
  const child = await startArenaChild("waiter", word, "sync");
  assert.equal(await child.line(), "waiting");
  while (queue.waiters().length === 0);
  child.process.kill("SIGSTOP");
  const mine = queue.park(Deadline.never, always);
  assert.ok(queue.unparkOne(() => 5));
  await child.kill();
  memory.sweepProcess(child.pid);
  assert.equal(await mine, 0, "what was handed to the dead one is not handed on with it");
});

test("a queue whose lock was held by a dead process is repaired, and everybody looks for himself", async () => {
  const { queue, word } = newQueue();
  const child = await startArenaChild("waiter", memory.allocateCell(64).word, "sync");
  assert.equal(await child.line(), "waiting");
  const slot = memory.slotsInUse().find((each) => memory.slotOwner(each)?.pid === child.pid) as number;
  const mine = queue.park(Deadline.never, always);
  const { words } = memory.arena();
  // As if the child had been killed while it held the lock.
  words[memory.slotWord(slot) + memory.Slot.queueLock] = word;
  words[word] = slot + 1;
  await child.kill();
  memory.sweepProcess(child.pid);
  assert.equal(await mine, 0);
  assert.equal(words[word], 0);
  assert.equal(queue.waiting, 0);
});
