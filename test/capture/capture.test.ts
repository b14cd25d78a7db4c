/* oxlint-disable typescript/unbound-method, eslint/no-eval, eslint/no-unused-private-class-members -- what is refused must be written first */
import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import * as fs from "node:fs";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInThisContext } from "node:vm";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { capture, fromModule, registerLibraryModule } from "../../src/capture/index.ts";
import { liveExports, loadedModule, loadModule } from "../../src/capture/modules.ts";
import settings from "./settings.json" with { type: "json" };
import type { SourceImage } from "../../src/capture/image.ts";
import { travel } from "./parcel.ts";
import * as neighbour from "./neighbour.ts";
import { Account, count, countUp, handle, Locked, makeGreeter } from "./neighbour.ts";

const factor = 3;
let moduleCounter = 10;
function triple(n: number): number {
  return n * factor;
}
function bump(): number {
  return ++moduleCounter;
}
class Shape {
  static made = 0;
  static readonly kinds: string[] = ["round"];
  readonly name: string;
  constructor(name: string) {
    this.name = name;
    Shape.made++;
  }
  describe(): string {
    return `${this.name} ${factor}`;
  }
}
class Circle extends Shape {
  readonly r: number;
  constructor(r: number) {
    super("circle");
    this.r = r;
  }
  override describe(): string {
    return `${super.describe()} of ${this.r}`;
  }
  get [Symbol.toStringTag](): string {
    return "Circle";
  }
}

test("a function without captures needs neither variables nor values", async () => {
  const image = capture((a: number, b: number) => Math.max(a, b), "task") as SourceImage;
  assert.equal(image.kind, "source");
  assert.deepEqual(image.values, []);
  assert.equal((await travel((a: number, b: number) => Math.max(a, b)))(1, 2), 2);
});

test("the same function gives the same image again; the same text, the same definition", () => {
  const make = (): (() => number) => () => 1 + 1;
  const one = make();
  assert.equal(capture(one, "task"), capture(one, "task"));
  const withVariable = (n: number) => () => n;
  const a = capture(withVariable(1), "task") as SourceImage;
  const b = capture(withVariable(2), "task") as SourceImage;
  assert.equal(a.definition, b.definition);
  assert.deepEqual([a.values, b.values], [[1], [2]]);
});

test("constants, functions and classes around it go along", async () => {
  const fn = await travel((r: number) => [
    triple(r),
    new Circle(r).describe(),
    Object.prototype.toString.call(new Circle(r)),
  ]);
  assert.deepEqual(fn(2), [6, "circle 3 of 2", "[object Circle]"]);
});

test("statics are data, taken as they are now", async () => {
  Shape.made = 40;
  const fn = await travel(() => {
    const circle = new Circle(1);
    return [Shape.made, Shape.kinds, circle instanceof Shape];
  });
  assert.deepEqual(fn(), [41, ["round"], true]);
  assert.equal(Shape.made, 40);
});

test("a variable is read at each call, and shared by those who write it", async () => {
  let n = 1;
  const increase = (): number => ++n;
  const get = (): number => n;
  const both = (): number[] => [increase(), increase(), get()];
  assert.deepEqual((await travel(both))(), [2, 3, 3]);
  n = 7;
  assert.deepEqual((await travel(both))(), [8, 9, 9]);
  assert.equal(n, 7);
  assert.equal((await travel(() => bump() + bump()))(), 23);
  assert.equal(moduleCounter, 10);
});

test("two instances of one closure keep two variables", async () => {
  const counter = () => {
    let n = 0;
    return { add: () => ++n, get: () => n };
  };
  const a = counter();
  const b = counter();
  const fn = await travel(() => [a.add(), a.add(), b.add(), a.get(), b.get()]);
  assert.deepEqual(fn(), [1, 2, 1, 2, 1]);
});

test("closures made in a loop share what is outside of it", async () => {
  let sum = 0;
  const adders: (() => number)[] = [];
  for (const n of [1, 2, 3]) adders.push(() => (sum += n));
  const fn = await travel(() => adders.map((add) => add()).concat(sum));
  assert.deepEqual(fn(), [1, 3, 6, 6]);
});

