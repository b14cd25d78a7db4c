import assert from "node:assert/strict";
import { after, before, mock, test } from "node:test";
import { Event, Manager, Pool, Process, Queue, QueueEmptyError, wait } from "../../src/index.ts";

// As `vi.useFakeTimers()` and `jest.useFakeTimers()` do it: what does not tick would never come.
before(() => mock.timers.enable({ apis: ["setTimeout", "setInterval", "setImmediate", "Date"] }));
after(() => mock.timers.reset());

test("with false timers: processes", async () => {
  const child = new Process((n: number) => n + 1, 1).start();
  assert.equal(await child.result(), 2);
  assert.equal(await child.join(), 0);
});

test("with false timers: time-outs", async () => {
  const queue = new Queue<number>();
  await assert.rejects(queue.get({ timeout: 5 }), QueueEmptyError);
  assert.equal(await new Event().wait({ timeout: 5 }), false);
  assert.deepEqual(await wait([new Event()], { timeout: 5 }), []);
});

test("with false timers: pools", async () => {
  await using pool = new Pool(1);
  assert.deepEqual(await pool.map((n: number) => n + 1, [1, 2]), [2, 3]);
  assert.equal(
    await pool.applyAsync(() => new Promise((resolve) => setTimeout(resolve, 50))).wait({ timeout: 1 }),
    false,
  );
});

test("with false timers: managers", async () => {
  await using manager = await Manager.start();
  const dict = await manager.dict({ a: 1 });
  assert.equal(await dict.get("a"), 1);
});
