import assert from "node:assert/strict";
import { fstatSync } from "node:fs";
import { test } from "node:test";
import { StateError } from "../../src/core/errors.ts";
import { arenaFd, slotOwner, slotsInUse, sweepProcess } from "../../src/memory/index.ts";
import { SharedArray } from "../../src/shared/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { handleFromText, handleToText } from "../helpers/handle-text.ts";
import { startPeer } from "../helpers/shared-peer.ts";

function residentBytes(): number {
  return fstatSync(arenaFd()).blocks * 512;
}

test("61: an array of a length is zeroed, also when its memory is reused", () => {
  for (let i = 0; i < 3; i++) {
    using a = new SharedArray("float64", 10_000);
    assert.equal(a.length, 10_000);
    assert.ok(a.view.every((x) => x === 0));
    a.view.fill(7);
  }
});

test("61: an array of values: length, indexes, at, slices, iteration, conversion", () => {
  using a = new SharedArray("int32", [10, 20, 30, 40]);
  assert.equal(a.length, 4);
  assert.equal(a.byteLength, 16);
  assert.equal(a[0], 10);
  assert.equal(a[3], 40);
  assert.equal(a.at(-1), 40);
  a[1] = 21;
  a.set(-1, 41);
  a.set(2, 31);
  assert.deepEqual([...a], [10, 21, 31, 41]);
  assert.deepEqual(a.toArray(), [10, 21, 31, 41]);
  assert.deepEqual(a.slice(1, -1), new Int32Array([21, 31]));
  assert.deepEqual(Array.from(a), [10, 21, 31, 41]);
  a.set([1, 2], 2);
  assert.deepEqual([...a], [10, 21, 1, 2]);
  assert.ok(a.view instanceof Int32Array);
  a.view[0] = 5;
  assert.equal(a[0], 5);
});

test("values may come from any iterable or typed array, and there may be none", () => {
  using fromSet = new SharedArray("uint8", new Set([1, 2, 3]));
  assert.deepEqual([...fromSet], [1, 2, 3]);
  using fromTyped = new SharedArray("float32", new Float64Array([0.5, 1.5]));
  assert.deepEqual([...fromTyped], [0.5, 1.5]);
  using big = new SharedArray("q", [1n, -1n]);
  assert.deepEqual([...big], [1n, -1n]);
  using empty = new SharedArray("int8", []);
  assert.equal(empty.length, 0);
  assert.throws(() => empty[0], RangeError);
  using none = new SharedArray("int8", 0);
  assert.deepEqual([...none], []);
});

test("62: an index that does not exist is refused in both directions", () => {
  using a = new SharedArray("int32", [1, 2, 3]);
  for (const index of [3, -1, 1.5, 2 ** 40]) {
    assert.throws(() => a[index], { name: "RangeError", code: "ERR_OUT_OF_RANGE" }, String(index));
    assert.throws(() => (a[index] = 1), RangeError, String(index));
    assert.throws(() => a.load(index), RangeError);
    assert.throws(() => a.store(index, 1), RangeError);
    assert.throws(() => a.add(index, 1), RangeError);
    assert.throws(() => a.exchange(index, 1), RangeError);
  }
  assert.throws(() => a.at(3), RangeError);
  assert.throws(() => a.at(-4), RangeError);
  assert.throws(() => a.at("x" as never), TypeError);
  assert.throws(() => a.set(3, 1), RangeError);
  assert.throws(() => a.set(-4, 1), RangeError);
  assert.throws(() => a.set([1, 2], 2), RangeError);
  assert.throws(() => a.set([1], -1), RangeError);
  assert.deepEqual([...a], [1, 2, 3]);
});

test("62: a value that does not fit is refused, and nothing is written", () => {
  using a = new SharedArray("int32", [1, 2, 3]);
  assert.throws(() => (a[0] = 2 ** 40), RangeError);
  assert.throws(() => (a[0] = 0.5), RangeError);
  assert.throws(() => (a[0] = NaN), RangeError);
  assert.throws(() => (a[0] = "1" as never), TypeError);
  assert.throws(() => (a[0] = 1n as never), TypeError);
  assert.throws(() => a.set(0, undefined as never), TypeError);
  assert.throws(() => a.set([7, 8, 2 ** 31]), /values\[2\]/);
  assert.throws(() => a.add(0, 2 ** 31 - 1), RangeError);
  assert.deepEqual([...a], [1, 2, 3]);
  assert.throws(
    () => new SharedArray("uint8", [1, 256]),
    /values\[1\] must be an integer from 0 to 255 \(uint8\), not 256/,
  );
  // eslint-disable-next-line no-sparse-arrays
  assert.throws(() => new SharedArray("float64", [1, , 3] as never), TypeError);
});

test("62: bad lengths and types are refused", () => {
  for (const bad of [-1, 1.5, NaN, Infinity])
    assert.throws(() => new SharedArray("int8", bad), RangeError, String(bad));
  for (const bad of [undefined, null, "3", {}, 3n]) {
    assert.throws(() => new SharedArray("int8", bad as never), TypeError);
  }
  assert.throws(() => new SharedArray("float16" as never, 1), RangeError);
  assert.throws(() => new SharedArray("float64", 2 ** 52), RangeError);
});