test("written variables in every syntactic place", async () => {
  let n = 1;
  let list = [1, 2];
  let call = (x: number): number => x;
  const fn = await travel(() => {
    ({ n } = { n: 5 });
    [n, list] = [n + 1, [n]];
    for (n of [7, 8]);
    call = (x) => x * 2;
    const object = { n, list };
    n **= 2;
    return [object, n, call(n), `${n}`, typeof n];
  });
  assert.deepEqual(fn(), [{ n: 8, list: [5] }, 64, 128, "64", "number"]);
  assert.equal(n, 1);
  assert.deepEqual([list, call(1)], [[1, 2], 1]);
});

test("imports are references, not copies", async () => {
  const image = capture(() => [readFileSync, fs, EventEmitter, Account], "task") as SourceImage;
  assert.deepEqual(image.values, [undefined, undefined, undefined, undefined]);
  assert.ok(image.definition.variables.every(({ reference }) => reference !== undefined));
  const fn = await travel(() => [readFileSync, new EventEmitter() instanceof EventEmitter, Account, fs.existsSync]);
  assert.deepEqual(fn(), [readFileSync, true, Account, fs.existsSync]);
});

test("what another module exports is a reference, whichever way it is reached", async () => {
  const box = { make: countUp, Account, read: readFileSync, max: Math.max };
  const back = (await travel(() => box))();
  assert.deepEqual(Object.values(back), Object.values(box));
  assert.equal(capture(countUp, "task").kind, "module");
  const { countDown } = (await import("./neighbour.ts")) as unknown as { countDown: () => number };
  assert.equal(capture(countDown, "task").kind, "module");
  assert.equal(typeof count, "number");
});

test("a closure that another module made is copied, with references to what that module exports", async () => {
  const fn = await travel(makeGreeter("hello"));
  assert.equal(fn("you"), "hello you 1");
});

test("platform functions travel by name", async () => {
  assert.deepEqual(capture(Math.sqrt, "task"), { kind: "builtin", from: "globalThis", path: ["Math", "sqrt"] });
  assert.deepEqual(capture(readFileSync, "task"), { kind: "builtin", from: "node:fs", path: ["readFileSync"] });
  for (const fn of [Array.prototype.map, setTimeout, URL, Buffer.from, structuredClone, console.log, Buffer, fetch]) {
    assert.equal(await travel(fn), fn, fn.name);
  }
});

test("a bound function keeps its object and arguments", async () => {
  const object = {
    n: 2,
    add(a: number, b: number): number {
      return this.n + a + b;
    },
  };
  assert.equal((await travel(object.add.bind(object, 10)))(100 as never), 112);
});

test("an arrow in a running method has its `this`", async () => {
  class Scaler {
    readonly factor = 4;
    async run(): Promise<number> {
      const fn = await travel((n: number) => n * this.factor);
      return fn(2);
    }
    static async nested(this: { k: number }): Promise<number> {
      return (await travel(() => [1].map((n) => n + this.k)))()[0] as number;
    }
  }
  assert.equal(await new Scaler().run(), 8);
  assert.equal(await Scaler.nested.call({ k: 5 }), 6);
});

test("an arrow in a class field has the instance that holds it as its `this`", async () => {
  class Button {
    label = "b";
    readonly press = (): string => this.label + "!";
  }
  const button = new Button();
  assert.equal((await travel(() => button.press()))(), "b!");
});

test("an arrow in a class field does not take somebody else that has it for its `this`", async () => {
  class Door {
    static open = (): string => `${this.name} opens`;
    label = "d";
    readonly knock = (): string => this.label + "?";
  }
  const door = new Door();
  const thief = { label: "thief", knock: door.knock, open: Door.open };
  await assert.rejects(async () => travel(door.knock), /its `this` is the object whose field it is/);
  await assert.rejects(async () => travel(() => thief.knock()), /`thief\.knock`/);
  const loot = { open: Door.open };
  await assert.rejects(async () => travel(() => loot.open()), /`loot\.open`/);
  assert.equal((await travel(() => Door.open()))(), "Door opens");
  class Gate extends Door {}
  const gate = new Gate();
  assert.equal((await travel(() => gate.knock()))(), "d?");
});

