/** Tasks that are moved from worker to worker before they begin. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "../../src/index.ts";

/** Until so many workers have run tasks. */
async function workersOf(pool: Pool, count: number): Promise<number[]> {
  const pids = new Set<number>();
  while (pids.size < count) {
    const tasks = Array.from({ length: count }, () =>
      pool.submit(() => new Promise<number>((resolve) => setTimeout(() => resolve(process.pid), 5))),
    );
    for (const pid of await Promise.all(tasks)) pids.add(pid);
  }
  return [...pids];
}

test("a task that no worker begins, since all are stopped, is not moved to and fro until their lanes are full", async () => {
  await using pool = new Pool(2);
  await using other = new Pool(1);
  const pids = await workersOf(pool, 2);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    const results = [pool.submit(() => process.pid)];
    await delay(20);
    // A result of another pool is a reason to look what can be moved.
    assert.equal(await other.submit((n: number) => n, 1), 1);
    for (let i = 0; i < 100; i++) results.push(pool.submit(() => process.pid));
    const inLanes = pool.stats().workers.reduce((sum, { tasks }) => sum + tasks, 0);
    assert.equal(inLanes, results.length);
    for (const pid of pids) process.kill(pid, "SIGCONT");
    for (const result of results) assert.ok(pids.includes(await result));
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
});

test("a worker that is stopped holds up no task as long as there is another one", async () => {
  await using pool = new Pool(2);
  await workersOf(pool, 2);
  const [stopped, other] = pool.stats().workers.map(({ pid }) => pid) as [number, number];
  process.kill(stopped, "SIGSTOP");
  try {
    for (let i = 0; i < 5; i++) assert.equal(await pool.submit(() => process.pid), other);
    assert.deepEqual(await pool.map((n: number) => n, [1, 2, 3]), [1, 2, 3]);
    assert.equal(pool.applyAsync(() => process.pid).getSync(), other);
  } finally {
    process.kill(stopped, "SIGCONT");
  }
  // It is one of two again.
  await workersOf(pool, 2);
});

test("of two stopped workers the one that goes on runs what both were given", async () => {
  await using pool = new Pool(2);
  const pids = await workersOf(pool, 2);
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    const results = [1, 2, 3, 4].map(() => pool.submit(() => process.pid));
    process.kill(pids[1] as number, "SIGCONT");
    for (const result of results) assert.equal(await result, pids[1]);
  } finally {
    for (const pid of pids) process.kill(pid, "SIGCONT");
  }
});
