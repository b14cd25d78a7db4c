import assert from "node:assert/strict";
import { test } from "node:test";
import { createContext, runInContext } from "node:vm";
import * as fc from "fast-check";
import { HeapSink } from "../../src/core/bytes.ts";
import { SerializationError } from "../../src/core/errors.ts";
import { decode, encode, encodeTo, prepare } from "../../src/codec/index.ts";

function travel<T>(value: T): T {
  return decode(encode(value)) as T;
}

const values: [string, unknown][] = [
  ["integers", [0, 1, 191, 192, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53]],
  ["doubles", [-0, 0.1, NaN, Infinity, -Infinity, 5e-324]],
  [
    "strings",
    ["", "a", "ä", "€", "😀", "\ud800", "x".repeat(255), "x".repeat(256), "ÿ".repeat(1000), "€".repeat(1000)],
  ],
  ["booleans and nothing", [true, false, null, undefined]],
  ["bigints", [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, -(2n ** 200n)]],
  ["dates", [new Date(0), new Date(1.5e12)]],
  ["regular expressions", [/a+/gi, /[/\n]/u, new RegExp("")]],
  [
    "maps and sets",
    [
      new Map<unknown, unknown>([
        [1, { a: 1 }],
        ["k", new Set([1, "a"])],
      ]),
      new Set([new Map()]),
    ],
  ],
  [
    "typed arrays",
    [
      new Uint8Array([1, 2]),
      new Float64Array([0.5]),
      new BigInt64Array([5n]),
      new Uint8ClampedArray(3),
      Buffer.from("ab"),
      new DataView(new ArrayBuffer(4)),
    ],
  ],
  ["buffers", [new ArrayBuffer(8), new Uint8Array([1, 2, 3]).buffer]],
  ["boxed primitives", [Object(1), Object("ab"), Object(false), Object(5n)]],
  ["URLs", [new URL("https://example.org/a?b=1#c"), new URLSearchParams("a=1&a=2")]],
  ["nested objects", { a: { b: [{ c: null }, { c: 2 }] }, "weird key": 1, 5: 6 }],
  ["objects without prototype", Object.assign(Object.create(null) as object, { a: 1 })],
  ["holes in arrays", Object.assign(Array.from({ length: 0 }), { 1: 1, 3: 2, length: 5 })],
  ["matches", /b(?<x>.)/.exec("abc")],
  ["a key called __proto__", JSON.parse('{"__proto__": {"a": 1}, "b": 2}')],
];

/** The types that the library is compiled against know less than every supported Node does. */
type GrowableBuffer = ArrayBuffer & { readonly maxByteLength: number; resize(length: number): void };
const Growable = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => GrowableBuffer;

test("a buffer that can grow arrives as one, and views grow with it", () => {
  const buffer = new Growable(8, { maxByteLength: 32 });
  const [fixed, tracking, rest] = [new Uint8Array(buffer, 0, 2), new Uint8Array(buffer), new Uint16Array(buffer, 2)];
  tracking.set([1, 2, 3, 4, 5, 6, 7, 8]);
  const got = travel({ tracking, buffer, fixed, rest, alone: new Growable(0, { maxByteLength: 4 }) });
  assert.equal(got.buffer.maxByteLength, 32);
  assert.equal(got.tracking.buffer, got.buffer);
  assert.deepEqual([...got.tracking], [1, 2, 3, 4, 5, 6, 7, 8]);
  got.buffer.resize(16);
  assert.deepEqual([got.tracking.length, got.rest.length, got.fixed.length], [16, 7, 2]);
  assert.deepEqual([got.alone.byteLength, got.alone.maxByteLength], [0, 4]);
});

