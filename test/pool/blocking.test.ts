/** Programs that block the event loop, and callbacks that do. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { Pool, WorkerDiedError } from "../../src/index.ts";

const square = (n: number): number => n * n;

test("a callback may block on another result, also one of the same worker", async () => {
  await using pool = new Pool(1);
  const behind = pool.applyAsync(square, [3]);
  let nested: number | undefined;
  // Begun before `behind` is read: both results are in one lane.
  const first = pool.applyAsync(square, [2], { callback: () => (nested = pool.applyAsync(square, [4]).getSync()) });
  assert.equal(await first, 4);
  assert.equal(nested, 16);
  assert.equal(await behind, 9);
});

test("a callback may block on a task whose worker dies; the worker is replaced", async () => {
  await using pool = new Pool(1);
  let outcome: unknown;
  const callback = (): void => {
    const dying = pool.applyAsync(() => process.exit(7));
    assert.throws(() => dying.getSync(), WorkerDiedError);
    outcome = pool.applyAsync(square, [5]).getSync();
  };
  assert.equal(await pool.applyAsync(square, [2], { callback }), 4);
  assert.equal(outcome, 25);
  assert.equal(await pool.apply(square, [6]), 36);
});

test("stats() lists living workers only, though the event loop has not been told of a death", async () => {
  await using pool = new Pool(1);
  const pid = await pool.apply(() => process.pid);
  process.kill(pid, "SIGKILL");
  // A zombie is dead when its last thread is; it stays as long as this process has not been told.
  while (!/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1")) || readdirSync(`/proc/${pid}/task`).length > 1);
  const { workers, restarts } = pool.stats();
  assert.equal(
    workers.some((worker) => worker.pid === pid),
    false,
  );
  assert.equal(restarts, 1);
  assert.equal(await pool.apply(square, [2]), 4);
});

test("a task over its time is ended, and another one's turn comes, while the event loop is blocked", async () => {
  await using pool = new Pool(1, { taskTimeout: 50 });
  const endless = (): void => {
    for (;;);
  };
  const behind = pool.applyAsync(endless, [], { timeout: 100 });
  const first = pool.applyAsync(endless);
  assert.throws(() => first.getSync({ timeout: 30_000 }), /^TimeoutError: .* ran longer than 50 ms/);
  assert.throws(() => behind.getSync({ timeout: 30_000 }), /^TimeoutError: .* ran longer than 100 ms/);
  assert.equal(pool.applyAsync(square, [5]).getSync(), 25);
});
