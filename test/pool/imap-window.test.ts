/** How far an imap runs ahead of its consumer, and how much it sends at a time. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool, type Progress } from "../../src/index.ts";

const same = (n: number): number => n;

async function settled(pool: Pool): Promise<void> {
  for (;;) {
    const { queued, running } = pool.stats();
    if (queued + running === 0) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("short items of an imap are sent one or two at a time as long as its consumer is slower than they are", async () => {
  for (const isAsync of [false, true]) {
    // With two, the one that has the first item may come up so late that the consumer does wait for the other's.
    await using pool = new Pool(1);
    let taken = 0;
    const naturals = function* (): Generator<number> {
      for (;;) yield taken++;
    };
    const later = async function* (): AsyncGenerator<number> {
      yield* naturals();
    };
    const results = pool.imap(same, isAsync ? later() : naturals());
    for (let i = 0; i < 50; i++) {
      assert.equal((await results.next()).value, i);
      await settled(pool);
      assert.ok(taken - i <= 10, `${taken} inputs taken for ${i} results`);
    }
    await results.return?.();
  }
});

test("an iterator whose next() gives no object is an error, as in a loop", async () => {
  await using pool = new Pool(1);
  const broken = { next: () => 5 } as unknown as Iterator<number>;
  const brokenLater = { next: async () => undefined } as unknown as AsyncIterator<number>;
  await assert.rejects(pool.imap(same, { [Symbol.iterator]: () => broken }).next(), TypeError);
  await assert.rejects(pool.imap(same, { [Symbol.asyncIterator]: () => brokenLater }).next(), TypeError);
  assert.equal(await pool.apply(same, [1]), 1);
});

test("a chunk of hundreds of thousands of items gives them all", async () => {
  await using pool = new Pool(1);
  const count = 300_000;
  for (const method of ["imap", "imapUnordered"] as const) {
    let sum = 0;
    const items = Array.from({ length: count }, (_, i) => i);
    for await (const n of pool[method](same, items, { chunkSize: count })) sum += n;
    assert.equal(sum, (count * (count - 1)) / 2);
  }
});

test("items that cannot travel count as done", async () => {
  await using pool = new Pool(1);
  const told: Progress[] = [];
  const results = pool.imap((value: unknown) => typeof value, [1, new WeakMap(), 3], {
    progress: (progress) => told.push(progress),
  });
  const kinds: unknown[] = [];
  for (let i = 0; i < 3; i++)
    kinds.push(
      await results.next().then(
        ({ value }) => value,
        (error: Error) => error.name,
      ),
    );
  assert.deepEqual(kinds, ["number", "SerializationError", "number"]);
  assert.equal((await results.next()).done, true);
  assert.deepEqual([told.at(-1)?.done, told.at(-1)?.total], [3, 3]);
});

test("what an input gives after its imap was aborted is left", async () => {
  await using pool = new Pool(1);
  const abort = new AbortController();
  const open: ((result: IteratorResult<number>) => void)[] = [];
  const input = { next: () => new Promise<IteratorResult<number>>((resolve) => open.push(resolve)) };
  const results = pool.imap(same, { [Symbol.asyncIterator]: () => input }, { signal: abort.signal });
  const first = results.next();
  open.shift()?.({ done: false, value: 1 });
  assert.equal((await first).value, 1);
  abort.abort(new Error("enough"));
  open.shift()?.({ done: false, value: 2 });
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(results.next(), /^Error: enough$/);
  assert.equal((await results.next()).done, true);
});
