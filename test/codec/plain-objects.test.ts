/** What arrives equals what was sent, whichever of the ways it took for plain objects. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { decode, encode } from "../../src/codec/index.ts";
import { startProgram } from "../helpers/program.ts";
import { keys, leaves, objectOf, set } from "../helpers/plain-objects.ts";
import { assertSame } from "../helpers/same.ts";

/** More objects than a shape needs to get a function that makes them. */
const WARM = 250;

function travel<T>(value: T): T {
  return decode(encode(value)) as T;
}

test("objects of any keys, the first as the last, alone and many in a message", () => {
  fc.assert(
    fc.property(fc.array(keys, { minLength: 1, maxLength: 4 }), leaves, (shapes, values) => {
      const objects = shapes.map((names) => objectOf(names, values));
      const first = objects.map(travel);
      const many = Array.from({ length: WARM }, () => shapes.map((names) => objectOf(names, values)));
      const got = travel(many);
      for (const batch of [got[0], got[WARM >> 1], got.at(-1)]) assertSame(batch, objects);
      objects.forEach((object, i) => (assertSame(first[i], object), assertSame(travel(object), object)));
    }),
    { numRuns: 50, endOnFailure: true },
  );
});

test("objects in objects of the same and of other keys", () => {
  fc.assert(
    fc.property(keys, keys, leaves, fc.integer({ min: 1, max: 20 }), (outer, inner, values, depth) => {
      let nested: unknown = objectOf(inner, values);
      for (let i = 0; i < depth; i++) nested = objectOf(outer.slice(0, 20), [nested, objectOf(inner, values), i]);
      assertSame(travel(nested), nested);
      for (let i = 0; i < WARM; i++) travel(objectOf(inner, values));
      assertSame(travel(nested), nested);
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

test("shared objects and cycles among objects of known keys, between messages without", () => {
  fc.assert(
    fc.property(keys, leaves, fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 12 }), (names, values, links) => {
      for (let i = 0; i < WARM; i++) travel({ ...objectOf(names, values), link: undefined });
      const objects = Array.from({ length: 6 }, () => objectOf([...new Set([...names, "link"])], values));
      for (const [from, to] of links) set(objects[from] as object, "link", objects[to]);
      assertSame(travel(objects), objects);
      for (const object of objects) assertSame(travel(object), object);
    }),
    { numRuns: 100, endOnFailure: true },
  );
});

const symbol = Symbol.for("test");
const oddities: Record<string, (object: Record<string, unknown>) => object> = {
  "a symbol": (object) => Object.assign(object, { [symbol]: 1 }),
  "a hidden property": (object) => Object.defineProperty(object, "hidden", { value: 1 }),
  "a hidden symbol": (object) => Object.defineProperty(object, symbol, { value: 1 }),
  "a property that got hidden": (object) => Object.defineProperty(object, "b", { enumerable: false }),
  frozen: (object) => Object.freeze(object),
  sealed: (object) => Object.seal(object),
  "not extensible": (object) => Object.preventExtensions(object),
  "without a prototype": (object) => Object.setPrototypeOf(object, null) as object,
  "an array": (object) => Object.assign([], object),
};

for (const [name, make] of Object.entries(oddities)) {
  test(`however many plain objects came before one that is different: ${name}`, () => {
    for (const before of [0, 1, 8, 9, 1000]) {
      const sent = Array.from({ length: before + 2 }, (_, i) => ({ a: i, b: i }) as object);
      sent[before] = make({ a: before, b: before });
      assertSame(travel(sent), sent);
    }
  });
}

const properties: Record<string, PropertyDescriptor> = {
  "a getter": { get: () => 1, enumerable: true, configurable: true },
  "a setter": { set: () => {}, enumerable: true, configurable: true },
  "a read-only property": { value: 1, writable: false, enumerable: true, configurable: true },
  "a property that stays": { value: 1, writable: true, enumerable: true, configurable: false },
};

for (const [name, descriptor] of Object.entries(properties)) {
  test(`among the first eight with its keys, and alone in a message, it keeps ${name}`, () => {
    for (const before of [0, 1, 7]) {
      const sent = Array.from({ length: before + 2 }, () => ({ a: 0, b: 0 }) as object);
      Object.defineProperty(sent[before], "b", descriptor);
      const got = Object.getOwnPropertyDescriptor(travel(sent)[before], "b") as PropertyDescriptor;
      for (const key of ["get", "set"] as const) assert.equal(typeof got[key], typeof descriptor[key]);
      for (const key of ["writable", "configurable", "value"] as const) assert.equal(got[key], descriptor[key]);
    }
    for (let i = 0; i < WARM; i++) travel({ a: i, b: i });
    const alone = travel(Object.defineProperty({ a: 0, b: 0 }, "b", descriptor));
    assert.equal(Object.getOwnPropertyDescriptor(alone, "b")?.writable, descriptor.writable);
    assert.equal(Object.getOwnPropertyDescriptor(alone, "b")?.configurable, descriptor.configurable);
  });
}

test("a getter among later objects with the same keys in a message arrives as its value", () => {
  const sent = Array.from({ length: 20 }, () => ({ a: 0, b: 0 }));
  Object.defineProperty(sent[15], "b", { get: () => 15 });
  assertSame(travel(sent), Object.assign([...sent], { 15: { a: 0, b: 15 } }));
});

test("what cannot travel is named by its path, however many objects with the same keys came before", () => {
  for (let i = 0; i < WARM; i++) travel({ id: i, inner: { list: [i] } });
  const refused = { id: 0, inner: { list: [1, "x", new WeakMap()] } };
  assert.throws(() => encode([{ id: 1, inner: 1 }, refused]), { path: "[1].inner.list[2]" });
  assert.throws(() => encode({ id: Promise.resolve(), inner: 1 }), { path: "id" });
});

test("functions among the properties of known keys keep their object", () => {
  for (let i = 0; i < WARM; i++) travel({ n: i, next: null });
  const counter = {
    n: 1,
    next(): number {
      return (this.n += 1);
    },
  };
  const got = travel([counter, counter]) as [typeof counter, typeof counter];
  assert.equal(got[0], got[1]);
  assert.deepEqual([got[0].next(), got[0].next(), counter.n], [2, 3, 1]);
});

test("key sequences that start alike, or are more than are remembered, are not mixed up", () => {
  const few = [{}, { a: 1 }, { a: 1, b: 2 }, { b: 2, a: 1 }, { a: 1, b: 2, c: 3 }, { a: 1, c: 3 }, { "a,b": 1 }];
  const sent = [...few, ...few.toReversed(), ...few];
  for (let i = 0; i < 3; i++) {
    travel(Array.from({ length: 3000 }, (_, n) => ({ [`key ${n}`]: 1, a: n, [`then ${n * i}`]: 2 })));
    const got = travel(sent);
    assertSame(got, sent);
    assert.deepEqual(got.map(Object.keys), sent.map(Object.keys));
  }
});

test("a message that is cut short or damaged is refused by makers, too", () => {
  const sent = Array.from({ length: WARM }, (_, i) => ({ first: i, second: "x", third: null }));
  assertSame(travel(sent), sent);
  const bytes = encode(sent);
  for (let cut = bytes.length - 1; cut > bytes.length - 40; cut--)
    assert.throws(() => decode(bytes.subarray(0, cut)), { name: "SerializationError" });
  assertSame(decode(bytes), sent);
});

test("where code must not be compiled, plain objects arrive without", async () => {
  const program = startProgram("plain-objects", [], false, ["--disallow-code-generation-from-strings"]);
  assert.deepEqual([await program.ended(), program.stderr()], [{ code: 0, signal: null }, ""]);
  assert.equal(program.stdout(), "cannot compile\nall arrived\n");
});
