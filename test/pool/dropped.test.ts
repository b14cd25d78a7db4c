import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool } from "../../src/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { runs, until } from "../helpers/program.ts";

/** Collects until a condition holds: finalizers run some time after a collection. */
async function collectUntil(condition: () => boolean): Promise<void> {
  let isCollecting = false;
  await until(() => {
    if (!isCollecting) {
      isCollecting = true;
      void collectGarbage().then(() => (isCollecting = false));
    }
    return condition();
  });
}

const pidOf = (): number => process.pid;

test("a pool that nobody refers to any more ends its workers while the program runs on", async () => {
  const { signal } = new AbortController();
  const pids = await (async () => {
    const pool = new Pool(2, { signal });
    await pool.map((n: number) => n, [1, 2, 3]);
    for await (const _ of pool.imap((n: number) => n, [1, 2, 3]));
    await pool.applyAsync(pidOf).get();
    return Promise.all([pool.apply(pidOf), pool.apply(pidOf)]);
  })();
  assert.ok(runs(pids[0] as number));
  await collectUntil(() => pids.every((pid) => !runs(pid)));
});

test("what is under way in a dropped pool ends as usual, then its workers do", async () => {
  const { Event } = await import("../../src/index.ts");
  const go = new Event();
  const [pid, running, queued] = await (async () => {
    const pool = new Pool(1);
    const first = await pool.apply(pidOf);
    return [first, pool.applyAsync(() => go.wait()), pool.apply((n: number) => n + 1, [1])] as const;
  })();
  for (let i = 0; i < 5; i++) await collectGarbage();
  assert.ok(runs(pid));
  assert.equal(running.ready(), false);
  go.set();
  assert.equal(await running, true);
  assert.equal(await queued, 2);
  await collectUntil(() => !runs(pid));
});

test("an iterator that is not at its end keeps its pool", async () => {
  const [pid, results] = await (async () => {
    const pool = new Pool(1);
    const first = await pool.apply(pidOf);
    const items = pool.imap((n: number) => ({ n, pid: process.pid }), [1, 2, 3, 4, 5], { chunkSize: 1 });
    await items.next();
    return [first, items] as const;
  })();
  for (let i = 0; i < 5; i++) await collectGarbage();
  const seen: { n: number; pid: number }[] = [];
  for await (const each of results) {
    seen.push(each);
    await collectGarbage();
  }
  assert.deepEqual(
    seen,
    [2, 3, 4, 5].map((n) => ({ n, pid })),
  );
});

test("a pool that was closed or terminated can be collected, too", async () => {
  const refs = await (async () => {
    const pools = [new Pool(1), new Pool(1)];
    await Promise.all(pools.map((pool) => pool.apply(pidOf)));
    pools[0]?.close();
    pools[1]?.terminate();
    await Promise.all(pools.map((pool) => pool.join()));
    return pools.map((pool) => new WeakRef(pool));
  })();
  await collectUntil(() => refs.every((ref) => ref.deref() === undefined));
});
