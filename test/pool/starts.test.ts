/** When a pool starts workers: as many as there are tasks to run, never more than it may have. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { Barrier, Pool, Process } from "../../src/index.ts";

const index = new URL("../../src/index.js", import.meta.url).href;

/** Returns when as many tasks run at the same time as the barrier has parties. */
const meet = async (barrier: Barrier): Promise<number> => {
  await barrier.wait({ timeout: 60_000 });
  return process.pid;
};

test("tasks that wait behind another one in a worker's lane start workers, as those in the queue do", async () => {
  await using pool = new Pool(4);
  // The first worker is there, and can take all the tasks.
  await pool.apply(() => 0);
  const barrier = new Barrier(4);
  const pids = await Promise.all([0, 1, 2, 3].map(() => pool.apply(meet, [barrier])));
  assert.equal(new Set(pids).size, 4);
  assert.equal(pool.stats().workers.length, 4);
});

test("a pool of more workers than start at a time gets them all, also when their initializers wait for each other", async () => {
  const parties = 12;
  const barrier = new Barrier(parties);
  const initializer = async (all: Barrier): Promise<void> => void (await all.wait({ timeout: 60_000 }));
  await using pool = new Pool(parties, { initializer, initArgs: [barrier] });
  const pids = await Promise.all(Array.from({ length: parties }, () => pool.apply(meet, [barrier])));
  assert.equal(new Set(pids).size, parties);
});

test("calls one after the other start one worker, whatever there may be", async () => {
  await using pool = new Pool(8);
  for (let i = 0; i < 50; i++) assert.equal(await pool.apply((n: number) => n, [i]), i);
  assert.equal(pool.stats().workers.length, 1);
});

test("116: a pool of 200 is made, used and closed without a word", async () => {
  const program = `import { Pool } from ${JSON.stringify(index)};
    const pool = new Pool(200);
    const results = await pool.map((n) => n * 2, Array.from({ length: 1000 }, (_, i) => i), { chunkSize: 1 });
    console.log(results.length, results.every((n, i) => n === 2 * i), pool.stats().workers.length <= 200);
    pool.close();
    await pool.join();`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (data) => (out += String(data)));
  child.stderr.on("data", (data) => (err += String(data)));
  const code = await new Promise((resolve) => child.on("close", resolve));
  assert.deepEqual({ out, err, code }, { out: "1000 true true\n", err: "", code: 0 });
});

test("116: a pool can be made in a Process, which ends when it has, closed or not", async () => {
  const withPool = async (close: boolean): Promise<number[]> => {
    const pool = new Pool(2);
    const squares = await pool.map((n: number) => n * n, [1, 2, 3]);
    if (close) {
      pool.close();
      await pool.join();
    }
    return squares;
  };
  for (const close of [true, false]) {
    const child = new Process(withPool, close);
    child.start();
    assert.deepEqual(await child.result(), [1, 4, 9]);
    await child.join();
    assert.equal(child.exitCode, 0);
  }
});
