import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool, WorkerDiedError } from "../../src/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";

test("a worker that runs out of its maxMemory fails its task with the limit, costs no other, and is replaced", async () => {
  await using pool = new Pool(1, { maxMemory: 48 * 2 ** 20, initializer: silence });
  const eat = (): never => {
    const kept: unknown[] = [];
    for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
  };
  await pool.apply(() => 1);
  const eating = pool.apply(eat);
  const behind = pool.apply((n: number) => n + 1, [1]);
  await assert.rejects(eating, (error) => {
    assert.ok(error instanceof WorkerDiedError);
    assert.equal(error.signal, "SIGABRT");
    assert.match(error.message, /ran out of heap memory \(maxMemory is 50331648 bytes\)/);
    return true;
  });
  assert.equal(await behind, 2);
  assert.equal(pool.stats().restarts, 1);
});

/** V8's last words would fill the output of the tests. */
async function silence(): Promise<void> {
  const { closeSync, openSync } = await import("node:fs");
  closeSync(2);
  openSync("/dev/null", "w");
}

test("imap over a million items keeps the memory flat, here and in the worker", async () => {
  await using pool = new Pool(1);
  const used = (): Promise<number> =>
    pool.apply(async () => {
      const { setFlagsFromString } = await import("node:v8");
      const { runInNewContext } = await import("node:vm");
      setFlagsFromString("--expose-gc");
      (runInNewContext("gc") as () => void)();
      return process.memoryUsage().heapUsed;
    });
  function* items(): Generator<number> {
    for (let i = 0; i < 1_000_000; i++) yield i;
  }
  const here: number[] = [];
  const there: number[] = [];
  let count = 0;
  let sum = 0;
  for await (const value of pool.imap((n: number) => n + 1, items())) {
    sum += value;
    count += 1;
    if (count % 250_000 !== 50_000) continue;
    await collectGarbage();
    here.push(process.memoryUsage().heapUsed);
    there.push(await used());
  }
  assert.equal(count, 1_000_000);
  assert.equal(sum, 500_000_500_000);
  // An item that stayed would cost at least 8 bytes: 6 MB for the 750,000 between the first and the last look.
  const growth = [here, there].map((sizes) => (sizes.at(-1) as number) - (sizes[0] as number));
  assert.ok(Math.max(...growth) < 3e6, `grew by ${growth.join(" and ")} bytes`);
});
