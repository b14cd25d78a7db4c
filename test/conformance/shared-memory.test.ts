/** The contract of shared data. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { Process, ShareableList, SharedArray, SharedMemory, StateError, SystemError, Value } from "multiproc";
import { eachMethod } from "./each-method.ts";

eachMethod("what one process writes another sees", async ({ Process: P }) => {
  const value = new Value("int32", 1);
  const array = new SharedArray("float64", [1, 2, 3]);
  const list = new ShareableList([1, "two", null]);
  const child = new P(() => {
    value.value = 7;
    array.view[1] = 2.5;
    list[1] = "2";
  }).start();
  assert.equal(await child.join(), 0);
  assert.deepEqual([value.value, [...array.view], list.toArray()], [7, [1, 2.5, 3], [1, "2", null]]);
});

const types: readonly (readonly [string, string, number | bigint, number | bigint | string])[] = [
  ["int8", "b", 127, 128],
  ["uint8", "B", 255, 256],
  ["int16", "h", -32_768, 32_768],
  ["uint16", "H", 65_535, -1],
  ["int32", "i", 2 ** 31 - 1, 2 ** 31],
  ["uint32", "I", 2 ** 32 - 1, 0.5],
  ["int64", "q", 2n ** 63n - 1n, 2n ** 63n],
  ["uint64", "Q", 2n ** 64n - 1n, -1n],
  ["float32", "f", 0.5, "1"],
  ["float64", "d", 1e300, "1"],
];
for (const [name, letter, fits, wrong] of types) {
  test(`${name} (${letter}): what fits is kept, what does not is refused and nothing is written`, () => {
    for (const type of [name, letter] as "int32"[]) {
      const value = new Value(type, fits as number);
      assert.equal(value.value, fits);
      assert.equal(value.type, name);
      assert.throws(() => (value.value = wrong as number), /value|fit|number|integer/i);
      const array = new SharedArray(type, 2);
      assert.throws(() => array.set(0, wrong as number));
      assert.throws(() => (array[1] = wrong as number));
      assert.deepEqual([value.value, array.at(0)], [fits, name.endsWith("64") && name !== "float64" ? 0n : 0]);
    }
  });
}

test("add, sub, exchange, compareExchange are atomic and give the old value; overflow is a RangeError", () => {
  const value = new Value("int32", 5);
  assert.deepEqual(
    [value.add(2), value.sub(1), value.exchange(9), value.compareExchange(9, 10), value.value],
    [5, 7, 6, 9, 10],
  );
  assert.throws(() => value.add(2 ** 31 - 1), RangeError);
  assert.equal(value.value, 10);
});

test("a value can be read and written while its own lock is held", () => {
  const value = new Value("int32", 1);
  value.useSync(() => (value.value += 1));
  value.lock.useSync(() => value.add(1));
  assert.equal(value.value, 3);
});

test("an array works as arrays do, and refuses indexes that do not exist", () => {
  const array = new SharedArray("int16", [1, 2, 3]);
  array[0] = 5;
  assert.deepEqual([array[0], array.at(-1), array.length, [...array], array.byteLength], [5, 3, 3, [5, 2, 3], 6]);
  assert.throws(() => array[3], RangeError);
  assert.throws(() => array.at(3), RangeError);
  assert.throws(() => (array[3] = 1), RangeError);
  assert.throws(() => new SharedArray("int16", -1), RangeError);
  array.set([8, 9], 1);
  assert.deepEqual(array.toArray(), [5, 8, 9]);
});

test("elements have atomic operations, which give the old value, and are guarded by a lock for more", async () => {
  const array = new SharedArray("uint8", [6, 6, 6, 6, 6, 6, 6]);
  assert.deepEqual(
    [array.and(0, 3), array.or(1, 1), array.xor(2, 5), array.add(3, 1), array.sub(4, 1), array.exchange(5, 9)],
    [6, 6, 6, 6, 6, 6],
  );
  assert.equal(array.compareExchange(6, 6, 1), 6);
  assert.deepEqual(array.toArray(), [2, 7, 3, 7, 5, 9, 1]);
  array.store(0, 8);
  assert.equal(array.load(0), 8);
  assert.equal(await array.use(({ lock }) => lock.isMine), true);
  assert.deepEqual(Array.from(array.slice(-2)), [9, 1]);
});

test("the view is the real typed array over the shared bytes", () => {
  const array = new SharedArray("uint8", 3);
  const { view } = array;
  view[2] = 7;
  assert.ok(view instanceof Uint8Array);
  assert.equal(array.at(2), 7);
});

test("after close(), use is a StateError, and a view that was taken before is empty: nothing crashes", () => {
  const array = new SharedArray("uint8", 3);
  const { view } = array;
  array.close();
  array.close();
  assert.throws(() => array.view, StateError);
  assert.throws(() => array.at(0), StateError);
  assert.equal(view.length, 0);
});

test("named memory is found by its name until unlink(), and is never made twice", async () => {
  const name = `conformance-${process.pid}`;
  const memory = new SharedMemory({ name, create: true, size: 100 });
  assert.ok(memory.buffer instanceof Uint8Array && memory.size >= 100);
  assert.throws(() => new SharedMemory({ name, create: true, size: 1 }), SystemError);
  const child = new Process((n: string) => void (new SharedMemory({ name: n }).buffer[0] = 4), name).start();
  assert.equal(await child.join(), 0);
  assert.equal(memory.buffer[0], 4);
  memory.close();
  memory.unlink();
  assert.throws(
    () => new SharedMemory({ name }),
    (error: unknown) =>
      error instanceof SystemError && error.errname === "ENOENT" && error.errno === 2 && error.syscall !== "",
  );
  assert.ok(!existsSync(`/dev/shm/${name}`));
});

test("a list of fixed places: mixed types, texts no longer than their place", () => {
  const list = new ShareableList([1, 2.5, true, null, "text", new Uint8Array([1]), 5n]);
  assert.equal(list.length, 7);
  list[0] = "now";
  assert.equal(list.at(0), "now");
  assert.throws(() => (list[4] = "far too long for its place"), /long|room|fit/i);
  assert.throws(() => list[7], RangeError);
  assert.deepEqual([list.count(true), list.indexOf(2.5), list.includes(null)], [1, 1, true]);
});
