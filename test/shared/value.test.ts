import assert from "node:assert/strict";
import { test } from "node:test";
import { StateError } from "../../src/core/errors.ts";
import { type Handle, reviveHandle, TO_HANDLE } from "../../src/core/handle.ts";
import { type ElementType, Value } from "../../src/shared/index.ts";
import { handleFromText, handleToText } from "../helpers/handle-text.ts";
import { startPeer } from "../helpers/shared-peer.ts";

test("59: a Value of every type holds its initial value, zero by default, and what is written", () => {
  const samples: [ElementType, number | bigint, number | bigint][] = [
    ["int8", -128, 127],
    ["uint8", 0, 255],
    ["int16", -32768, 32767],
    ["uint16", 1, 65535],
    ["int32", -(2 ** 31), 2 ** 31 - 1],
    ["uint32", 0, 2 ** 32 - 1],
    ["int64", -(2n ** 63n), 2n ** 63n - 1n],
    ["uint64", 2n ** 33n, 2n ** 64n - 1n],
    ["float32", 0.5, -1.25],
    ["float64", 0.1, 1e300],
    ["b", -1, 1],
    ["B", 1, 200],
    ["h", -1, 300],
    ["H", 1, 40000],
    ["i", -1, 2 ** 30],
    ["I", 1, 2 ** 31],
    ["q", -1n, 2n ** 40n],
    ["Q", 1n, 2n ** 63n],
    ["f", 0.25, 2],
    ["d", 0.1, 0.2],
  ];
  for (const [type, first, second] of samples) {
    using zero = new Value(type);
    assert.equal(zero.value, typeof first === "bigint" ? 0n : 0);
    using value = new Value(type, first as never);
    assert.equal(value.value, first, type);
    value.value = second as never;
    assert.equal(value.value, second, type);
  }
});

test("a Value of a reused piece of memory is zero", () => {
  const first = new Value("float64", 5);
  first.close();
  using second = new Value("float64");
  assert.equal(second.value, 0);
});

test("add, sub, exchange and compareExchange give the value before", () => {
  for (const type of ["int8", "uint16", "int32", "uint32", "float32", "float64"] as const) {
    using v = new Value(type, 10);
    assert.equal(v.add(5), 10);
    assert.equal(v.sub(1), 15);
    assert.equal(v.exchange(7), 14);
    assert.equal(v.compareExchange(8, 1), 7);
    assert.equal(v.value, 7);
    assert.equal(v.compareExchange(7, 1), 7);
    assert.equal(v.value, 1);
  }
  using big = new Value("uint64", 2n ** 63n);
  assert.equal(big.add(5n), 2n ** 63n);
  assert.equal(big.sub(6n), 2n ** 63n + 5n);
  assert.equal(big.exchange(3n), 2n ** 63n - 1n);
  assert.equal(big.compareExchange(3n, 2n ** 64n - 1n), 3n);
  assert.equal(big.value, 2n ** 64n - 1n);
});

test("compareExchange of floats goes by the value: -0 is 0, and NaN is NaN", () => {
  using v = new Value("float64", -0);
  assert.ok(Object.is(v.compareExchange(0, NaN), -0));
  assert.ok(Number.isNaN(v.compareExchange(NaN, 1)));
  assert.equal(v.value, 1);
  using f = new Value("float32", 0.1);
  assert.equal(f.compareExchange(0.1, 2), Math.fround(0.1));
  assert.equal(f.value, 2);
});

test("62: what does not fit is refused with a RangeError, never wrapped", () => {
  const misfits: [ElementType, ...(number | bigint)[]][] = [
    ["int8", 128, -129, 0.5, NaN, Infinity],
    ["uint8", 256, -1],
    ["int16", 32768],
    ["uint16", 65536, -1],
    ["int32", 2 ** 40, 2 ** 31],
    ["uint32", 2 ** 32, -1],
    ["int64", 2n ** 63n, -(2n ** 63n) - 1n],
    ["uint64", 2n ** 64n, -1n],
    ["float32", 1e39, -1e39],
  ];
  for (const [type, ...values] of misfits) {
    using v = new Value(type);
    const before = v.value;
    for (const value of values) {
      const refused = { name: "RangeError", code: "ERR_OUT_OF_RANGE" };
      assert.throws(() => (v.value = value as never), refused, `${type} ${value}`);
      assert.throws(() => v.exchange(value as never), refused);
      assert.throws(() => v.compareExchange(before, value as never), refused);
      assert.throws(() => new Value(type, value as never), refused);
    }
    assert.equal(v.value, before);
  }
});