// As compilers write `#held` and `#isHeld()` for older targets, and as people do by hand.
const held = new WeakMap<object, number>();
const holders = new WeakSet();
class Holder {
  constructor(n: number) {
    holders.add(this);
    held.set(this, n);
  }
  held(): number | undefined {
    if (!holders.has(this)) throw new TypeError("no holder");
    return held.get(this);
  }
}

test("an arrow in a class field has the `this` of the running method that sends it, if that is the object that has it", async () => {
  class Scaler {
    readonly factor: number;
    readonly scale = (n: number): number => n * this.factor;
    constructor(factor: number) {
      this.factor = factor;
    }
    async send(): Promise<(n: number) => number> {
      await Promise.resolve();
      return travel(this.scale);
    }
    async steal(other: Scaler): Promise<(n: number) => number> {
      return travel(other.scale);
    }
  }
  assert.equal((await new Scaler(3).send())(2), 6);
  await assert.rejects(async () => new Scaler(3).steal(new Scaler(4)), /the object whose field it is/);
});

test("a class that keeps things of its instances in a WeakMap starts with an empty one there; its instances do not travel", async () => {
  const holder = new Holder(1);
  assert.equal((await travel(() => new Holder(7).held()))(), 7);
  const [Copy, alike] = (await travel(() => [Holder, new Holder(8)] as const))();
  assert.ok(alike instanceof Copy);
  assert.equal(alike.held(), 8);
  await assert.rejects(async () => travel(() => holder.held()), /`holder`.*Holder, whose private members/);
  await assert.rejects(
    async () => travel(() => new (class extends Holder {})(1) instanceof Holder && held.has({})),
    /`held`.*WeakMap/,
  );
  const again = await travel(await travel(() => new Holder(9).held()));
  assert.equal(again(), 9);
});

test("a class may look up what it remembers of its instances: they travel, without that", async () => {
  const memory = new WeakMap<object, number>();
  class Square {
    readonly side: number;
    constructor(side: number) {
      this.side = side;
    }
    area(): number {
      if (!memory.has(this)) memory.set(this, this.side ** 2);
      return memory.get(this) as number;
    }
  }
  const square = new Square(3);
  assert.equal(square.area(), 9);
  assert.equal((await travel(() => square.area()))(), 9);
});

test("an instance of an imported class that keeps its members in a WeakMap is refused", async () => {
  const locked = new Locked("x");
  await assert.rejects(async () => travel(() => locked.read()), /`locked`.*Locked, whose private members/);
  assert.equal((await travel(() => new Locked("y").read()))(), "y");
});

test("what a script that is no module declares at its top is captured", async () => {
  const make = runInThisContext(
    `var scriptVar = 3; let scriptLet = 4; function scriptFunction() { return scriptVar + scriptLet; }
     () => scriptFunction() + ++scriptVar`,
    { filename: "script.js" },
  ) as () => number;
  try {
    assert.equal((await travel(make))(), 11);
  } finally {
    for (const name of ["scriptVar", "scriptFunction"]) Reflect.deleteProperty(globalThis, name);
  }
});

test("methods, accessors, generators and async functions", async () => {
  const key = Symbol.for("key");
  const object = {
    plain(n: number): number {
      return n + factor;
    },
    async later(n: number): Promise<number> {
      return n + factor;
    },
    *several(): Generator<number> {
      yield factor;
    },
    [key](): string {
      return "by symbol";
    },
  };
  assert.equal((await travel(object.plain))(1), 4);
  assert.equal(await (await travel(object.later))(1), 4);
  assert.deepEqual([...(await travel(object.several))()], [3]);
  const symbolic = await travel(object[key]);
  assert.equal(symbolic(), "by symbol");
  assert.equal(symbolic.name, "[key]");
});

