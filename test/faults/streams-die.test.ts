/** A worker that dies with generators that wait for their consumers, a task that runs, and tasks that have not begun. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool, Value, WorkerDiedError } from "../../src/index.ts";
import { until } from "../helpers/program.ts";

for (const retries of [0, 1]) {
  test(`SIGKILL with two generators that wait and a task that runs, ${retries} retries: each is told once, nothing is lost`, async () => {
    await using pool = new Pool(1, { retries });
    const runs = new Value("int32", 0);
    const numbers = function* (from: number): Generator<number> {
      for (let i = from; ; i++) yield i;
    };
    const streams = await Promise.all([0, 1000].map((from) => pool.submit(numbers, from)));
    for (const stream of streams) await stream.next();
    await until(() => pool.stats().running === 2);
    const running = pool.submit(async () => {
      if (runs.add(1) === 0) await new Promise(() => setInterval(() => {}, 1000));
      return "retried";
    });
    const ended = running.then(
      (value) => value,
      (error: unknown) => error,
    );
    await until(() => runs.value === 1);
    const behind = Array.from({ length: 20 }, (_, i) => pool.submit((n: number) => n, i));
    const [worker] = pool.stats().workers;
    process.kill(worker?.pid as number, "SIGKILL");
    for (const [i, stream] of streams.entries()) {
      const items: number[] = [];
      await assert.rejects(
        async () => {
          for await (const n of stream) items.push(n);
        },
        (error) => error instanceof WorkerDiedError && error.signal === "SIGKILL" && error.pid === worker?.pid,
      );
      // What had come stays, in its order.
      assert.deepEqual(
        items,
        items.map((_, at) => i * 1000 + 1 + at),
      );
      assert.ok(items.length >= 63);
      assert.equal((await stream.next()).done, true);
    }
    if (retries === 0) assert.ok((await ended) instanceof WorkerDiedError);
    else assert.equal(await ended, "retried");
    assert.deepEqual(
      await Promise.all(behind),
      behind.map((_, i) => i),
    );
    assert.equal(runs.value, 1 + retries);
    assert.equal(pool.stats().failed, 3 - retries);
    assert.equal(pool.stats().restarts, 1);
  });
}
