/** Generators that wait for their consumers let other tasks of their worker run. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { CancelledError, Pool, TimeoutError, Value, WorkerDiedError } from "../../src/index.ts";
import { until } from "../helpers/program.ts";

function* upTo(n: number): Generator<number> {
  for (let i = 0; i < n; i++) yield i;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** An item of each, by turns, until all have ended. */
async function inTurns<T>(iterators: readonly AsyncIterator<T>[]): Promise<T[][]> {
  const lists: T[][] = iterators.map(() => []);
  const open = new Set(iterators.keys());
  while (open.size > 0) {
    for (const i of open) {
      const { done, value } = await (iterators[i] as AsyncIterator<T>).next();
      if (done === true) open.delete(i);
      else (lists[i] as T[]).push(value);
    }
  }
  return lists;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

test("two imaps over generators can be read in turns, with one worker", async () => {
  await using pool = new Pool(1);
  for (const method of ["imap", "imapUnordered"] as const) {
    const [a, b] = await inTurns([pool[method](upTo, [300, 300]), pool[method](upTo, [200, 500])]);
    const byValue = (x: number, y: number): number => x - y;
    assert.deepEqual(a?.toSorted(byValue), [...range(300), ...range(300)].toSorted(byValue));
    assert.deepEqual(b?.toSorted(byValue), [...range(200), ...range(500)].toSorted(byValue));
  }
  assert.equal(pool.stats().restarts, 0);
});

test("a hundred generators can be merged by one worker", async () => {
  await using pool = new Pool(1);
  const streams = await Promise.all(range(100).map(() => pool.submit(upTo, 200)));
  for (const list of await inTurns(streams)) assert.deepEqual(list, range(200));
});

test("a task behind a generator that nobody reads on is answered, with one worker", async () => {
  await using pool = new Pool(1);
  const stream = await pool.submit(upTo, 1000);
  const first = await stream.next();
  assert.equal(await pool.submit((n: number) => n * 2, 21), 42);
  assert.deepEqual(await pool.map((n: number) => n * 2, [1, 2, 3], { chunkSize: 1 }), [2, 4, 6]);
  assert.deepEqual([first.value, ...(await collect(stream))], range(1000));
});

test("the body of a loop over an imap can give each item to the same pool, though all its workers run generators", async () => {
  await using pool = new Pool(2);
  const doubled: number[] = [];
  for await (const n of pool.imap(upTo, [200, 200, 200, 200, 200], { chunkSize: 1 }))
    doubled.push(await pool.submit((each: number) => 2 * each, n));
  const expected = range(5).flatMap(() => range(200).map((n) => 2 * n));
  assert.deepEqual(doubled, expected);
});

test("generators in chunks, and promises of generators, let others run, too", async () => {
  await using pool = new Pool(1);
  const mixed = async (n: number): Promise<unknown> => (n % 2 === 0 ? upTo(n) : n);
  const items = pool.imap(mixed as (n: number) => unknown, [1, 200, 3, 400], { chunkSize: 4 });
  const stream = (await pool.submit(mixed, 500)) as AsyncIterable<number>;
  const first = await items.next();
  assert.equal(await pool.submit(() => "other"), "other");
  assert.deepEqual([first.value, ...(await collect(items))], [1, ...range(200), 3, ...range(400)]);
  assert.deepEqual(await collect(stream), range(500));
});

test("one task's code runs at a time: a generator goes on when no other task runs", async () => {
  await using pool = new Pool(1);
  const active = new Value("int32", 0);
  const most = new Value("int32", 0);
  const enter = (): void => {
    const now = active.add(1) + 1;
    if (now > most.value) most.value = now;
  };
  const breathe = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 1));
  const generator = async function* (n: number): AsyncGenerator<number> {
    for (let i = 0; i < n; i++) {
      enter();
      if (i % 20 === 0) await breathe();
      active.sub(1);
      yield i;
    }
  };
  const task = async (n: number): Promise<number> => {
    enter();
    await breathe();
    active.sub(1);
    return n;
  };
  const streams = await Promise.all(range(3).map(() => pool.submit(generator, 300)));
  const tasks = range(50).map((n) => pool.submit(task, n));
  for (const list of await inTurns(streams)) assert.deepEqual(list, range(300));
  assert.deepEqual(await Promise.all(tasks), range(50));
  assert.equal(most.value, 1);
});

