/** Tasks that are given to workers on their way up. */

import assert from "node:assert/strict";
import { channel } from "node:diagnostics_channel";
import { test } from "node:test";
import { Barrier, Event, Pool, Value } from "../../src/index.ts";

test("a pool's first task goes to its worker at once, and begins when that is up", async () => {
  const given: unknown[] = [];
  const onTask = (message: unknown): void => void given.push(message);
  channel("multiproc:pool:task:start").subscribe(onTask);
  const pool = new Pool(2);
  const result = pool.apply((n: number) => n * n, [3]);
  assert.equal(given.length, 1);
  assert.deepEqual([pool.stats().queued, pool.stats().running], [1, 0]);
  assert.equal(await result, 9);
  channel("multiproc:pool:task:start").unsubscribe(onTask);
  await pool[Symbol.asyncDispose]();
});

test("a pool's first tasks run at the same time, a worker each", async () => {
  const all = new Barrier(3);
  const meet = async (there: typeof all): Promise<number> => {
    await there.wait();
    return process.pid;
  };
  await using pool = new Pool(3);
  const pids = await Promise.all([1, 2, 3].map(() => pool.apply(meet, [all])));
  assert.equal(new Set(pids).size, 3);
});

test("a task of a worker that takes long to come up is done by one that is up before", async () => {
  const [started, go] = [new Value("int32", 0), new Event()];
  const pool = new Pool(2, {
    initializer: async (count: typeof started, event: typeof go) => {
      if (count.add(1) > 0) await event.wait();
    },
    initArgs: [started, go],
  });
  const pids = await Promise.all([1, 2].map(() => pool.apply(() => process.pid)));
  assert.equal(pids[0], pids[1]);
  go.set();
  pool.close();
  await pool.join();
});
