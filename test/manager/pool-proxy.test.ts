import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { AsyncResult, type PoolProxy, Manager, Process } from "../../src/index.ts";

const m = await Manager.start();
let pool: PoolProxy;
before(async () => {
  pool = await m.pool(2);
});
after(() => m.shutdown());

const double = (n: number): number => 2 * n;

test("applyAsync gives a result at once, that is waited for in every way", async () => {
  const result = pool.applyAsync(double, [21]);
  assert.ok(result instanceof AsyncResult);
  assert.equal(await result, 42);
  assert.equal(result.ready(), true);
  assert.equal(result.successful(), true);
  assert.equal(await result.get({ timeout: 0 }), 42);
  assert.equal(pool.applyAsync(double, [2]).getSync(), 4);
  assert.equal(pool.applyAsync(double, [2]).waitSync({ timeout: 60_000 }), true);

  const never = pool.applyAsync(() => new Promise<never>(() => {}));
  assert.equal(never.ready(), false);
  assert.throws(() => never.successful(), { name: "StateError" });
  assert.equal(await never.wait({ timeout: 1 }), false);
  assert.equal(never.waitSync({ timeout: 1 }), false);
  assert.throws(() => never.getSync({ timeout: 1 }), { name: "TimeoutError" });
  assert.equal(never.cancel(), true);
  assert.equal(never.cancel(), false);
  await assert.rejects(never.get(), { name: "CancelledError" });
});

test("callbacks are called in the process that gave them, once, with the value or the error", async () => {
  const values: unknown[] = [];
  const callback = (value: unknown): number => values.push(value);
  await pool.applyAsync(double, [4], { callback });
  await pool.mapAsync(double, [1, 2], { callback, chunkSize: 1 });
  await pool.starmapAsync((a: number, b: number) => a + b, [[1, 2]], { callback });
  assert.deepEqual(values, [8, [2, 4], [3]]);
  const errors: unknown[] = [];
  const failing = pool.applyAsync(
    () => {
      throw new RangeError("in a worker");
    },
    [],
    { callback, errorCallback: (error) => errors.push(error) },
  );
  await assert.rejects(failing.get(), { name: "RangeError", message: "in a worker" });
  assert.equal(failing.successful(), false);
  assert.deepEqual([errors.length, values.length], [1, 3]);
});

test("progress is counted in the process that asks, up to the end", async () => {
  const counts: [number, number][] = [];
  const progress = ({ done, total }: { done: number; total?: number | undefined }): unknown =>
    counts.push([done, total as number]);
  assert.deepEqual(await pool.map(double, new Set([1, 2, 3]), { chunkSize: 1, progress }), [2, 4, 6]);
  assert.deepEqual(counts.at(-1), [3, 3]);
});

test("a task over its time, and one whose signal is aborted, are stopped, and the pool goes on", async () => {
  const endless = (): Promise<never> => new Promise(() => {});
  await assert.rejects(pool.applyAsync(endless, [], { timeout: 20 }).get(), { name: "TimeoutError" });
  const controller = new AbortController();
  const aborted = pool.mapAsync(endless, [1, 2], { signal: controller.signal });
  controller.abort(new RangeError("enough"));
  await assert.rejects(aborted.get(), /enough/);
  assert.throws(() => pool.applyAsync(double, [1], { signal: controller.signal }), /enough/);
  assert.equal(await pool.apply(double, [1]), 2);
});

test("imap goes on after an item that failed, takes its options, and is ended by its signal", async () => {
  const odd = (n: number): number => {
    if (n % 2 === 0) throw new RangeError(`${n} is even`);
    return n;
  };
  const iterator = pool.imap(odd, [1, 2, 3], { chunkSize: 3 });
  assert.deepEqual(await iterator.next(), { value: 1, done: false });
  await assert.rejects(iterator.next(), /2 is even/);
  assert.deepEqual(await iterator.next(), { value: 3, done: false });
  assert.deepEqual(await iterator.next(), { value: undefined, done: true });

  const unordered = new Set<number>();
  for await (const n of pool.imapUnordered(double, [1, 2, 3], { chunkSize: 1 })) unordered.add(n);
  assert.deepEqual(unordered, new Set([2, 4, 6]));

  const started = await m.event();
  const controller = new AbortController();
  const waiting = pool.imap(
    async () => {
      await started.set();
      await new Promise(() => {});
    },
    [1],
    { signal: controller.signal },
  );
  const next = waiting.next();
  await started.wait();
  controller.abort(new RangeError("enough"));
  await assert.rejects(next, /enough/);
  assert.equal(await pool.apply(double, [1]), 2);
});

