/** Two pools that live over all laps: one that reports dead workers, and one that repeats their tasks. */

import assert from "node:assert/strict";
import { CancelledError, Pool, TimeoutError, WorkerDiedError } from "../../../src/index.ts";
import { until } from "../../helpers/program.ts";
import type { Lap, Part } from "../part.ts";

const IN_FLIGHT = 30;
const BATCH = 200;
const TASK_MS = 40;

let reporting: Pool | undefined;
let repeating: Pool | undefined;

function work(n: number): number {
  let sum = n;
  for (let i = 0; i < 3000; i++) sum = (sum * 31 + i) % 65_521;
  return sum < 0 ? -1 : n;
}

/** Workers killed in a row without a task being done in between. A pool takes ten that are killed as they start for a sign that none can. */
const MOST_IN_A_ROW = 5;

/** Gives the workers of a pool that may be killed at a time. */
function victimsOf(pool: Pool): () => number[] {
  let last = pool.stats();
  return () => {
    const now = pool.stats();
    if (now.completed > last.completed) last = now;
    return now.restarts - last.restarts < MOST_IN_A_ROW ? now.workers.map(({ pid }) => pid) : [];
  };
}

/** Calls one by one, many in flight; each comes back once. */
async function calls(lap: Lap, pool: Pool): Promise<void> {
  const restarts = pool.stats().restarts;
  let lost = 0;
  let stopped = 0;
  await Promise.all(
    Array.from({ length: IN_FLIGHT }, async () => {
      while (!lap.over) {
        const n = lap.random.below(1e6);
        const choice = lap.random.below(200);
        try {
          if (choice === 0) {
            stopped += 1;
            await assert.rejects(pool.applyAsync(hang, [], { timeout: TASK_MS }).get(), isStop);
          } else if (choice === 1) {
            stopped += 1;
            const abort = new AbortController();
            const result = pool.applyAsync(hang, [], { signal: abort.signal });
            setTimeout(() => abort.abort(new CancelledError("Cannot go on: enough")), TASK_MS);
            await assert.rejects(result.get(), isStop);
          } else assert.equal(await pool.submit(work, n), n);
        } catch (error) {
          if (!(error instanceof WorkerDiedError)) throw error;
          assert.equal(error.signal, "SIGKILL");
          lost += 1;
        }
        lap.count("calls");
      }
    }),
  );
  lap.count("tasks that died with their worker", lost);
  lap.count("tasks that were stopped", stopped);
  assert.ok(lost <= lap.kills, `${lost} tasks died, in ${lap.kills} kills`);
  assert.equal(pool.stats().queued, 0);
  // A task that was stopped runs until its worker is gone.
  await until(
    () => pool.stats().running === 0,
    () => "the tasks that were stopped",
  );
  assert.ok(pool.stats().restarts - restarts >= lost);
}

function isStop(error: unknown): true {
  if (error instanceof WorkerDiedError) throw error;
  assert.ok(error instanceof TimeoutError || error instanceof CancelledError, String(error));
  return true;
}

function hang(): never {
  for (;;);
}

/** map, imap and imapUnordered: all results, each once, whatever dies. */
async function batches(lap: Lap, pool: Pool): Promise<void> {
  while (!lap.over) {
    const from = lap.random.below(1e6);
    const items = Array.from({ length: 1 + lap.random.below(BATCH) }, (_, i) => from + i);
    const way = lap.random.below(3);
    const got: number[] = [];
    if (way === 0) got.push(...(await pool.map(work, items)));
    else if (way === 1) for await (const n of pool.imap(work, items)) got.push(n);
    else for await (const n of pool.imapUnordered(work, items)) got.push(n);
    if (way === 2) got.sort((a, b) => a - b);
    assert.deepEqual(got, items);
    lap.count("items of maps", items.length);
  }
}

export const pools: Part = {
  name: "pools",
  guarantee:
    "Each call ends once: with its value, or with `WorkerDiedError` if its worker was killed, at most one call for each kill; tasks over " +
    "their time or aborted end with `TimeoutError` or the reason. With `retries`, `map`, `imap` and `imapUnordered` give every result once, " +
    "and in order.",
  async lap(lap) {
    const [first, second] = [(reporting ??= new Pool(2)), (repeating ??= new Pool(2, { retries: 1000 }))];
    lap.expose(victimsOf(first));
    lap.expose(victimsOf(second));
    await Promise.all([calls(lap, first), batches(lap, second)]);
  },
  async end() {
    for (const pool of [reporting, repeating]) {
      pool?.close();
      await pool?.join();
    }
  },
};
