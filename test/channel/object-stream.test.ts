/** Streams of small objects with the same keys: each process learns them by itself, whenever it comes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Process, Queue } from "../../src/index.ts";

interface Item {
  id: number;
  name: string;
  nested: { 0: boolean; __proto__?: unknown };
}

/** With a key that no literal can have, and one that goes to the front. */
function item(id: number): Item {
  return { nested: { ["__proto__"]: id, 0: true }, id, name: `item ${id}` };
}

/** More than it takes to make a function for the keys. */
const WARM = 300;

test("a consumer that joins in the middle of a stream gets the same objects as who knows them already", async () => {
  using queue = new Queue<Item>();
  for (let i = 0; i < WARM; i++) {
    queue.putSync(item(i));
    assert.deepEqual(queue.getSync(), item(i));
  }
  const consume = (): Item[] => Array.from({ length: WARM }, () => queue.getSync());
  for (const start of [0, 1000]) {
    const child = new Process(consume).start();
    for (let i = 0; i < WARM; i++) queue.putSync(item(start + i));
    assert.deepStrictEqual(
      await child.result(),
      Array.from({ length: WARM }, (_, i) => item(start + i)),
    );
  }
  queue.putSync(item(1));
  assert.deepEqual(Object.keys(queue.getSync()), ["nested", "id", "name"]);
});

test("a consumer killed amid a stream leaves the others objects that are whole and in order", async () => {
  using queue = new Queue<Item>();
  using taken = new Queue<number>();
  const child = new Process(() => {
    for (;;) taken.putSync(queue.getSync().id);
  }).start();
  for (let i = 0; i < WARM; i++) queue.putSync(item(i));
  for (let i = 0; i < 150; i++) assert.equal(taken.getSync(), i);
  child.kill();
  await child.join();
  for (let i = WARM; i < 2 * WARM; i++) queue.putSync(item(i));
  let last = -1;
  while (last < 2 * WARM - 1) {
    const got = queue.getSync({ timeout: 5_000 });
    assert.ok(got.id > last);
    assert.deepStrictEqual(got, item(got.id));
    last = got.id;
  }
});

test("a second producer describes the keys anew, and messages with other keys stand in between", async () => {
  using queue = new Queue<Item | Record<string, number>>();
  const produce = (start: number): void => {
    for (let i = start; i < start + WARM; i++) {
      queue.putSync(item(i));
      queue.putSync({ [`key ${i}`]: i, id: -1 });
    }
  };
  const producers = [0, WARM].map((start) => new Process(produce, start).start());
  const ids = new Set<unknown>();
  for (let i = 0; i < 4 * WARM; i++) {
    const got = queue.getSync({ timeout: 20_000 });
    const key = Object.keys(got)[0] as string;
    const id = key === "nested" ? got.id : Number(key.slice(4));
    assert.deepStrictEqual(got, key === "nested" ? item(id as number) : { [key]: id, id: -1 });
    ids.add(`${key === "nested"} ${id}`);
  }
  assert.equal(ids.size, 4 * WARM);
  for (const producer of producers) assert.equal(await producer.join(), 0);
});
