import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool, Value, WorkerDiedError } from "../../src/index.ts";
import { releaseCarriers } from "../../src/memory/index.ts";
import { countBlocks } from "../helpers/count-blocks.ts";
import { childrenOf } from "../helpers/program.ts";
import { Random } from "../helpers/random.ts";

const TASKS = 20_000;
const KILLS = 25;

/** Kills a worker, if it is one that lives: it may have ended since it was listed, and its pid may be another's. */
function kill(pid: number): boolean {
  if (!childrenOf(process.pid).some((child) => child.pid === pid && !child.isZombie)) return false;
  return process.kill(pid, "SIGKILL");
}

test("random workers are killed during 20,000 tasks: each result comes exactly once, and only begun tasks are lost", async (t) => {
  const random = new Random();
  t.diagnostic(`seed ${random.seed}`);
  const pool = new Pool(2);
  const counts = new Uint8Array(TASKS);
  let lost = 0;
  let done = 0;
  let kills = 0;
  const work = (n: number): number => {
    let sum = n;
    for (let i = 0; i < 2000; i++) sum = (sum * 31 + i) % 65_521;
    return sum < 0 ? -1 : n;
  };
  const killSome = (): void => {
    if (kills >= KILLS || done < ((kills + 1) * TASKS) / (KILLS + 2)) return;
    const { workers } = pool.stats();
    if (workers.length > 0 && kill(random.pick(workers).pid)) kills += 1;
  };
  const one = async (n: number): Promise<void> => {
    try {
      assert.equal(await pool.apply(work, [n]), n);
    } catch (error) {
      assert.ok(error instanceof WorkerDiedError, String(error));
      assert.equal(error.signal, "SIGKILL");
      lost += 1;
    }
    counts[n] = (counts[n] as number) + 1;
    done += 1;
    killSome();
  };
  let next = 0;
  await Promise.all(
    Array.from({ length: 200 }, async () => {
      while (next < TASKS) await one(next++);
    }),
  );
  assert.ok(counts.every((count) => count === 1));
  assert.ok(kills > 0 && lost <= kills, `${lost} lost in ${kills} kills`);
  assert.equal(pool.stats().completed + lost, TASKS);
  pool.close();
  await pool.join();
});

test("with retries nothing is lost when workers are killed", async () => {
  const pool = new Pool(2, { retries: 100 });
  const tasks = Array.from({ length: 400 }, (_, i) =>
    pool.apply(
      async (n: number) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return n;
      },
      [i],
    ),
  );
  let kills = 0;
  for (const [i, task] of tasks.entries()) {
    await task;
    if (i % 80 !== 40) continue;
    const victim = pool.stats().workers[kills % 2];
    if (victim !== undefined && kill(victim.pid)) kills += 1;
  }
  assert.deepEqual(
    await Promise.all(tasks),
    tasks.map((_, i) => i),
  );
  assert.ok(kills > 0);
  pool.close();
  await pool.join();
});

test("what large tasks hold is freed when their worker is killed: the one that ran, and those behind it", async () => {
  const pool = new Pool(1, { retries: 1 });
  const bytes = new Uint8Array(4 * 2 ** 20);
  await pool.apply((b: Uint8Array) => b.length, [bytes]);
  releaseCarriers();
  const before = countBlocks().extents;
  const runs = new Value("int32", 0);
  const dieOnce = (b: Uint8Array): number => {
    if (runs.add(1) === 0) process.kill(process.pid, "SIGKILL");
    return b.length;
  };
  const results = await Promise.all([1, 2, 3, 4].map(() => pool.apply(dieOnce, [bytes])));
  assert.deepEqual(
    results,
    Array.from({ length: 4 }, () => bytes.length),
  );
  releaseCarriers();
  assert.equal(countBlocks().extents, before);
  pool.close();
  await pool.join();
});