test("imap takes items when there is room for their results, endless ones, too; leaving the loop ends them", async () => {
  let [taken, ended] = [0, 0];
  function* endless(): Generator<number> {
    try {
      for (;;) yield taken++;
    } finally {
      ended += 1;
    }
  }
  const results: number[] = [];
  for await (const n of pool.imap(double, endless())) {
    results.push(n);
    if (results.length === 5) break;
  }
  assert.deepEqual(results, [0, 2, 4, 6, 8]);
  assert.equal(ended, 1);
  assert.ok(taken < 200, `${taken} were taken`);

  async function* asynchronous(): AsyncGenerator<number> {
    for (const n of [1, 2, 3]) {
      await new Promise((resolve) => setImmediate(resolve));
      yield n;
    }
  }
  const unordered = new Set<number>();
  for await (const n of pool.imapUnordered(double, asynchronous())) unordered.add(n);
  assert.deepEqual(unordered, new Set([2, 4, 6]));
  const set: number[] = [];
  for await (const n of pool.imap(double, new Set([1, 2]), { chunkSize: 2 })) set.push(n);
  assert.deepEqual(set, [2, 4]);
});

test("an imap ends with what its items throw, or what cannot travel, after the results before it", async () => {
  function* failing(): Generator<number> {
    yield 1;
    throw new RangeError("no more");
  }
  const iterator = pool.imap(double, failing());
  assert.equal((await iterator.next()).value, 2);
  await assert.rejects(iterator.next(), /no more/);
  assert.equal((await iterator.next()).done, true);

  const untold = pool.imap(
    (item: unknown) => typeof item,
    (function* (): Generator<unknown> {
      yield new WeakMap();
    })(),
  );
  await assert.rejects(untold.next(), { name: "SerializationError" });

  let closed = false;
  const closing = (async function* (): AsyncGenerator<number> {
    try {
      for (;;) yield 1;
    } finally {
      closed = true;
    }
  })();
  const controller = new AbortController();
  const aborted = pool.imap(double, closing, { signal: controller.signal });
  await aborted.next();
  controller.abort(new RangeError("enough"));
  await assert.rejects(async () => {
    for (;;) if ((await aborted.next()).done === true) return;
  }, /enough/);
  while (!closed) await new Promise((resolve) => setImmediate(resolve));
});

test("wrong arguments are refused as by a pool of this process", async () => {
  assert.throws(() => pool.applyAsync(1 as never), { name: "TypeError", message: /fn must be a function/ });
  assert.throws(() => pool.mapAsync(double, 5 as never), { name: "TypeError", message: /items/ });
  assert.throws(() => pool.imap(double, "text" as never), { name: "TypeError", message: /items/ });
  await assert.rejects(pool.map(double, [1], { chunkSize: 0 }), { name: "RangeError", message: /chunkSize/ });
  await assert.rejects(pool.imap(double, [1], { chunkSize: 0 }).next(), { name: "RangeError", message: /chunkSize/ });
});

test("a child uses it likewise, blocking, too; when the manager dies, results reject", async () => {
  const seen = await m.list<number>();
  const child = new Process(async () => {
    const called: number[] = [];
    const callback = (values: number[]): void => {
      for (const value of values) seen.sync.push(value);
      called.push(...seen.sync);
    };
    const values = pool.mapAsync((n: number) => n + 1, [1, 2], { callback }).getSync();
    await Promise.resolve();
    return [values, called];
  });
  assert.deepEqual(await child.start().result(), [
    [2, 3],
    [2, 3],
  ]);
  const doomed = await Manager.start();
  const theirs = await doomed.pool(1);
  const started = await doomed.event();
  const never = theirs.applyAsync(async () => {
    await started.set();
    await new Promise(() => {});
  });
  await started.wait();
  process.kill(doomed.pid as number, "SIGKILL");
  assert.throws(() => never.getSync(), { name: "ManagerDiedError" });
  await assert.rejects(never.get(), { name: "ManagerDiedError" });
  await doomed.shutdown();
});

test("a callback that throws is a warning", async () => {
  const warned = once(process, "warning");
  await pool.applyAsync(double, [1], {
    callback: () => {
      throw new RangeError("in a callback");
    },
  });
  assert.match(((await warned) as Error[])[0]?.message ?? "", /in a callback/);
});