test("the atomic operations give the value before", () => {
  using a = new SharedArray("uint16", [0b1100, 5]);
  assert.equal(a.and(0, 0b0110), 0b1100);
  assert.equal(a.or(0, 0b0001), 0b0100);
  assert.equal(a.xor(0, 0b1111), 0b0101);
  assert.equal(a.load(0), 0b1010);
  assert.equal(a.add(1, 2), 5);
  assert.equal(a.sub(1, 3), 7);
  assert.equal(a.exchange(1, 9), 4);
  assert.equal(a.compareExchange(1, 9, 10), 9);
  a.store(0, 3);
  assert.deepEqual([...a], [3, 10]);
  using floats = new SharedArray("float32", [1, 2]);
  assert.equal(floats.add(1, 0.5), 2);
  assert.equal(floats[1], 2.5);
  assert.throws(() => floats.or(0, 1), TypeError);
});

test("an array has ordinary properties and methods beside its indexes", () => {
  using a = new SharedArray("int8", 2);
  assert.equal((a as unknown as { then?: unknown }).then, undefined);
  assert.equal(Object.prototype.hasOwnProperty.call(a, "length"), true);
  assert.equal(typeof Reflect.get(a, "toString"), "function");
  (a as unknown as { note: string }).note = "mine";
  assert.equal((a as unknown as { note: string }).note, "mine");
});

test("after close() everything throws, and a view taken before is detached, not a crash", () => {
  const a = new SharedArray("int32", [1, 2, 3]);
  const { view } = a;
  const bytes = new Uint8Array(view.buffer);
  a.close();
  a.close();
  assert.throws(() => a.view, StateError);
  assert.throws(() => a[0], StateError);
  assert.throws(() => (a[0] = 1), StateError);
  assert.throws(() => a.at(0), StateError);
  assert.throws(() => a.add(0, 1), StateError);
  assert.throws(() => a.slice(), StateError);
  assert.throws(() => handleToText(a), StateError);
  assert.equal(view.length, 0);
  assert.equal(view[0], undefined);
  view[0] = 1;
  assert.throws(() => bytes.fill(1), TypeError);
  assert.throws(() => Atomics.load(view, 0), TypeError);
  assert.throws(() => new Int32Array(view.buffer), TypeError);
  assert.equal(bytes.length, 0);
});

test("what one handle closes is open for the other process, and freed with the last", async () => {
  const before = residentBytes();
  const a = new SharedArray("int32", 1 << 22);
  a.view.fill(1);
  const peer = await startPeer();
  const text = handleToText(a);
  await peer.ask("hold", text);
  a.close();
  assert.ok(residentBytes() - before >= 16 << 20);
  await peer.kill();
  sweepProcess(peer.pid);
  assert.ok(residentBytes() - before < 4 << 20, "the killed child's memory is freed");
  assert.ok(!slotsInUse().some((slot) => slotOwner(slot)?.pid === peer.pid));
});

test("61: a child's prefix sum through the indexes is seen", async () => {
  using a = new SharedArray(
    "int32",
    Array.from({ length: 100 }, (_, i) => i),
  );
  const peer = await startPeer();
  await peer.ask("prefixSum", handleToText(a));
  assert.equal(a[99], 4950);
  await peer.end();
});

test("atomic adds of two processes to the same elements are exact", async () => {
  using a = new SharedArray("int32", 3);
  const peer = await startPeer();
  const times = 90_000;
  const done = peer.ask("addAll", handleToText(a), times);
  for (let k = 0; k < times; k++) a.add(k % 3, 1);
  await done;
  assert.deepEqual([...a], [60_000, 60_000, 60_000]);
  await peer.end();
});

test("100 MB arrive in a child without being copied", async () => {
  using a = new SharedArray("float64", 12_500_000);
  a.view[a.length - 1] = 42;
  const before = residentBytes();
  const peer = await startPeer();
  assert.match(await peer.ask("microseconds", handleToText(a)), / 42$/);
  assert.ok(residentBytes() - before < 1 << 20);
  await peer.end();
});

test("an array that comes back is the very same object, and a dropped one is made anew", async () => {
  using a = new SharedArray("int8", [1]);
  assert.equal(handleFromText(handleToText(a)), a);
  const text = handleToText(new SharedArray("int8", [5]));
  await collectGarbage();
  const back = handleFromText(text) as SharedArray<"int8">;
  assert.equal(back[0], 5);
  back.close();
});

test("10,000 arrays of 1 MB, made and closed, leave memory flat", () => {
  const before = residentBytes();
  for (let i = 0; i < 10_000; i++) {
    using a = new SharedArray("float64", 125_000);
    a.view[i] = 1;
  }
  assert.ok(residentBytes() - before < 80 << 20);
});

test("10,000 arrays of 1 MB that are only dropped are freed by the collector", async () => {
  const before = residentBytes();
  let most = 0;
  for (let i = 0; i < 10_000; i++) {
    new SharedArray("float64", 125_000).view.fill(1, 0, 60_000);
    if (i % 100 === 99) await new Promise<void>((resolve) => setImmediate(resolve));
    if (i % 1000 === 999) await collectGarbage();
    most = Math.max(most, residentBytes() - before);
  }
  await collectGarbage();
  assert.ok(most < 700 << 20, `at most ${most >> 20} MiB`);
  assert.ok(residentBytes() - before < 100 << 20);
});

test("a view keeps the memory when the array itself is dropped", async () => {
  const { view } = new SharedArray("int32", [1, 2, 3]);
  await collectGarbage();
  const others = Array.from({ length: 10 }, () => new SharedArray("int32", [9, 9, 9]));
  assert.deepEqual([...view], [1, 2, 3]);
  for (const other of others) other.close();
});