test("values and functions of another context of node:vm arrive as what they are", () => {
  const context = createContext({});
  const value = runInContext(
    `({
      list: [1, [2]], map: new Map([[1, new Set([2])]]), date: new Date(3), pattern: /x/g, bytes: new Uint8Array([4]),
      boxed: Object(5), none: Object.create(null), error: new TypeError("no"), point: new (class Point { x = 6 }),
      old(n) { return n + 1; }, plain: function (n) { return n + 2; }, arrow: (n) => n + 3,
    })`,
    context,
  ) as Record<string, any>;
  const got = travel(value) as Record<string, any>;
  assert.equal(Object.getPrototypeOf(got), Object.prototype);
  assert.deepStrictEqual(got["list"], [1, [2]]);
  assert.deepStrictEqual(got["map"], new Map([[1, new Set([2])]]));
  assert.deepStrictEqual(got["date"], new Date(3));
  assert.deepStrictEqual(got["pattern"], /x/g);
  assert.deepStrictEqual(got["bytes"], new Uint8Array([4]));
  assert.deepStrictEqual(got["boxed"], Object(5));
  assert.equal(Object.getPrototypeOf(got["none"]), null);
  assert.ok(got["error"] instanceof TypeError);
  assert.equal(got["point"].x, 6);
  assert.deepEqual([got["old"](1), got["plain"](1), got["arrow"](1)], [2, 3, 4]);
});

test("objects of the platform that their constructor can make again", () => {
  const headers = new Headers([
    ["a", "1"],
    ["set-cookie", "x=1"],
    ["set-cookie", "y=2"],
  ]);
  const sent = {
    encoder: new TextEncoder(),
    decoder: new TextDecoder("utf-16le", { fatal: true, ignoreBOM: true }),
    headers,
    money: new Intl.NumberFormat("de", { style: "currency", currency: "EUR" }),
    compact: new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }),
    day: new Intl.DateTimeFormat("sv", { dateStyle: "full", timeZone: "UTC" }),
    clock: new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit", timeZone: "UTC", hour12: true }),
    order: new Intl.Collator("sv", { numeric: true }),
    plural: new Intl.PluralRules("en", { type: "ordinal" }),
    ago: new Intl.RelativeTimeFormat("de", { numeric: "auto" }),
    list: new Intl.ListFormat("en", { type: "disjunction" }),
    words: new Intl.Segmenter("en", { granularity: "word" }),
    names: new Intl.DisplayNames("en", { type: "region" }),
    locale: new Intl.Locale("de-CH-1996"),
  };
  const got = travel(sent);
  assert.deepEqual(got.encoder.encode("ü"), sent.encoder.encode("ü"));
  assert.equal(got.decoder.decode(new Uint8Array([0xfc, 0])), "ü");
  assert.throws(() => got.decoder.decode(new Uint8Array([0, 0xd8])), TypeError);
  assert.deepEqual([...got.headers], [...headers]);
  for (const name of ["money", "compact"] as const) assert.equal(got[name].format(123_456), sent[name].format(123_456));
  for (const name of ["day", "clock"] as const) assert.equal(got[name].format(0), sent[name].format(0));
  assert.deepEqual(["ä", "z", "a10", "a9"].sort(got.order.compare), ["a9", "a10", "z", "ä"]);
  assert.equal(got.plural.select(3), "few");
  assert.equal(got.ago.format(-1, "day"), "gestern");
  assert.equal(got.list.format(["a", "b"]), "a or b");
  assert.equal([...got.words.segment("a b")].length, 3);
  assert.equal(got.names.of("SE"), "Sweden");
  assert.equal(String(got.locale), "de-CH-1996");
  class Marked extends TextEncoder {
    mark = 1;
  }
  const marked = travel(new Marked());
  assert.deepEqual([marked instanceof Marked, marked.mark, marked.encode("a").length], [true, 1, 1]);
});

for (const [name, value] of values)
  test(`${name} arrive as they are`, () => assert.deepStrictEqual(travel(value), value));

test("what arrives equals what was sent, whatever it is", () => {
  const anything = fc.anything({
    withBigInt: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withTypedArray: true,
    withSparseArray: true,
    withUnicodeString: true,
    withBoxedValues: true,
  });
  fc.assert(
    fc.property(anything, (value) => assert.deepStrictEqual(travel(value), value)),
    { numRuns: 1000 },
  );
});

