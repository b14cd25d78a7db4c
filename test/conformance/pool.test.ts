/** The contract of pools. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  CancelledError,
  type Context,
  getContext,
  Pool,
  type Progress,
  SerializationError,
  StateError,
  TimeoutError,
  WorkerDiedError,
} from "multiproc";
import { METHODS } from "./each-method.ts";

const double = (n: number): number => n * 2;
const hang = (): never => {
  for (;;);
};

for (const method of METHODS) {
  const { Pool: P }: Context = getContext(method);
  const pool = new P(2);
  after(() => pool.terminate());
  const say = (statement: string, check: () => Promise<void>): void => test(`${statement} (${method})`, check) as never;

  say("apply, submit and applyAsync run a function in a worker", async () => {
    const add = (a: number, b: number): number => a + b;
    assert.equal(await pool.apply(add, [1, 2]), 3);
    assert.equal(await pool.submit(add, 1, 2), 3);
    assert.equal(await pool.applyAsync(add, [1, 2]).get(), 3);
    assert.notEqual(await pool.apply(() => process.pid), process.pid);
  });

  say("mapAsync and starmapAsync give an AsyncResult of the same", async () => {
    const told: number[][] = [];
    const doubled = pool.mapAsync(double, [1, 2], { callback: (results) => void told.push(results) });
    assert.deepEqual(await doubled.get(), [2, 4]);
    assert.deepEqual(await pool.starmapAsync(Math.max, [[1, 2] as number[], [4, 3]]), [2, 4]);
    assert.deepEqual(told, [[2, 4]]);
  });

  say("map and starmap give results in the order of the items", async () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    assert.deepEqual(await pool.map(double, items), items.map(double));
    assert.deepEqual(await pool.map(double, new Set([3, 1]), { chunkSize: 1 }), [6, 2]);
    assert.deepEqual(
      await pool.starmap(Math.pow, [
        [2, 3],
        [3, 2],
      ] as [number, number][]),
      [8, 9],
    );
    assert.deepEqual(await pool.map(double, []), []);
  });

  say("imap is lazy: endless and asynchronous inputs work", async () => {
    let taken = 0;
    const endless = async function* (): AsyncGenerator<number> {
      for (;;) yield taken++;
    };
    const got: number[] = [];
    for await (const n of pool.imap(double, endless())) {
      got.push(n);
      if (got.length === 5) break;
    }
    assert.deepEqual(got, [0, 2, 4, 6, 8]);
    assert.ok(taken < 2000);
  });

  say("imapUnordered gives each result once", async () => {
    const got: number[] = [];
    for await (const n of pool.imapUnordered(double, [1, 2, 3])) got.push(n);
    assert.deepEqual(
      got.sort((a, b) => a - b),
      [2, 4, 6],
    );
  });

  say("async functions are awaited, and a generator's items stream back", async () => {
    assert.equal(await pool.apply(async () => 5), 5);
    const items = await pool.apply(
      function* (n: number) {
        for (let i = 0; i < n; i++) yield i;
      },
      [3],
    );
    const got: number[] = [];
    for await (const item of items) got.push(item);
    assert.deepEqual(got, [0, 1, 2]);
  });

  say("an error rejects its task alone, with class and remote stack", async () => {
    class Bad extends TypeError {}
    const fail = (): never => {
      throw new Bad("no");
    };
    const [failed, fine] = await Promise.allSettled([pool.apply(fail), pool.apply(double, [1])]);
    assert.ok(failed.status === "rejected" && failed.reason instanceof Bad);
    assert.match((failed.reason as Error).stack as string, /fail/);
    assert.deepEqual(fine, { status: "fulfilled", value: 2 });
  });

  say("a killed worker costs the task that ran: WorkerDiedError; the pool goes on", async () => {
    const dead = pool.apply(() => process.kill(process.pid, "SIGKILL"));
    const behind = pool.apply(double, [4]);
    await assert.rejects(
      dead,
      (error: unknown) => error instanceof WorkerDiedError && error.signal === "SIGKILL" && error.pid! > 0,
    );
    assert.equal(await behind, 8);
    await assert.rejects(
      pool.apply(() => process.exit(3)),
      (error: unknown) => error instanceof WorkerDiedError && error.exitCode === 3,
    );
  });

  say("a task over its time, or aborted, is ended; others are not touched", async () => {
    await assert.rejects(pool.applyAsync(hang, [], { timeout: 20 }).get(), TimeoutError);
    const abort = new AbortController();
    const aborted = pool.applyAsync(hang, [], { signal: abort.signal });
    abort.abort(new Error("enough"));
    await assert.rejects(aborted.get(), /enough/);
    const cancelled = pool.applyAsync(hang, []);
    assert.equal(cancelled.cancel(), true);
    await assert.rejects(cancelled.get(), CancelledError);
    assert.equal(await pool.apply(double, [2]), 4);
  });
}

test("AsyncResult: ready, successful, wait, get out of time, and it can be awaited", async () => {
  await using pool = new Pool(1);
  const result = pool.applyAsync(() => new Promise((resolve) => setTimeout(() => resolve(3), 50)));
  assert.equal(result.ready(), false);
  assert.throws(() => result.successful(), StateError);
  assert.equal(await result.wait({ timeout: 0 }), false);
  await assert.rejects(result.get({ timeout: 0 }), TimeoutError);
  assert.equal(await result, 3);
  assert.deepEqual([result.ready(), result.successful(), result.getSync()], [true, true, 3]);
  let finished = false;
  assert.equal(await result.finally(() => (finished = true)), 3);
  assert.ok(finished);
});

test("callbacks run in the parent", async () => {
  await using pool = new Pool(1);
  const told: unknown[] = [];
  await pool.applyAsync(double, [2], { callback: (n) => told.push(n, process.pid) });
  await pool.applyAsync(() => assert.fail("no"), [], { errorCallback: (e) => told.push((e as Error).message) }).wait();
  assert.deepEqual(told, [4, process.pid, "no"]);
});

test("each worker runs the initializer; one that throws fails the waiting tasks with its error", async () => {
  await using pool = new Pool(1, { initializer: (n: number) => void Object.assign(globalThis, { n }), initArgs: [5] });
  assert.equal(await pool.apply(() => (globalThis as { n?: number }).n), 5);
  await using broken = new Pool(1, { initializer: () => assert.fail("not ready") });
  await assert.rejects(broken.apply(double, [1]), /not ready/);
});

test("retries repeats a task whose worker died", async () => {
  await using pool = new Pool(1, { retries: 2 });
  const { Value } = await import("multiproc");
  const tries = new Value("int32", 0);
  const flaky = (): number => (tries.add(1) === 0 ? (process.kill(process.pid, "SIGKILL"), 0) : tries.value);
  assert.equal(await pool.apply(flaky), 2);
});

test("maxTasksPerChild replaces workers", async () => {
  await using pool = new Pool(1, { maxTasksPerChild: 1 });
  const pids = [await pool.apply(() => process.pid), await pool.apply(() => process.pid)];
  assert.notEqual(pids[0], pids[1]);
});

test("imap goes on after an item that failed; a for await ends at it", async () => {
  await using pool = new Pool(1);
  const odd = (n: number): number => (n % 2 === 1 ? n : assert.fail(`${n} is even`));
  const results = pool.imap(odd, [1, 2, 3])[Symbol.asyncIterator]();
  assert.deepEqual(await results.next(), { done: false, value: 1 });
  await assert.rejects(results.next(), /2 is even/);
  assert.deepEqual(await results.next(), { done: false, value: 3 });
  assert.equal((await results.next()).done, true);
});

test("progress tells done, total, rate and eta, the last time with done === total", async () => {
  await using pool = new Pool(1);
  const told: Progress[] = [];
  await pool.map(double, [1, 2, 3], { progress: (counts) => void told.push(counts) });
  const { done, total, rate, eta } = told.at(-1) as Progress;
  assert.deepEqual([done, total, eta], [3, 3, 0]);
  assert.ok(rate > 0);
});

test("what cannot travel is a SerializationError of its call, there and back", async () => {
  await using pool = new Pool(1);
  await assert.rejects(
    pool.apply((w: unknown) => w, [new WeakMap()]),
    SerializationError,
  );
  await assert.rejects(
    pool.apply(() => new WeakMap()),
    SerializationError,
  );
  assert.equal(await pool.apply(double, [1]), 2);
});

test("stats() counts", async () => {
  await using pool = new Pool(1);
  await pool.map(double, [1, 2, 3], { chunkSize: 1 });
  const { workers, queued, running, completed, failed, restarts, latency, duration } = pool.stats();
  assert.deepEqual([workers.length, queued, running, completed, failed, restarts], [1, 0, 0, 3, 0, 0]);
  const [worker] = workers as [(typeof workers)[0]];
  assert.deepEqual([worker.pid, worker.completed, worker.tasks], [await pool.apply(() => process.pid), 3, 0]);
  assert.ok(worker.busy >= 0 && worker.busy <= 1);
  for (const { p50, p95, p99, max } of [latency, duration]) assert.ok(p50 <= p95 && p95 <= p99 && p99 <= max);
});

test("a task may use a pool of its own", async () => {
  await using pool = new Pool(1);
  const nested = async (): Promise<number[]> => {
    await using inner = new Pool(1);
    return await inner.map((n: number) => n + 1, [1, 2]);
  };
  assert.deepEqual(await pool.apply(nested), [2, 3]);
});

test("close() finishes what there is, terminate() cancels it; join() before either, and calls after, are StateErrors", async () => {
  const closing = new Pool(1);
  await assert.rejects(async () => closing.join(), StateError);
  const last = closing.apply(double, [1]);
  closing.close();
  await assert.rejects(async () => closing.apply(double, [1]), StateError);
  assert.equal(await last, 2);
  await closing.join();
  const ending = new Pool(1);
  const cancelled = ending.apply(hang);
  ending.terminate();
  await assert.rejects(cancelled, CancelledError);
  await ending.join();
});

test("numbers that make no sense are refused", async () => {
  for (const wrong of [0, -1, 1.5, "2"]) assert.throws(() => new Pool(wrong as number), /processes/);
  for (const wrong of [
    { retries: -1 },
    { maxTasksPerChild: 0 },
    { taskTimeout: -1 },
    { initializer: 5 },
    { unknown: 1 },
  ]) {
    assert.throws(
      () => new Pool(1, wrong as never),
      (error: unknown) => error instanceof TypeError || error instanceof RangeError,
    );
  }
  await using pool = new Pool(1);
  await assert.rejects(async () => pool.map(double, [1], { chunkSize: 0 }), RangeError);
  await assert.rejects(async () => pool.map(5 as never, [1]), TypeError);
});