test("62: a sum that does not fit is refused and nothing is written", () => {
  const edges: [ElementType, number | bigint, number | bigint][] = [
    ["int8", 127, 1],
    ["uint32", 2 ** 32 - 1, 1],
    ["int64", 2n ** 63n - 1n, 1n],
    ["uint64", 2n ** 64n - 1n, 1n],
    ["float32", 3.4e38, 3.4e38],
    ["float64", 1.7e308, 1.7e308],
  ];
  for (const [type, most, one] of edges) {
    using v = new Value(type, most as never);
    const before = v.value;
    assert.throws(() => v.add(one as never), RangeError, type);
    assert.equal(v.value, before);
    v.value = (typeof most === "bigint" ? 0n : 0) as never;
    if (type.startsWith("u")) assert.throws(() => v.sub(one as never), RangeError, type);
  }
  using endless = new Value("float64", Infinity);
  assert.equal(endless.add(1), Infinity);
});

test("62: the wrong type is refused with a TypeError", () => {
  using number = new Value("int32", 1);
  for (const wrong of ["1", 1n, null, true, {}, [1]]) {
    assert.throws(() => (number.value = wrong as never), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => number.add(wrong as never), TypeError);
  }
  using big = new Value("int64", 1n);
  assert.throws(() => (big.value = 1 as never), TypeError);
  using float = new Value("float64", 1);
  assert.throws(() => (float.value = undefined as never), TypeError);
  assert.equal(number.value, 1);
  assert.equal(big.value, 1n);
  assert.equal(float.value, 1);
});

test("an unknown type is refused and the known ones are named", () => {
  assert.throws(() => new Value("int" as never), /type must be one of int8, .*typecode.*not 'int'/);
  assert.throws(() => new Value("toString" as never), RangeError);
  assert.throws(() => new Value(undefined as never), TypeError);
});

test("a closed Value throws, whatever is asked", () => {
  const v = new Value("int32", 1);
  v.close();
  v.close();
  assert.throws(() => v.value, StateError);
  assert.throws(() => (v.value = 1), StateError);
  assert.throws(() => v.add(1), StateError);
  assert.throws(() => handleToText(v), StateError);
});

test("a Value that comes back is the very same object", () => {
  using v = new Value("int32", 4);
  assert.equal(handleFromText(handleToText(v)), v);
});

test("a Value lives in a message that is under way, and dies when the message is dropped", () => {
  const v = new Value("int32", 4);
  const text = handleToText(v);
  v.close();
  const back = handleFromText(text) as Value<"int32">;
  assert.equal(back.value, 4);
  const transfer = (back as unknown as Handle)[TO_HANDLE]();
  back.close();
  transfer.abort?.();
  assert.throws(() => reviveHandle(transfer.tag, transfer.data), StateError);
});

test("59: a child's writes are seen, and adds of two processes are exact for integers, bigints and floats", async () => {
  const peer = await startPeer();
  using big = new Value("int64", 0n);
  await peer.ask("write", handleToText(big), String(2n ** 33n));
  assert.equal(big.value, 2n ** 33n);

  const times = 100_000;
  using integer = new Value("int32", 0);
  let done = peer.ask("count", handleToText(integer), times);
  for (let i = 0; i < times; i++) integer.add(1);
  await done;
  assert.equal(integer.value, 2 * times);
  done = peer.ask("countBig", handleToText(big), times);
  for (let i = 0; i < times; i++) big.add(1n);
  await done;
  assert.equal(big.value, 2n ** 33n + 2n * BigInt(times));
  using float = new Value("float64", 0);
  done = peer.ask("countFloat", handleToText(float), times);
  for (let i = 0; i < times; i++) float.add(0.5);
  await done;
  assert.equal(float.value, times);
  await peer.end();
});

test("60: the lock is a value's own, or the very one that was given, and travels with it", () => {
  using v = new Value("int32", 1);
  const { lock } = v;
  assert.equal(v.lock, lock);
  using other = new Value("int32", 1, { lock });
  assert.equal(other.lock, lock);
  assert.equal((handleFromText(handleToText(other)) as Value).lock, lock);
  assert.throws(() => new Value("int32", 0, { lock: "x" as never }), TypeError);
  assert.throws(() => new Value("int32", 0, { lok: lock } as never), TypeError);
});

test("64: reading and writing a value while holding its own lock does not block", async () => {
  using v = new Value("int32", 1);
  assert.equal(
    await v.use((held) => {
      held.value += 1;
      return held.add(1);
    }),
    2,
  );
  assert.equal(
    v.useSync((held) => held.value),
    3,
  );
});