test("what occurs twice is one there, and cycles survive", () => {
  const shared = { n: 1 };
  const sent: Record<string, unknown> = { a: shared, b: [shared, shared], m: new Map([[shared, shared]]) };
  sent["self"] = sent;
  const got = travel(sent) as { a: object; b: object[]; m: Map<object, object>; self: unknown };
  assert.equal(got.self, got);
  assert.ok(got.a === got.b[0] && got.a === got.b[1] && got.m.get(got.a) === got.a);
  const many = Array.from({ length: 100 }, () => shared);
  assert.equal(new Set(travel(many)).size, 1);
});

test("views of one buffer share it there", () => {
  const buffer = new ArrayBuffer(16);
  const [all, part, again] = travel([new Uint8Array(buffer), new Int32Array(buffer, 4, 2), buffer]) as [
    Uint8Array,
    Int32Array,
    ArrayBuffer,
  ];
  all[4] = 7;
  assert.equal(part[0], 7);
  assert.equal(again, all.buffer);
});

test("a view on a part of a buffer takes only its part along", () => {
  const part = new Uint8Array(1 << 20).subarray(5, 10);
  assert.ok(encode(part).length < 100);
  assert.equal(travel(part).length, 5);
});

test("symbols: registered, well-known, and one of its own once a message", () => {
  assert.equal(travel(Symbol.for("x")), Symbol.for("x"));
  assert.equal(travel(Symbol.iterator), Symbol.iterator);
  const own = Symbol("own");
  const [a, b] = travel([own, own]) as [symbol, symbol];
  assert.ok(a === b && a !== own && a.description === "own");
});

test("accessors, symbols as keys, hidden and frozen properties stay what they are", () => {
  const sent = {
    n: 2,
    get double() {
      return this.n * 2;
    },
    [Symbol.for("s")]: 1,
  };
  const got = travel(sent);
  got.n = 5;
  assert.equal(got.double, 10);
  assert.equal(got[Symbol.for("s") as never], 1);
  assert.ok(Object.isFrozen(travel(Object.freeze({ a: 1 }))));
  assert.ok(Object.isFrozen(travel(Object.freeze([1]))));
  assert.ok(Object.isSealed(travel(Object.seal({ a: 1 }))));
  const hidden = travel(Object.defineProperty({}, "h", { value: 1 }));
  assert.deepEqual(Object.getOwnPropertyDescriptor(hidden, "h"), {
    value: 1,
    enumerable: false,
    configurable: false,
    writable: false,
  });
});

test("further properties of long arrays travel: texts, symbols, accessors, also one that throws", () => {
  const long = (): number[] => Array.from({ length: 100 }, (_, i) => i);
  const failing = {
    get: () => {
      throw new Error("read");
    },
    enumerable: true,
  };
  const sent = [
    Object.assign(long(), { extra: 1 }),
    Object.assign(long(), { [Symbol.for("extra")]: 1 }),
    Object.defineProperty(long(), "extra", failing),
    Object.assign(long(), { 50: undefined, extra: 1 }),
  ];
  const got = decode(encode(sent)) as object[];
  const extra = (value: object): string[] =>
    Reflect.ownKeys(value)
      .map(String)
      .filter((key) => key.includes("extra"));
  assert.deepEqual(got.map(extra), sent.map(extra));
  assert.throws(() => (got[2] as { extra: unknown }).extra, { message: "read" });
});

test("further properties of arrays and other objects travel", () => {
  assert.equal((travel(Object.assign([1, 2], { extra: 3 })) as { extra?: number }).extra, 3);
  const long = Object.assign(
    Array.from({ length: 100 }, (_, i) => i),
    { extra: 3 },
  );
  assert.equal((travel(long) as { extra?: number }).extra, 3);
  assert.equal((travel(Object.assign(new Map(), { extra: 3 })) as { extra?: number }).extra, 3);
  const pattern = /a/g;
  pattern.lastIndex = 3;
  assert.equal(travel(pattern).lastIndex, 3);
});

test("objects without keys are looked at one by one", () => {
  const plain = Array.from({ length: 20 }, () => ({}));
  class Shape {}
  const hidden = Object.defineProperty({}, "h", { value: 1 });
  const got = travel([...plain, Shape.prototype, hidden]) as object[];
  assert.equal(got[20], Shape.prototype);
  assert.equal(Object.getOwnPropertyDescriptor(got[21], "h")?.value, 1);
});

