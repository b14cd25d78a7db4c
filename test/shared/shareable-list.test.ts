import assert from "node:assert/strict";
import { test } from "node:test";
import { StateError } from "../../src/core/errors.ts";
import { ShareableList, type ShareableValue, SharedMemory } from "../../src/shared/index.ts";
import { handleFromText, handleToText } from "../helpers/handle-text.ts";
import { startPeer } from "../helpers/shared-peer.ts";

const mixed: ShareableValue[] = [
  "hello",
  1,
  -2.5,
  2n ** 63n - 1n,
  true,
  false,
  null,
  new Uint8Array([1, 0, 255]),
  "",
  "π€😀",
];

test("98: a list holds mixed types, by index, at(), iteration and length", () => {
  using list = new ShareableList(mixed);
  assert.equal(list.length, mixed.length);
  assert.deepEqual([...list], mixed);
  assert.deepEqual(list.toArray(), mixed);
  assert.deepEqual(
    mixed.map((_, i) => list[i]),
    mixed,
  );
  assert.equal(list.at(-1), "π€😀");
  assert.equal(list.at(0), "hello");
});

test("98: an element changes its type in place, and its neighbours are untouched", () => {
  using list = new ShareableList(["left", "middle", "right"]);
  for (const value of [1, NaN, 5n, null, true, "12345678", new Uint8Array(8), "", -0]) {
    list[1] = value;
    assert.deepEqual([...list], ["left", value, "right"]);
  }
  list.set(-1, 2);
  assert.deepEqual([...list], ["left", -0, 2]);
});

test("98: a number's place has room for 8 bytes of text", () => {
  using list = new ShareableList([1, 2]);
  list[0] = "12345678";
  assert.throws(() => (list[0] = "123456789"), RangeError);
  assert.deepEqual([...list], ["12345678", 2]);
});

test("98: text and bytes that are longer than the room are refused; UTF-8 bytes count", () => {
  using list = new ShareableList(["abcdefgh", "x", new Uint8Array(3), 7]);
  list[0] = "a".repeat(16);
  assert.throws(() => (list[0] = "a".repeat(17)), /at most 16 bytes/);
  list[1] = "€€";
  assert.throws(() => (list[1] = "€€€"), RangeError);
  assert.throws(() => (list[2] = new Uint8Array(9)), RangeError);
  assert.deepEqual([...list], ["a".repeat(16), "€€", new Uint8Array(3), 7]);
});

test("98: an index that does not exist is refused in both directions", () => {
  using list = new ShareableList([1, 2]);
  for (const index of [2, -1, 0.5]) {
    assert.throws(() => list[index], RangeError);
    assert.throws(() => (list[index] = 1), RangeError);
  }
  assert.throws(() => list.at(-3), RangeError);
  assert.throws(() => list.set(2, 1), RangeError);
  assert.throws(() => list.at("0" as never), TypeError);
});

test("98: values of other types are refused", () => {
  using list = new ShareableList([1]);
  for (const bad of [undefined, {}, [1], Symbol("x"), () => 1]) {
    assert.throws(() => (list[0] = bad as never), TypeError);
    assert.throws(() => new ShareableList([bad as never]), /sequence\[0\]/);
  }
  assert.throws(() => (list[0] = 2n ** 63n), RangeError);
  assert.throws(() => (list[0] = "\ud800"), RangeError);
  assert.throws(() => new ShareableList(5 as never), TypeError);
  assert.throws(() => new ShareableList("text" as never), TypeError);
  assert.deepEqual([...list], [1]);
});

test("98: count, indexOf and includes", () => {
  using list = new ShareableList(["a", 1, "a", new Uint8Array([1, 2]), 1n]);
  assert.equal(list.count("a"), 2);
  assert.equal(list.count(1), 1);
  assert.equal(list.count(new Uint8Array([1, 2])), 1);
  assert.equal(list.count("b"), 0);
  assert.equal(list.indexOf("a"), 0);
  assert.equal(list.indexOf("a", 1), 2);
  assert.equal(list.indexOf(2), -1);
  assert.ok(list.includes(1n));
  assert.ok(!list.includes(false));
});

test("98: the empty list, and a copy of another list", () => {
  using empty = new ShareableList([]);
  assert.equal(empty.length, 0);
  assert.deepEqual([...empty], []);
  assert.throws(() => empty[0], RangeError);
  using list = new ShareableList(["a", 1]);
  using copy = new ShareableList(list);
  copy[0] = "b";
  assert.deepEqual([...list], ["a", 1]);
  assert.deepEqual([...copy], ["b", 1]);
});

test("98: a second handle by name, chosen or made up", () => {
  for (const options of [{ name: `multiproc_test_list_${process.pid}` }, undefined]) {
    using list = new ShareableList(["a", 1], options);
    using second = new ShareableList({ name: list.memory.name });
    second[1] = 2;
    assert.equal(list[1], 2);
    list.memory.unlink();
    assert.throws(() => new ShareableList({ name: list.memory.name }), { errname: "ENOENT" });
  }
});

test("memory that holds no list is not taken for one", () => {
  using memory = new SharedMemory({ create: true, size: 1000 });
  const { name } = memory;
  assert.throws(() => new ShareableList({ name }), StateError);
  using tiny = new SharedMemory({ create: true, size: 3 });
  assert.throws(() => new ShareableList({ name: tiny.name }), StateError);
  memory.unlink();
  tiny.unlink();
});

test("98: a list travels by reference, at a constant size, and comes back as itself", async () => {
  const peer = await startPeer();
  using list = new ShareableList(["some text", 5, "x".repeat(100_000)]);
  const text = handleToText(list);
  assert.ok(text.length < 200);
  assert.equal(handleFromText(text), list);
  await peer.ask("setElements", handleToText(list), "from afar");
  assert.deepEqual([...list], ["from afar", 5, null]);
  await peer.end();
});

test("an element is read whole while another process changes its type", async () => {
  const peer = await startPeer();
  using list = new ShareableList(["text"]);
  const done = peer.ask("swap", handleToText(list), 100_000);
  let finished = false;
  void done.then(() => (finished = true));
  while (!finished) {
    for (let i = 0; i < 2000; i++) {
      const value = list[0];
      assert.ok(value === 1.5 || value === "text", String(value));
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  await peer.end();
});

test("an element that a dead process was at can be used", () => {
  using list = new ShareableList([1]);
  const words = new Int32Array(list.memory.buffer.buffer, list.memory.buffer.byteOffset, 16);
  const noProcess = 0x7fff_fff0;
  words[8] = noProcess;
  assert.equal(list[0], 1);
  list[0] = 2;
  assert.equal(list[0], 2);
});

test("a closed list throws", () => {
  const list = new ShareableList([1]);
  list.close();
  list.close();
  assert.throws(() => list[0], StateError);
  assert.throws(() => list.length, StateError);
  assert.throws(() => [...list], StateError);
  assert.throws(() => handleToText(list), StateError);
});