test("a generator that is left while it waits and another task runs is ended afterwards; the pool waits for its finally", async () => {
  const pool = new Pool(1);
  const isClosed = new Value("int32", 0);
  const goOn = new Value("int32", 0);
  const stream = await pool.submit(function* () {
    try {
      for (let i = 0; ; i++) yield i;
    } finally {
      isClosed.value = 1;
    }
  });
  await stream.next();
  const running = pool.submit(async () => {
    while (goOn.value === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return isClosed.value;
  });
  await until(() => pool.stats().running === 2);
  await stream.return?.();
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
  goOn.value = 1;
  assert.equal(await running, 0);
  pool.close();
  await pool.join();
  assert.equal(isClosed.value, 1);
});

/** A worker with a generator that waits, and a task beside it that runs until `goOn` says so. */
async function waitingBeside(pool: Pool, items: AsyncIterator<number>) {
  const goOn = new Value("int32", 0);
  await items.next();
  const beside = pool.submit(async () => {
    while (goOn.value === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return "beside";
  });
  const outcome = beside.catch((error: unknown) => error);
  await until(() => pool.stats().running === 2);
  return { goOn, outcome };
}

/** Its first error; what came before is read. */
async function errorOf(items: AsyncIterator<unknown>): Promise<unknown> {
  try {
    while ((await items.next()).done !== true);
  } catch (error) {
    return error;
  }
  return undefined;
}

test("an imap that is aborted while its generator waits costs nothing of the task beside it", async () => {
  await using pool = new Pool(1);
  const abort = new AbortController();
  const items = pool.imap(upTo, [1000], { signal: abort.signal });
  const { goOn, outcome } = await waitingBeside(pool, items);
  abort.abort(new RangeError("enough"));
  assert.ok((await errorOf(items)) instanceof RangeError);
  goOn.value = 1;
  assert.equal(await outcome, "beside");
  assert.equal(await pool.submit(() => 1), 1);
  assert.equal(pool.stats().restarts, 0);
});

test("the time of a generator counts while it waits for its turn", async () => {
  await using pool = new Pool(1, { retries: 1 });
  const begun = new Value("int32", 0);
  const goOn = new Value("int32", 0);
  const endless = function* (): Generator<number> {
    for (let i = 0; ; i++) yield i;
  };
  const items = await pool.applyAsync(endless, [], { timeout: 300 });
  await items.next();
  // Should the time be over before this begins beside the generator, it begins in the next worker.
  const beside = pool.submit(async () => {
    begun.value = 1;
    while (goOn.value === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    return "beside";
  });
  await until(() => begun.value === 1);
  const error = await errorOf(items);
  goOn.value = 1;
  assert.ok(error instanceof TimeoutError);
  assert.equal(await beside, "beside");
});

test("a task that is cancelled takes with it the generators that wait in its worker; others begin on a new one", async () => {
  await using pool = new Pool(1);
  const items = await pool.submit(upTo, 1000);
  await items.next();
  const endless = pool.applyAsync(() => new Promise(() => setInterval(() => {}, 1000)));
  const behind = pool.submit(() => "behind");
  await until(() => pool.stats().running === 2);
  assert.equal(endless.cancel(), true);
  await assert.rejects(endless.get(), CancelledError);
  const error = await errorOf(items);
  assert.ok(error instanceof WorkerDiedError);
  assert.equal(error.signal, "SIGTERM");
  assert.equal(await behind, "behind");
});

test("terminate ends generators that wait, and what runs beside them", async () => {
  const pool = new Pool(1);
  const items = await pool.submit(upTo, 1000);
  const { outcome } = await waitingBeside(pool, items);
  pool.terminate();
  assert.ok((await outcome) instanceof CancelledError);
  assert.ok((await errorOf(items)) instanceof CancelledError);
  await pool.join();
});

test("close lets a generator that waits, and the tasks behind it, go on to their ends", async () => {
  const pool = new Pool(1);
  const items = await pool.submit(upTo, 1000);
  const { goOn, outcome } = await waitingBeside(pool, items);
  const behind = pool.submit(() => "behind");
  pool.close();
  const joined = pool.join();
  goOn.value = 1;
  assert.equal(await outcome, "beside");
  assert.equal(await behind, "behind");
  assert.equal((await collect(items)).length, 999);
  await joined;
});
