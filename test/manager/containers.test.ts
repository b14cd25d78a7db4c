import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Manager, Process } from "../../src/index.ts";

const shared = await Manager.start();
after(() => shared.shutdown());

class Numbered {
  n = 1;
}

test("a container is made of another one, and takes over what is in it, by its proxy", async () => {
  const list = await shared.list([1, 2]);
  const dict = await shared.dict({ a: 1 });
  assert.deepEqual(await (await shared.list(list)).toArray(), [1, 2]);
  assert.deepEqual(await (await shared.set(list)).toArray(), [1, 2]);
  assert.deepEqual(await (await shared.array("int8", list)).toArray(), [1, 2]);
  assert.deepEqual(await (await shared.dict(dict)).toObject(), { a: 1 });
  assert.deepEqual(await (await shared.namespace(dict)).toObject(), { a: 1 });
  assert.deepEqual(await (await shared.dict(await shared.namespace({ b: 2 }))).toObject(), { b: 2 });

  assert.equal(await list.extend(await shared.set([3])), 3);
  assert.equal(await list.extend(list), 6);
  assert.deepEqual(await list.toArray(), [1, 2, 3, 1, 2, 3]);
  await dict.update(await shared.dict({ b: 2 }));
  assert.deepEqual(await dict.toObject(), { a: 1, b: 2 });
  const set = await shared.set([1]);
  await set.addAll(list);
  assert.deepEqual(await set.toArray(), [1, 2, 3]);
  const array = await shared.array("int8", 3);
  await array.setAll(1, [...set.sync].slice(1));
  await array.setAll(0, await shared.list([9, 8]));
  assert.deepEqual(await array.toArray(), [9, 8, 3]);
});

test("what holds nothing to take over, and containers of other managers, are refused", async () => {
  const list = await shared.list<number>();
  const dict = await shared.dict<string, unknown>();
  const queue = await shared.queue();
  await assert.rejects(list.extend(queue as never), TypeError);
  await assert.rejects(dict.update(queue as never), TypeError);
  await assert.rejects(shared.namespace(queue as never), TypeError);
  const other = await Manager.start();
  await assert.rejects(list.extend(await other.list([1])), { name: "TypeError", message: /of the same manager/ });
  await assert.rejects(dict.update(await other.dict({ a: 1 })), { name: "TypeError", message: /of the same manager/ });
  await other.shutdown();
});

test("items are found by what is in them, since they come as copies; proxies by what they stand for", async () => {
  const [a, b] = [await shared.list([1]), await shared.list([1])];
  const list = await shared.list<unknown>([{ id: 1, of: [1, 2] }, NaN, a, { at: b }, new Date(5), new Map([[1, 2]])]);
  assert.equal(await list.indexOf({ id: 1, of: [1, 2] }), 0);
  assert.equal(await list.indexOf({ id: 1, of: [1] }), -1);
  assert.equal(await list.indexOf({ id: 1, of: [1, 2], more: 1 }), -1);
  assert.equal(await list.indexOf(NaN), 1);
  assert.equal(await list.indexOf(a), 2);
  assert.equal(await list.includes(b), false);
  assert.equal(await list.includes({ at: b }), true);
  assert.equal(await list.includes({ at: a }), false);
  assert.equal(await list.count(new Date(5)), 1);
  assert.equal(await list.remove(new Map([[1, 2]])), true);
  assert.equal(await list.remove(new Map([[1, 3]])), false);
  assert.equal(await list.indexOf(NaN, 2), -1);
  assert.equal(await list.indexOf(a, -3), 2);
});

test("indexes of an array count from its end below 0, as those of a list", async () => {
  const array = await shared.array("int32", [1, 2, 3]);
  assert.equal(await array.get(-1), 3);
  await array.set(-3, 7);
  assert.equal(await array.add(-2, 5), 2);
  await array.setAll(-2, [8, 9]);
  assert.deepEqual(await array.toArray(), [7, 8, 9]);
  assert.equal(await array.update(-1, (n) => n + 1), 10);
  await assert.rejects(array.get(-4), { name: "RangeError", message: /from -3 to 2, not -4/ });
  await assert.rejects(array.setAll(-1, [1, 2]), { name: "RangeError", message: /at most 1 values/ });
  await assert.rejects((await shared.list()).pop(0), { name: "RangeError", message: /no index 0: there are no items/ });
});

test("blocking views travel as those of the same object, also into a manager", async () => {
  const dict = await shared.dict<string, unknown>({ a: 1 });
  const list = await shared.list([1]);
  const set = await shared.set([1]);
  const value = await shared.value("int32", 1);
  const array = await shared.array("int32", [1]);
  const counter = await shared.create(Numbered);
  const views = [dict.sync, list.sync, set.sync, value.sync, array.sync, counter.sync] as const;
  const child = new Process(([, , , , , numbered]: typeof views) => {
    const [d, l, s, v, a] = views;
    d.b = 2;
    l.push(2);
    s.add(2);
    v.value = 2;
    a[0] = 2;
    numbered.n = 2;
    return views;
  }, views);
  assert.deepEqual(await child.start().result(), views);
  assert.deepEqual(await dict.toObject(), { a: 1, b: 2 });
  assert.deepEqual(await list.toArray(), [1, 2]);
  assert.deepEqual(await set.toArray(), [1, 2]);
  assert.equal(await value.get(), 2);
  assert.equal(await array.get(0), 2);
  assert.equal(await counter.n, 2);
  await dict.update((await shared.dict({ c: 3 })).sync);
  await list.extend(list.sync);
  assert.deepEqual(await dict.toObject(), { a: 1, b: 2, c: 3 });
  assert.deepEqual(await list.toArray(), [1, 2, 1, 2]);
});

test("a value and an array hold what their type can hold, as those in shared memory do", async () => {
  const value = await shared.value("float32", 0.1);
  assert.equal(await value.get(), Math.fround(0.1));
  assert.equal(await value.compareExchange(0.1, 0.3), Math.fround(0.1));
  assert.equal(await value.compareExchange(0.1, 0.5), Math.fround(0.3));
  assert.equal(await value.add(1), Math.fround(0.3));
  assert.equal(await value.get(), Math.fround(Math.fround(0.3) + 1));
  const array = await shared.array("f", [0.1, 2]);
  await array.set(-1, 0.7);
  assert.deepEqual(await array.toArray(), [Math.fround(0.1), Math.fround(0.7)]);
  assert.deepEqual(await array.slice(1), [Math.fround(0.7)]);
  assert.deepEqual(await (await shared.array("int64", 2)).toArray(), [0n, 0n]);
});

test("get of a dict gives what it was told to if there is no such key, as in Python", async () => {
  const dict = await shared.dict<string, number | null>({ none: null });
  assert.equal(await dict.get("a"), undefined);
  assert.equal(await dict.get("a", 5), 5);
  assert.equal(await dict.get("none", 5), null);
});
