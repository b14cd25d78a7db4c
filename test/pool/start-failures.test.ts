/** Workers that do not come up: what waits is told why, and nobody tries for ever. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool, Value, WorkerDiedError } from "../../src/index.ts";

const square = (n: number): number => n * n;

test("workers that end in their initializer, twice in a row, fail the pool with the reason", async () => {
  const pool = new Pool(1, { name: "stillborn", initializer: () => process.exit(3) });
  const isReason = (error: unknown): boolean => {
    assert.ok(error instanceof WorkerDiedError);
    assert.equal(error.exitCode, 3);
    assert.match(error.message, /^Cannot start workers of pool "stillborn": worker \d+ exited with code 3/);
    return true;
  };
  const waiting = [pool.apply(square, [1]), pool.map(square, [1, 2, 3])];
  for (const each of waiting) await assert.rejects(each, isReason);
  await assert.rejects(pool.apply(square, [1]), isReason);
  await assert.rejects(pool.imap(square, [1]).next(), isReason);
  assert.equal(pool.stats().restarts, 2);
  pool.close();
  await pool.join();
});

test("a worker that ends in its initializer once is replaced, and costs no task", async () => {
  const starts = new Value("int32", 0);
  const pool = new Pool(1, {
    initializer: (count: typeof starts) => {
      if (count.add(1) === 0) process.kill(process.pid, "SIGKILL");
    },
    initArgs: [starts],
  });
  assert.deepEqual(await pool.map(square, [1, 2, 3], { chunkSize: 1 }), [1, 4, 9]);
  assert.equal(starts.value, 2);
  assert.equal(pool.stats().restarts, 1);
  pool.close();
  await pool.join();
});

test("workers that are killed before they are ready are replaced, but not for ever", async () => {
  const kills = new Value("int32", 5);
  const initializer = (left: typeof kills): void => {
    if (left.add(-1) > 0) process.kill(process.pid, "SIGKILL");
  };
  const pool = new Pool(1, { initializer, initArgs: [kills] });
  assert.equal(await pool.apply(square, [3]), 9);
  assert.equal(pool.stats().restarts, 5);
  pool.close();
  await pool.join();

  kills.value = 1000;
  const hopeless = new Pool(2, { initializer, initArgs: [kills] });
  await assert.rejects(hopeless.apply(square, [3]), /^WorkerDiedError: Cannot start workers .* was ended by SIGKILL/);
  hopeless.terminate();
  await hopeless.join();
});

test("starts that fail are counted in a row: one that succeeds in between begins anew", async () => {
  const starts = new Value("int32", 0);
  const pool = new Pool(1, {
    maxTasksPerChild: 1,
    initializer: (count: typeof starts) => {
      if (count.add(1) % 2 === 0) process.exit(1);
    },
    initArgs: [starts],
  });
  for (let n = 0; n < 4; n++) assert.equal(await pool.apply(square, [n]), n * n);
  pool.close();
  await pool.join();
});

test("an initializer that throws in many workers at once rejects all that waits, and is tried a few times at most", async () => {
  const starts = new Value("int32", 0);
  const pool = new Pool(4, {
    initializer: (count: typeof starts) => {
      count.add(1);
      throw new RangeError("cannot begin");
    },
    initArgs: [starts],
  });
  const waiting = Array.from({ length: 50 }, (_, n) => pool.apply(square, [n]));
  for (const each of waiting) await assert.rejects(each, { name: "RangeError", message: "cannot begin" });
  await assert.rejects(pool.map(square, [1, 2]), { message: "cannot begin" });
  await assert.rejects(pool.map(square, [1, 2]), { message: "cannot begin" });
  pool.close();
  await pool.join();
  assert.ok(starts.value <= 8, `${starts.value} starts`);
});

test("an initializer that throws in a worker that then does not end: it is killed, and what waits is told", async () => {
  const pool = new Pool(1, {
    initializer: () => {
      process.on("exit", () => {
        for (;;);
      });
      throw new RangeError("cannot begin");
    },
  });
  await assert.rejects(pool.apply(square, [1]), { message: "cannot begin" });
  pool.terminate();
  await pool.join();
});

test("the initializer's arguments that cannot travel reject what waits", async () => {
  const pool = new Pool(1, { initializer: () => {}, initArgs: [new WeakMap()] });
  await assert.rejects(pool.apply(square, [1]), { name: "SerializationError" });
  await assert.rejects(pool.apply(square, [1]), { name: "SerializationError" });
  pool.close();
  await pool.join();
});
