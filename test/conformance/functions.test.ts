/** The contract of functions and values that travel. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { test } from "node:test";
import { fromModule, Lock, Process, Queue, SerializationError, SharedArray } from "multiproc";
import { eachMethod } from "./each-method.ts";

eachMethod("a function takes along what it captures, as it was at start()", async ({ Process: P }) => {
  let factor = 3;
  const child = new P((n: number) => n * factor, 14).start();
  factor = 0;
  assert.equal(await child.result(), 42);
  assert.equal(factor, 0);
});

eachMethod("what is imported is imported again, what is defined is copied", async ({ Process: P }) => {
  const letters = new Map([["a", 1]]);
  const target = (): unknown => [letters.get("a"), typeof readFileSync, basename("/x/y.txt")];
  assert.deepEqual(await new P(target).start().result(), [1, "function", "y.txt"]);
});

const kinds: readonly (readonly [string, () => unknown, unknown])[] = [
  ["an arrow", () => "arrow", "arrow"],
  // oxlint-disable-next-line prefer-arrow-callback
  [
    "a function",
    function named(): string {
      return named.name;
    },
    "named",
  ],
  ["an async function", async () => "async", "async"],
  [
    "a generator, which runs to its end",
    function* () {
      yield 1;
      return "end";
    },
    "end",
  ],
  [
    "an async generator",
    async function* () {
      yield 1;
      return "async end";
    },
    "async end",
  ],
];
for (const [name, target, value] of kinds) {
  test(`${name} can be a target`, async () => {
    assert.equal(await new Process(target as () => unknown).start().result(), value);
  });
}

test("a class can be a target: it is called with new, and its instance comes back as one", async () => {
  class Point {
    readonly x: number;
    constructor(x: number) {
      this.x = x;
    }
    get twice(): number {
      return 2 * this.x;
    }
  }
  const point = await new Process(Point, 4).start().result();
  assert.ok(point instanceof Point);
  assert.equal(point.twice, 8);
});

test("a bound function travels with its object and arguments; a native one by its name", async () => {
  const object = {
    n: 5,
    add(m: number, k: number) {
      return this.n + m + k;
    },
  };
  assert.equal(await new Process(object.add.bind(object, 1) as (k: number) => number, 2).start().result(), 8);
  assert.equal(await new Process(Math.sqrt, 16).start().result(), 4);
});

test("functions that assign one variable go on sharing it there", async () => {
  let count = 0;
  const increment = (): void => void (count += 1);
  const target = (): number => {
    increment();
    increment();
    return count;
  };
  assert.equal(await new Process(target).start().result(), 2);
});

test("an object that is captured and passed as an argument is one object there", async () => {
  const object = { n: 1 };
  assert.equal(await new Process((passed: object) => passed === object, object).start().result(), true);
});

test("all that structured clone takes travels, with cycles and shared references", async () => {
  const shared = { s: 1 };
  const value: Record<string, unknown> = {
    big: 2n ** 70n,
    nan: NaN,
    minusZero: -0,
    undef: undefined,
    nul: null,
    text: "\u{1f600}\ud800",
    date: new Date(0),
    re: /a(b)/giu,
    map: new Map([[shared, 1]]),
    set: new Set([shared]),
    bytes: new Uint8Array([1, 2]),
    floats: new Float64Array([1.5]),
    buffer: new ArrayBuffer(3),
    // oxlint-disable-next-line no-sparse-arrays
    holes: [1, , 3],
    url: new URL("http://a/b"),
    shared,
    symbol: Symbol.for("s"),
    error: new RangeError("r", { cause: 1 }),
  };
  value["self"] = value;
  const back = (await new Process((v: unknown) => v, value).start().result()) as typeof value;
  assert.deepEqual(back, value);
  assert.equal(back["self"], back);
  assert.ok((back["set"] as Set<unknown>).has(back["shared"]));
});

test("every handle can be an argument, captured, deep in a message, and a result", async () => {
  const [lock, queue, array] = [new Lock(), new Queue<number>(), new SharedArray("int32", [1, 2])];
  const target = ({ deep: [q] }: { deep: [Queue<number>] }): unknown =>
    lock.useSync(() => {
      q.putSync(array.at(1));
      return { lock, array };
    });
  const back = (await new Process(target, { deep: [queue] }).start().result()) as { lock: Lock; array: SharedArray };
  assert.equal(await queue.get(), 2);
  assert.equal(back.lock, lock);
  assert.equal(back.array, array);
});

test("what cannot travel is refused before anything starts, by the path of the variable", () => {
  const job = { inner: { memory: new WeakMap() } };
  assert.throws(
    () => new Process(() => job).start(),
    (error: unknown) => {
      assert.ok(error instanceof SerializationError);
      assert.match(`${error.path} ${error.message}`, /job\.inner\.memory/);
      return true;
    },
  );
  assert.throws(() => new Process((p: unknown) => p, Promise.resolve()).start(), SerializationError);
});

test("ways out: fromModule(), and multiproc.reduce", async () => {
  const sqrt = fromModule("node:path", "basename");
  assert.equal(await new Process(sqrt as (path: string) => string, "/a/b").start().result(), "b");
  class Handle {
    readonly memory = new WeakMap();
    readonly id: number;
    constructor(id: number) {
      this.id = id;
    }
    [Symbol.for("multiproc.reduce")](): unknown[] {
      return [(id: number) => ({ made: id }), this.id];
    }
  }
  assert.deepEqual(await new Process((h: unknown) => h, new Handle(3)).start().result(), { made: 3 });
});