test("the prototype of a class is that of the class there, whichever comes first", () => {
  class Shape {
    static model: object = Shape.prototype;
  }
  function Old(): void {}
  for (const sent of [
    [Shape.prototype, Shape, new Shape()],
    [Shape, Shape.prototype, new Shape()],
    [Old.prototype as object, Old, new (Old as unknown as new () => object)()],
  ]) {
    const [a, b, instance] = travel(sent) as (object | Function)[];
    const prototype = typeof a === "function" ? b : a;
    assert.equal(prototype, Object.getPrototypeOf(instance));
    assert.equal((prototype as object).constructor, typeof a === "function" ? a : b);
  }
});

test("super in an arrow writes, and reads symbols and getters, as in the method around it", () => {
  const greet = Symbol.for("greet");
  class Base {
    name = "b";
    stored = 0;
    set extra(value: number) {
      this.stored = value;
    }
    get who(): string {
      return this.name;
    }
    [greet](word: string): string {
      return `${word} ${this.name}`;
    }
    optional?(): void;
  }
  class Heir extends Base {
    override get who(): string {
      return "not the heir's";
    }
    arrow = (): unknown[] => {
      super.extra = 5;
      return [super.who, super[greet]("hi"), super.optional?.(), this.stored];
    };
  }
  assert.deepEqual(travel(new Heir()).arrow(), ["b", "hi b", undefined, 5]);
});

class Point {
  x: number;
  y: number;
  constructor(x: number, y: number) {
    this.x = x;
    this.y = y;
  }
  get length(): number {
    return Math.hypot(this.x, this.y);
  }
}
class Stack extends Array<number> {
  top(): number | undefined {
    return this.at(-1);
  }
}

test("instances keep their class, and share it", () => {
  const [a, b] = travel([new Point(3, 4), new Point(6, 8)]) as [Point, Point];
  assert.equal(a.length, 5);
  assert.equal(Object.getPrototypeOf(a), Object.getPrototypeOf(b));
  const stack = travel(Stack.from([1, 2, 3])) as Stack;
  assert.equal(stack.top(), 3);
  assert.equal(stack.length, 3);
  class Registry extends Map<string, number> {
    total(): number {
      return [...this.values()].reduce((x, y) => x + y, 0);
    }
  }
  assert.equal(
    (
      travel(
        new Registry([
          ["a", 1],
          ["b", 2],
        ]),
      ) as Registry
    ).total(),
    3,
  );
});

test("a class that captures its own instance", () => {
  class Single {
    static of(): Single {
      return only;
    }
    n = 1;
  }
  const only = new Single();
  const got = travel({ only, Single }) as { only: Single; Single: typeof Single };
  // In the process that defined it, a class that comes back is the one that was sent; its instance is a copy.
  assert.equal(got.Single, Single);
  assert.equal(Object.getPrototypeOf(got.only), Single.prototype);
  assert.notEqual(got.only, only);
});

test("closures, and variables that they share", () => {
  let count = 0;
  const up = (): number => ++count;
  const now = (): number => count;
  const got = travel({ up, now });
  assert.equal(got.up(), 1);
  assert.equal(got.now(), 1);
  assert.equal(count, 0);
  const factorial = (n: number): number => (n < 2 ? 1 : n * factorial(n - 1));
  assert.equal(travel(factorial)(5), 120);
  assert.equal(travel(Math.max), Math.max);
  const bound = function (this: { k: number }, n: number) {
    return this.k * n;
  }.bind({ k: 4 });
  assert.equal(travel(bound)(5), 20);
});

test("[Symbol.for('multiproc.reduce')] says how to rebuild an object", () => {
  const make = (n: number): object => ({ made: n });
  const sent = { secret: new WeakMap(), [Symbol.for("multiproc.reduce")]: () => [make, 7] };
  assert.deepEqual(travel(sent) as unknown, { made: 7 });
});

