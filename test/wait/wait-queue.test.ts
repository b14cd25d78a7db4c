import assert from "node:assert/strict";
import { test } from "node:test";
import { Deadline } from "../../src/core/deadline.ts";
import * as memory from "../../src/memory/index.ts";
import { NOT_PARKED, TIMED_OUT, WaitQueue } from "../../src/wait/index.ts";
import { forEachNode, Node, Sleep } from "../../src/wait/waiter-nodes.ts";
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

test("a bell that a dead process only said that it rings is rung by whoever sweeps the dead", async () => {
  const { queue, word } = newQueue();
  const waiter = await startArenaChild("waiter", word, "loop");
  const ringer = await startArenaChild("waiter", memory.allocateCell(64).word, "sync");
  assert.equal(await waiter.line(), "waiting");
  assert.equal(await ringer.line(), "waiting");
  const slot = slotOf(waiter.pid);
  while (!sleepsInLoop(slot)) await new Promise(setImmediate);
  const { words } = memory.arena();
  // As if the ringer had been killed between saying that it rings and ringing: now everybody relies on it.
  Atomics.store(words, memory.slotWord(slot) + memory.Slot.bell, 1);
  assert.ok(queue.unparkOne(() => 9));
  await ringer.kill();
  memory.sweepProcess(ringer.pid);
  assert.equal(await waiter.line(), "9");
  assert.equal(await waiter.ended(), 0);
  memory.sweepProcess(waiter.pid);
});

test("who has no descriptor left to ring with rings later", async () => {
  const { queue, word } = newQueue();
  const ringer = await startArenaChild("ringer", word);
  assert.equal(await ringer.line(), "ready");
  const mine = queue.park(Deadline.never, always);
  while (!sleepsInLoop(memory.selfSlot())) await new Promise(setImmediate);
  ringer.process.stdin?.write("ring\n");
  assert.equal(await ringer.line(), "rang, bell 0");
  ringer.process.stdin?.write("give back\n");
  assert.equal(await mine, 0);
  ringer.process.stdin?.end();
  assert.equal(await ringer.ended(), 0);
  memory.sweepProcess(ringer.pid);
});

function slotOf(pid: number): number {
  return memory.slotsInUse().find((slot) => memory.slotOwner(slot)?.pid === pid) as number;
}

/** Whether a process has stopped looking by itself and relies on its bell. */
function sleepsInLoop(slot: number): boolean {
  let sleeps = false;
  forEachNode((node) => (sleeps ||= memory.arena().words[node + Node.how] === Sleep.loop), slot);
  return sleeps && Atomics.load(memory.arena().words, memory.slotWord(slot) + memory.Slot.bellFd) !== 0;
}

test("a queue whose lock was held by a dead process is repaired, and everybody looks for himself", async () => {
  const { queue, word } = newQueue();
  const child = await startArenaChild("waiter", memory.allocateCell(64).word, "sync");
  assert.equal(await child.line(), "waiting");
  const slot = slotOf(child.pid);
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