test("classes with computed members, fields, private members and accessors", async () => {
  const name = ["dyn", "amic"].join("");
  const symbol = Symbol.for("s");
  class Rich {
    #secret = 5;
    static #count = 0;
    field = factor;
    [name](): string {
      return "computed";
    }
    static [symbol](): string {
      return "static";
    }
    get secret(): number {
      return this.#secret + Rich.#count++;
    }
    *[Symbol.iterator](): Generator<number> {
      yield this.field;
    }
    static {
      Rich.#count = 1;
    }
  }
  const Copy = await travel(Rich);
  assert.notEqual(Copy, Rich);
  const rich = new Copy() as Rich & Record<string, () => string>;
  assert.deepEqual([...rich], [3]);
  assert.equal(rich.secret, 5);
  assert.equal((rich[name] as () => string)(), "computed");
  assert.equal(Copy[symbol](), "static");
});

test("patched members and properties on functions go along", async () => {
  class Patched {
    hi(): string {
      return "original";
    }
  }
  Patched.prototype.hi = () => "patched";
  const tagged = Object.assign(() => tagged.tag, { tag: "t" });
  assert.equal(new (await travel(Patched))().hi(), "patched");
  assert.equal((await travel(tagged))(), "t");
  function Old(this: { n: number }): void {
    this.n = 1;
  }
  Old.prototype.get = function (this: { n: number }) {
    return this.n;
  };
  const Copy = (await travel(Old)) as unknown as new () => { get(): number };
  assert.equal(new Copy().get(), 1);
});

test("import.meta and import() mean the original file", async () => {
  const fn = await travel(async () => [import.meta.url, import.meta.dirname, (await import("./neighbour.ts")).Account]);
  assert.deepEqual(await fn(), [import.meta.url, import.meta.dirname, Account]);
});

test("a stack names the original file, line and column", async () => {
  const fail = (): never => {
    throw new Error(`factor ${factor}`);
  };
  const places = (error: unknown): string => /\((file:.*?)\)/.exec((error as Error).stack as string)?.[1] as string;
  let original = "";
  try {
    fail();
  } catch (error) {
    original = places(error);
  }
  assert.throws(await travel(fail), (error) => places(error) === original);
});

test("a restored function travels on", async () => {
  let n = 1;
  const fn = await travel(await travel(() => triple(++n)));
  assert.equal(fn(), 6);
  assert.equal(n, 1);
  const Again = await travel(await travel(Circle));
  assert.equal(new Again(3).describe(), "circle 3 of 3");
});