for (const [name, value, path] of [
  ["a WeakMap", { a: [{ b: new WeakMap() }] }, "a[0].b"],
  ["a Promise", [1, Promise.resolve()], "[1]"],
  ["a Proxy", { p: new Proxy({}, {}) }, "p"],
  ["a timer", { t: setTimeout(() => {}, 0).unref() }, "t"],
  ["a map's value", { m: new Map([["k", new WeakSet()]]) }, 'm("k")'],
] as [string, unknown, string][]) {
  test(`${name} is refused by its path`, () => {
    assert.throws(
      () => encode(value),
      (error: unknown) => error instanceof SerializationError && error.path === path && error.message.includes(path),
    );
  });
}

test("a captured variable that cannot travel is named, with who captures it", () => {
  const ctx = { server: new WeakMap() };
  const task = (): boolean => ctx.server.has({});
  assert.throws(
    () => encode({ target: task }),
    (error: unknown) =>
      error instanceof SerializationError && error.path === "ctx.server" && /task.*ctx\.server/.test(error.message),
  );
});

test("a refused message leaves the sink as it was, and gives back what it took", () => {
  const sink = new HeapSink();
  encodeTo(sink, 1);
  const before = sink.position;
  let aborted = 0;
  const handle = { [Symbol.for("multiproc.handle")]: () => ({ tag: "t", data: 1, abort: () => (aborted += 1) }) };
  assert.throws(() => encodeTo(sink, [handle, new WeakMap()]), SerializationError);
  assert.equal(sink.position, before);
  assert.equal(aborted, 1);
});

test("nesting up to a thousand levels works, deeper is refused", () => {
  const nest = (depth: number): unknown => {
    let value: unknown = 1;
    for (let i = 0; i < depth; i++) value = { next: value };
    return value;
  };
  let got = travel(nest(990)) as { next?: unknown };
  let depth = 0;
  while (typeof got === "object") {
    got = got.next as typeof got;
    depth += 1;
  }
  assert.equal(depth, 990);
  assert.throws(() => encode(nest(100_000)), { code: "ERR_SERIALIZATION" });
});

test("rubbish is refused and never makes the decoder crash", () => {
  const good = encode({ a: [1, "two", new Map([[1, new Date()]])], b: new Uint8Array(20), c: new Error("x") });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(good.length),
      (changes, cut) => {
        const bad = good.slice(0, cut);
        for (const [at, byte] of changes) if (at < bad.length) bad[at] = byte;
        try {
          decode(bad, { functions: false, handles: false });
        } catch (error) {
          assert.ok(
            error instanceof SerializationError || error instanceof TypeError || error instanceof SyntaxError,
            String(error),
          );
        }
      },
    ),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.throws(() => decode(Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, ...bytes)), SerializationError);
    }),
  );
});

test("strangers send and get no functions, classes or handles", () => {
  const strange = { functions: false, handles: false };
  for (const value of [() => 1, new Point(1, 2), class {}]) {
    assert.throws(() => encode(value, strange), SerializationError);
    assert.throws(() => decode(encode(value), strange), SerializationError);
  }
  assert.deepEqual(decode(encode({ a: new Map([[1, [2]]]) }, strange), strange), { a: new Map([[1, [2]]]) });
  class Odd extends Error {}
  assert.equal((decode(encode(new Odd("m"), strange), strange) as Error).message, "m");
});

test("thousands of frozen objects, and of objects with accessors, take no quadratic time", () => {
  const frozen = Array.from({ length: 20_000 }, (_, n) => Object.freeze({ n }));
  assert.ok(travel(frozen).every((each, n) => each.n === n && Object.isFrozen(each)));
  const computed = Array.from({ length: 20_000 }, (_, n) => ({
    get twice() {
      return 2 * n;
    },
  }));
  assert.ok(travel(computed).every((each, n) => each.twice === 2 * n));
});

test("an invalid date stays one", () => assert.ok(Number.isNaN(travel(new Date(NaN)).getTime())));

test("prepare() has nothing to do for data", () => {
  assert.equal(prepare(encode({ a: 1 })), undefined);
});
