import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Pool, Value, WorkerDiedError } from "../../src/index.ts";
import { Point } from "../fixtures/point.ts";
import { until } from "../helpers/program.ts";

let pool: Pool;

before(() => void (pool = new Pool(2)));
after(async () => {
  pool.close();
  await pool.join();
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function* upTo(n: number): Generator<number> {
  for (let i = 0; i < n; i++) yield n * 1000 + i;
}

const lengths = [3, 0, 200, 1, 500, 64, 65];

test("imap over a generator gives its items one by one, in the order of the inputs, whatever the chunks", async () => {
  const expected = lengths.flatMap((n) => [...upTo(n)]);
  const slowly = async function* (n: number): AsyncGenerator<number> {
    for (const each of upTo(n)) {
      if (each % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      yield each;
    }
  };
  for (const options of [{}, { chunkSize: 1 }, { chunkSize: 3 }, { chunkSize: 100 }]) {
    assert.deepEqual(await collect(pool.imap(upTo, lengths, options)), expected);
    assert.deepEqual(await collect(pool.imap(slowly, lengths, options)), expected);
  }
});

test("imapUnordered over a generator gives each item once, those of an input in their order", async () => {
  for (const options of [{}, { chunkSize: 3 }]) {
    const items = await collect(pool.imapUnordered(upTo, lengths, options));
    for (const n of lengths)
      assert.deepEqual(
        items.filter((item) => Math.floor(item / 1000) === n),
        [...upTo(n)],
      );
    assert.equal(items.length, 833);
  }
});

test("leaving the loop ends an endless generator: its finally runs, the worker is free, close does not hang", async () => {
  for (const method of ["imap", "imapUnordered"] as const) {
    await using other = new Pool(1);
    const begun = new Value("int32", 0);
    const closed = new Value("int32", 0);
    const yielded = new Value("int32", 0);
    const endless = function* (n: number): Generator<number> {
      begun.add(1);
      try {
        for (let i = n; ; i++) {
          yielded.add(1);
          yield i;
        }
      } finally {
        closed.add(1);
      }
    };
    const seen: number[] = [];
    for await (const item of other[method](endless, [10, 20, 30])) {
      seen.push(item);
      if (seen.length === 300) break;
    }
    // Those behind the first may have begun, while that one waited for the loop.
    if (method === "imap")
      assert.deepEqual(
        seen,
        Array.from({ length: 300 }, (_, i) => 10 + i),
      );
    // The next task runs when the generators have ended.
    assert.equal(await other.apply(() => begun.value - closed.value), 0);
    assert.ok(yielded.value <= 300 + begun.value * (64 + 1), `${yielded.value} were yielded for 300`);
    assert.equal(other.stats().restarts, 0);
  }
});

test("leaving at the first item, and before any, ends endless async generators, too", async () => {
  await using other = new Pool(2);
  const endless = async function* (n: number): AsyncGenerator<number> {
    for (;;) {
      yield n;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  for (let round = 0; round < 5; round++) {
    for await (const item of other.imap(endless, [1, 2, 3, 4], { chunkSize: 2 })) {
      assert.equal(item, 1);
      break;
    }
    const unread = other.imapUnordered(endless, [1, 2, 3, 4]);
    const first = unread.next();
    await unread.return?.();
    await first;
  }
  assert.deepEqual(await other.map((n: number) => n, [1, 2, 3, 4], { chunkSize: 1 }), [1, 2, 3, 4]);
});

test("each endless generator is a small window ahead of its consumer", async () => {
  await using other = new Pool(2);
  const yielded = new Value("int32", 0);
  const endless = function* (): Generator<number> {
    for (;;) yield yielded.add(1);
  };
  const items = other.imap(endless, [1, 2, 3, 4], { chunkSize: 1 });
  await items.next();
  await until(() => yielded.value >= 4 * 64);
  const count = yielded.value;
  await items.return?.();
  assert.ok(count <= 4 * 66, String(count));
});

test("a generator that throws, or yields what cannot travel, costs its own input only", async () => {
  const picky = function* (n: number): Generator<unknown> {
    yield n;
    if (n === 2) throw new RangeError("two");
    if (n === 4) yield new WeakMap();
    yield -n;
  };
  for (const chunkSize of [1, 2, 10]) {
    const outcomes: unknown[] = [];
    const items = pool.imap(picky, [1, 2, 3, 4, 5], { chunkSize });
    for (;;) {
      try {
        const { done, value } = await items.next();
        if (done === true) break;
        outcomes.push(value);
      } catch (error) {
        outcomes.push((error as Error).name);
      }
    }
    assert.deepEqual(outcomes, [1, -1, 2, "RangeError", 3, -3, 4, "SerializationError", 5, -5]);
  }
});

test("functions that are generators for some inputs only keep the order", async () => {
  const list = (n: number): unknown => (n % 2 === 0 ? upTo(n) : n);
  for (const chunkSize of [1, 4, 20]) {
    assert.deepEqual(await collect(pool.imap(list, [1, 2, 3, 4, 5, 6, 7], { chunkSize })), [
      1,
      ...upTo(2),
      3,
      ...upTo(4),
      5,
      ...upTo(6),
      7,
    ]);
  }
});

test("a worker that dies in the middle of a stream: the items before, one error, then the next input; no retry", async () => {
  await using other = new Pool(1, { retries: 3 });
  const dying = function* (n: number): Generator<number> {
    yield n;
    if (n === 2) {
      // The item before has to be out: it is when the next one is asked for.
      process.kill(process.pid, "SIGKILL");
    }
    yield -n;
  };
  const outcomes: unknown[] = [];
  const items = other.imap(dying, [1, 2, 3], { chunkSize: 1 });
  for (;;) {
    try {
      const { done, value } = await items.next();
      if (done === true) break;
      outcomes.push(value);
    } catch (error) {
      assert.ok(error instanceof WorkerDiedError);
      outcomes.push(error.signal);
    }
  }
  assert.deepEqual(outcomes, [1, -1, 2, "SIGKILL", 3, -3]);
  const stream = await other.apply(dying, [2]);
  assert.deepEqual(await stream.next(), { done: false, value: 2 });
  await assert.rejects(stream.next(), WorkerDiedError);
});

test("items taken after their generator has ended do not narrow the window of the next ones", async () => {
  await using other = new Pool(1);
  for (let round = 0; round < 4; round++) {
    const stream = await other.apply(upTo, [50]);
    await until(() => other.stats().running === 0);
    assert.equal((await collect(stream)).length, 50);
  }
  assert.equal((await collect(await other.apply(upTo, [1000]))).length, 1000);
  assert.equal((await collect(other.imap(upTo, [1000, 10]))).length, 1010);
});

test("items that need a module, which takes a turn of the event loop, keep their places among the others", async () => {
  const points = function* (n: number): Generator<Point | number> {
    for (let i = 0; i < n; i++) yield i % 3 === 0 ? i : new Point(i);
  };
  const flat = (item: Point | number): number => (item instanceof Point ? item.n : item);
  const expected = Array.from({ length: 200 }, (_, i) => i);
  assert.deepEqual((await collect(await pool.apply(points, [200]))).map(flat), expected);
  assert.deepEqual((await collect(pool.imap(points, [200, 200]))).map(flat), [...expected, ...expected]);
});

test("more generators than workers can be waited for before one of them is read", async () => {
  const endless = function* (from: number): Generator<number> {
    for (let i = from; ; i++) yield i;
  };
  const streams = await Promise.all([0, 10, 20, 30, 40].map((from) => pool.submit(endless, from)));
  // One that has not begun can be left, too.
  await (streams.pop() as AsyncIterableIterator<number>).return?.();
  const starts: number[][] = [];
  for (const stream of streams) {
    const start: number[] = [];
    for await (const n of stream) if (start.push(n) === 2) break;
    starts.push(start);
  }
  assert.deepEqual(starts, [
    [0, 1],
    [10, 11],
    [20, 21],
    [30, 31],
  ]);
});

test("a generator whose worker dies before it begins is begun on another one", async () => {
  await using own = new Pool(1);
  const dying = own.submit(() => process.exit(3));
  const stream = await own.submit(function* () {
    yield process.pid;
  });
  await assert.rejects(dying, WorkerDiedError);
  assert.equal((await collect(stream)).length, 1);
});

test("what a generator throws at once is told to whoever asks for its first item", async () => {
  const stream = await pool.submit(function* (): Generator<number> {
    if (process.pid > 0) throw new RangeError("at once");
    yield 1;
  });
  await assert.rejects(stream.next(), /^RangeError: at once$/);
  assert.equal((await stream.next()).done, true);
});