test("what cannot travel is refused by name", () => {
  const refused = (fn: () => unknown, message: RegExp): void =>
    assert.throws(() => capture(fn as unknown as Function, "task"), {
      name: "SerializationError",
      message,
      path: "task",
    });
  const child = new (class extends Shape {
    lone(): string {
      return super.describe();
    }
    #x = 1;
    static peek(o: { n: number }): unknown {
      return (() => #x in o)();
    }
    static arrow(): () => boolean {
      return (o?: object) => #x in (o as object);
    }
    later(): () => string {
      return () => this.name;
    }
  })("c");
  refused(child.lone, /^Cannot send `task`: it uses `super`/);
  refused((child.constructor as unknown as { arrow(): () => boolean }).arrow(), /private name #x/);
  refused(child.later(), /uses `this` of a function that is not running/);
  refused(new Proxy(() => 1, {}), /a Proxy/);
  let resolve: unknown;
  void new Promise((yes) => (resolve = yes));
  refused(resolve as () => unknown, /native function/);
  refused(
    function () {
      return eval("1");
    } as never,
    /eval/,
  );
  function Maker(this: unknown): () => unknown {
    return () => new.target;
  }
  refused((Maker as () => () => unknown)(), /new\.target/);
});

test("imported JSON is data, not a reference", async () => {
  const fn = await travel(() => settings.answer);
  assert.equal(fn(), 42);
});

test("a function that needs nothing travels where the inspector is forbidden, another is refused by name", () => {
  const script = `
    import { capture } from ${JSON.stringify(new URL("../../src/capture/capture.js", import.meta.url).href)};
    const own = 1;
    const plain = capture((a) => { const twice = a * 2; return Math.max(twice, 3); }, "task");
    let message = "";
    try { capture(() => own, "task"); } catch (error) { message = error.message; }
    console.log(JSON.stringify([plain.kind, message]));
  `;
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const flag = process.allowedNodeEnvironmentFlags.has("--permission") ? "--permission" : "--experimental-permission";
  const args = [flag, `--allow-fs-read=${root}*`, "--input-type=module", "-e", script];
  const out = execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [kind, message] = JSON.parse(out) as string[];
  assert.equal(kind, "source");
  assert.match(message as string, /^Cannot send `task`: it captures `own`/);
});

test("fromModule() gives a function that travels as an address, and can be called here", async () => {
  const twice = fromModule<(n: number) => Promise<string>>(new URL("./neighbour.js", import.meta.url), "describe");
  assert.equal(capture(twice, "task").kind, "module");
  assert.equal(await twice(4), "number 4");
  assert.equal(await (await travel(() => twice))()(5), "number 5");
  assert.throws(() => fromModule(5 as never), { code: "ERR_INVALID_ARG_TYPE" });
  for (const relative of ["./job.js", "../job.js", "."]) {
    assert.throws(() => fromModule(relative), {
      code: "ERR_OUT_OF_RANGE",
      message: /^url must be absolute.*import\.meta\.url/,
    });
  }
});

test("exports that were registered by the library are references", () => {
  const namespace = { helper: () => 1 };
  registerLibraryModule("file:///library/index.js", namespace);
  assert.deepEqual(capture(namespace.helper, "task"), {
    kind: "module",
    module: { importer: undefined, specifier: "file:///library/index.js", how: "import" },
    exportName: "helper",
  });
});

test("a shadowed global is a captured variable", async () => {
  const Math = { max: (a: number, b: number) => a + b + factor };
  assert.equal((await travel(() => Math.max(1, 2)))(), 6);
  const parseInt = (text: string): string => `${text}!`;
  assert.equal((await travel((text: string) => parseInt(text)))("a"), "a!");
});

test("parameters hide what is outside, and only what is inside of them", async () => {
  const n = 5;
  const fn = (m: number): number => {
    {
      const n = m;
      if (n > 100) return n;
    }
    return n + m;
  };
  assert.equal((await travel(fn))(1), 6);
  assert.equal((await travel((...factor: number[]) => factor.length))(1, 2), 2);
});

test("a module loaded later is found synchronously afterwards, and refused before if that is not safe", async () => {
  const reference = { importer: import.meta.url, specifier: "#nothing", how: "import" } as const;
  assert.throws(() => loadedModule(reference), { name: "SerializationError" });
  const own = { importer: import.meta.url, specifier: "./neighbour.js", how: "import" } as const;
  assert.equal(loadedModule(own), await loadModule(own));
  const fs = loadedModule({ importer: undefined, specifier: "node:fs", how: "import" }) as { default: unknown };
  assert.equal(typeof fs.default, "object");
});

test("a handle that another module exports is sent as a handle, not imported again", () => {
  const byName = capture(() => handle, "task") as SourceImage;
  assert.deepEqual([byName.values[0], byName.definition.variables[0]?.reference], [handle, undefined]);
  const bySpace = capture(() => [neighbour.handle, neighbour.Account], "task") as SourceImage;
  assert.deepEqual(bySpace.values, [{ handle, Account }]);
  const without = capture(() => neighbour.Account, "task") as SourceImage;
  assert.deepEqual(without.values, [undefined]);
});

test("a variable that is not initialised yet is refused by name", () => {
  assert.throws(() => capture(() => [later, Later], "task"), /`(?:later|Later)` is not initialised yet/);
  const later = 1;
  class Later {}
});

test("an imported number is read of its module's namespace, as fast as the module reads it, and as it is now", () => {
  const { definition } = capture(() => count + Number({ count }.count), "task") as SourceImage;
  assert.match(definition.source, /^\(\) => (\S+)\.count ?\+ Number\(\{ count:\1\.count ?\}\.count\)$/);
  const reference = { module: { importer: import.meta.url, specifier: "./neighbour.js", how: "import" } } as const;
  const exports = liveExports({ ...reference, exportName: "count" });
  assert.equal(exports, neighbour);
});
