import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, test } from "node:test";
import { inspect } from "node:util";
import {
  activeChildren,
  Lock,
  Manager,
  ManagerDiedError,
  Process,
  Queue,
  QueueEmptyError,
  StateError,
  Value,
} from "../../src/index.ts";
import { startTimeOf } from "../../src/platform/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";

const shared = await Manager.start();
after(() => shared.shutdown());

const byNumber = (a: unknown, b: unknown): number => (a as number) - (b as number);

/** Runs a function in a child and gives what it gives. */
async function inChild<R>(target: () => R): Promise<Awaited<R>> {
  return (await new Process({ target: target as () => unknown }).start().result()) as Awaited<R>;
}

test("81. a list takes slices, extends, and holds proxies whose changes are seen", async () => {
  const list = await shared.list([0, 1, 2, 3]);
  assert.deepEqual(await list.slice(1, 3), [1, 2]);
  assert.equal(await list.extend([4, 5]), 6);
  assert.deepEqual(await list.slice(-2), [4, 5]);
  assert.equal(await list.pop(), 5);
  assert.equal(await list.pop(0), 0);
  assert.deepEqual(await list.toArray(), [1, 2, 3, 4]);

  const inner = await shared.list<unknown>(["x"]);
  const outer = await shared.list<unknown>([inner, ["plain"]]);
  assert.equal(await outer.at(0), inner);
  await inner.push("y");
  assert.deepEqual(await ((await outer.at(0)) as typeof inner).toArray(), ["x", "y"]);
  const plain = (await outer.at(1)) as string[];
  plain.push("lost");
  assert.deepEqual(await outer.at(1), ["plain"]);
});

test("82. a nested value is changed by a compound operation, or by nesting a proxy", async () => {
  const d = await shared.dict<string, number[]>({ a: [1] });
  await d.update("a", (list) => [...(list ?? []), 2]);
  assert.deepEqual(await d.get("a"), [1, 2]);
});

test("83. a dict has copies, keys, pop, popItem and setDefault", async () => {
  const d = await shared.dict({ a: 1, b: 2 });
  assert.deepEqual(await d.toObject(), { a: 1, b: 2 });
  assert.deepEqual(await d.keys(), ["a", "b"]);
  assert.deepEqual(await d.values(), [1, 2]);
  assert.deepEqual(await d.entries(), [
    ["a", 1],
    ["b", 2],
  ]);
  assert.equal(await d.setDefault("c", 3), 3);
  assert.equal(await d.setDefault("c", 4), 3);
  assert.deepEqual(await d.popItem(), ["c", 3]);
  assert.equal(await d.pop("a"), 1);
  assert.equal(await d.pop("a", 7), 7);
  await d.update({ x: 1, b: 5 });
  assert.deepEqual(
    await d.toMap(),
    new Map([
      ["b", 5],
      ["x", 1],
    ]),
  );
  const seen = [];
  for await (const [key] of d) {
    seen.push(key);
    await d.clear();
  }
  assert.deepEqual(seen, ["b", "x"]);
  assert.equal(await d.size(), 0);
});

test("a dict's keys are primitive, of any kind", async () => {
  const d = await shared.dict<unknown, string>([
    [1, "number"],
    ["1", "string"],
    [null, "null"],
    [10n, "bigint"],
  ]);
  assert.equal(await d.get(1), "number");
  assert.equal(await d.get("1"), "string");
  assert.equal(await d.get(10n), "bigint");
  await assert.rejects(d.set({}, "object"), { name: "TypeError", message: /key must be a primitive value/ });
});

test("84. a namespace has attributes, and hides those with an underscore", async () => {
  const ns = await shared.namespace<{ x: number; name?: string; _hidden?: boolean }>({ x: 10 });
  await ns.set("name", "Bob");
  ns.sync._hidden = true;
  assert.equal(ns.sync.name, "Bob");
  assert.deepEqual(await ns.toObject(), { x: 10, name: "Bob" });
  delete ns.sync.name;
  assert.equal(await ns.get("name"), undefined);
  assert.equal(await ns.get("_hidden"), true);
  assert.equal(await ns.has("name"), false);
});

test("85. a queue inside a list or a dict works", async () => {
  const queue = await shared.queue<string>();
  const d = await shared.dict<string, typeof queue>({});
  await d.set("queue", queue);
  const again = (await d.get("queue")) as typeof queue;
  await again.put("through the dict");
  assert.equal(await queue.get(), "through the dict");
});

test("86. what is not there is an error that names it", async () => {
  const d = await shared.dict({ a: 1 });
  assert.equal(await (d as unknown as { get(key: string): Promise<unknown> }).get("missing"), undefined);
  await assert.rejects(d.getOrThrow("missing" as never), {
    name: "RangeError",
    code: "ERR_NO_SUCH_KEY",
    message: /'missing'/,
  });
  await assert.rejects(d.pop("missing" as never), /no key 'missing'/);
  const l = await shared.list([1, 2]);
  await assert.rejects(l.set(9, 1), { name: "RangeError", message: /index must be an integer from -2 to 1, not 9/ });
  await assert.rejects((d as unknown as { nope(): Promise<void> }).nope(), {
    name: "TypeError",
    message: /dict has no method "nope"/,
  });
  assert.throws(() => (d as unknown as { nopeSync(): void }).nopeSync(), /dict has no method "nope"/);
  await assert.rejects(shared.create("Unheard"), /no type "Unheard"/);
  await assert.rejects(shared.get("unshared"), /no object named "unshared"/);
});

class Base {
  protected seen = 0;

  get double(): number {
    return this.seen * 2;
  }
}

class Counter extends Base {
  label = "counter";

  constructor(start = 0) {
    super();
    this.seen = start;
  }

  increment(by = 1): number {
    this.seen += by;
    return this.seen;
  }

  async later(by: number): Promise<number> {
    const before = this.seen;
    await Promise.resolve();
    this.seen = before + by;
    return this.seen;
  }

  *upTo(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }

  async *slowlyUpTo(n: number): AsyncGenerator<number> {
    for (let i = 0; i < n; i++) yield i;
  }

  numbers(): IterableIterator<number> {
    return [7, 8].values();
  }

  fail(): void {
    throw new RangeError("deliberately", { cause: { seen: this.seen } });
  }

  _hidden(): string {
    return "hidden";
  }
}

test("87. any class: methods, async methods, getters, fields, inherited ones", async () => {
  const c = await shared.create(Counter, 5);
  assert.equal(await c.increment(), 6);
  assert.equal(await c.later(4), 10);
  assert.equal(await c.double, 20);
  assert.equal(await c.label, "counter");
  assert.equal(c.incrementSync(2), 12);
  assert.equal(c.sync.increment(), 13);
  assert.equal(c.sync.double, 26);
  c.sync.label = "renamed";
  assert.equal(await c.label, "renamed");
  await assert.rejects((c as unknown as Counter)._hidden() as unknown as Promise<string>, /has no method "_hidden"/);
});

test("87. generators, async generators and other iterators are looped over", async () => {
  const c = await shared.create(Counter);
  const seen: number[] = [];
  for await (const n of c.upTo(3)) seen.push(n);
  for await (const n of c.slowlyUpTo(2)) seen.push(n);
  for await (const n of c.numbers()) seen.push(n);
  for await (const n of await c.upTo(1)) seen.push(n);
  for await (const n of await c.numbers()) seen.push(n);
  assert.deepEqual(seen, [0, 1, 2, 0, 1, 7, 8, 0, 7, 8]);
  assert.deepEqual([...c.sync.upTo(2), ...c.upToSync(1)], [0, 1, 0]);
  for await (const n of c.upTo(1e9)) if (n === 3) break;
});

test("87. an error comes back with its class, message, cause and both stacks", async () => {
  const c = await shared.create(Counter, 3);
  for (const failing of [() => c.fail(), async () => c.failSync()]) {
    const error = await failing().then(
      () => assert.fail("no error"),
      (thrown: unknown) => thrown as RangeError,
    );
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "deliberately");
    assert.deepEqual(error.cause, { seen: 3 });
    assert.match(error.stack ?? "", /Counter\.fail/);
    assert.match(error.stack ?? "", new RegExp(`called from process ${process.pid}`));
    assert.match(error.stack ?? "", /manager\.test/);
  }
});

class CounterManager extends Manager {
  static override readonly types = {
    Counter,
    Narrow: { type: Counter, exposed: ["increment", "_hidden"] as const },
    makeCounter: (start: number) => new Counter(start * 10),
  };
}

test("87. types by name; exposed names are exactly those", async (t) => {
  const m = await CounterManager.start();
  t.after(() => m.shutdown());
  const c = await m.create("Counter", 1);
  assert.equal(await c.increment(), 2);
  const made = await m.create("makeCounter", 4);
  assert.equal(await made.increment(), 41);
  const narrow = await m.create("Narrow");
  assert.equal(await narrow.increment(), 1);
  assert.equal(await (narrow as unknown as { _hidden(): Promise<string> })._hidden(), "hidden");
  await assert.rejects(narrow.later(1), /has no method "later"/);
  await assert.rejects(
    (m as Manager).create("Unknown"),
    /no type "Unknown"; it knows "Counter", "Narrow", "makeCounter"/,
  );
});

test("88. disposal ends the process; later calls fail, and disposing again does nothing", async () => {
  const m = await Manager.start();
  const d = await m.dict({ a: 1 });
  const waiting = (await m.queue()).get();
  const refused = assert.rejects(waiting, ManagerDiedError);
  const { pid } = m;
  await m.shutdown();
  await m[Symbol.asyncDispose]();
  await refused;
  assert.equal(startTimeOf(pid as number), undefined);
  await assert.rejects(d.get("a"), ManagerDiedError);
  assert.throws(() => d.getSync("a"), ManagerDiedError);
  await assert.rejects(m.dict(), ManagerDiedError);
});

test("90. the initializer runs in the manager with its arguments; what it throws rejects start", async (t) => {
  class Config {
    readonly value: unknown = (globalThis as { configured?: unknown }).configured;
  }
  const initializer = (value: string): void => void ((globalThis as { configured?: unknown }).configured = value);
  const m = await Manager.start({ initializer, initArgs: ["yes"] });
  t.after(() => m.shutdown());
  assert.equal(await (await m.create(Config)).value, "yes");
  const failing = Manager.start({
    initializer: () => {
      throw new SyntaxError("not today");
    },
  });
  await assert.rejects(failing, { name: "SyntaxError", message: "not today" });
  await assert.rejects(Manager.start({ initializer: 5 as never }), {
    name: "TypeError",
    message: /options.initializer/,
  });
});

test("91. each type is used in a child", async () => {
  const m = shared;
  const [d, l, ns, set] = [
    await m.dict<string, number>(),
    await m.list<number>(),
    await m.namespace({ n: 0 }),
    await m.set<number>(),
  ];
  const [value, array] = [await m.value("int32", 5), await m.array("d", [1, 2, 3])];
  const [lock, rlock, semaphore, bounded] = [
    await m.lock(),
    await m.rlock(),
    await m.semaphore(2),
    await m.boundedSemaphore(1),
  ];
  const [condition, event, barrier] = [await m.condition(), await m.event(), await m.barrier(2)];
  const [queue, joinable] = [await m.queue<string>(), await m.joinableQueue<string>()];
  await joinable.put("work");
  const child = new Process(async () => {
    await d.set("child", 1);
    d.sync["sync"] = 2;
    l.sync.push(1, 2);
    await l.push(3);
    ns.sync.n = 7;
    await set.add(9);
    set.sync.add(10);
    await value.add(2);
    value.sync.value += 1;
    await array.set(0, 10);
    array.sync[1] = 20;
    await lock.use(async () => assert.equal(await lock.locked(), true));
    lock.useSync(() => assert.equal(lock.lockedSync(), true));
    await rlock.acquire();
    rlock.acquireSync();
    rlock.releaseSync();
    await rlock.release();
    await semaphore.acquire();
    await semaphore.release();
    bounded.acquireSync();
    assert.equal(await bounded.tryAcquire(), false);
    await bounded.release();
    const item = await joinable.get();
    await joinable.taskDone();
    await queue.put(`got ${item}`);
    await condition.use(() => condition.notifyAll());
    await event.set();
    return await barrier.wait();
  });
  await condition.acquire();
  child.start();
  assert.equal(await condition.wait(), true);
  await condition.release();
  assert.equal(await event.wait(), true);
  const index = await barrier.wait();
  assert.deepEqual([index, await child.result()].sort(byNumber), [0, 1]);
  assert.deepEqual(await d.toObject(), { child: 1, sync: 2 });
  assert.deepEqual(await l.toArray(), [1, 2, 3]);
  assert.equal(await ns.get("n"), 7);
  assert.deepEqual((await set.toArray()).sort(byNumber), [9, 10]);
  assert.equal(await value.get(), 8);
  assert.deepEqual(await array.toArray(), [10, 20, 3]);
  assert.equal(await queue.get(), "got work");
  assert.equal(await joinable.join(), true);
  assert.equal(await lock.locked(), false);
  assert.equal(await bounded.value(), 1);
});

test("useSync() of a lock refuses a function that goes on without it", async () => {
  const lock = await shared.lock();
  const asynchronous = async (): Promise<void> => {
    await Promise.resolve();
    throw new Error("nobody waits for this");
  };
  assert.throws(() => lock.useSync(asynchronous), { name: "TypeError", message: /fn must be .* no promise/ });
  assert.equal(await lock.locked(), false);
});

test("92. an error raised through a proxy keeps nothing alive, at the caller or in the manager", async () => {
  // Of its own: what other tests have left is collected at any time.
  const m = await Manager.start();
  class Failing {
    fail(argument: object): never {
      throw Object.assign(new RangeError("deliberately"), { argument, owner: this });
    }
  }
  const raised = await (async () => {
    const failing = await m.create(Failing);
    const argument = await m.list([1]);
    const errors = [];
    for (const fail of [() => failing.fail(argument), async () => failing.sync.fail(argument)]) {
      errors.push(
        await fail().then(
          () => assert.fail("no error"),
          (error: unknown) => error as RangeError & { argument: typeof argument },
        ),
      );
    }
    assert.equal(await errors[1]?.argument.at(0), 1);
    assert.equal(await m.numberOfObjects(), 2);
    return errors.map((error) => new WeakRef(error));
  })();
  for (let turn = 0; turn < 50 && (await m.numberOfObjects()) > 0; turn++) await collectGarbage();
  assert.equal(await m.numberOfObjects(), 0);
  assert.deepEqual(
    raised.map((error) => error.deref()),
    [undefined, undefined],
  );
  await m.shutdown();
});

test("93. the manager survives Ctrl-C until its owner is done", async () => {
  const d = await shared.dict({ before: 1 });
  process.kill(shared.pid as number, "SIGINT");
  await d.set("after" as never, 2);
  assert.deepEqual(await d.toObject(), { before: 1, after: 2 });
});

test("T6. increments of several processes are all counted", async () => {
  const d = await shared.dict({ n: 0 });
  const v = await shared.value("int32");
  const children = Array.from({ length: 3 }, () =>
    new Process(async () => {
      for (let i = 0; i < 100; i++) {
        await d.compute("n", (n) => (n ?? 0) + 1);
        v.addSync(1);
      }
    }).start(),
  );
  for (const child of children) await child.result();
  assert.equal(await d.get("n"), 300);
  assert.equal(await v.get(), 300);
});

test("calls of one process are served in the order in which they were made", async () => {
  const l = await shared.list<number>();
  await Promise.all(Array.from({ length: 500 }, (_, i) => l.push(i)));
  assert.deepEqual(await l.toArray(), [...Array(500).keys()]);
});

class Slow {
  readonly log: string[] = [];
  #open: (() => void) | undefined;
  readonly #gate = new Promise<void>((resolve) => (this.#open = resolve));

  async wait(): Promise<void> {
    await this.#gate;
    this.log.push("wait");
  }

  quick(): void {
    this.log.push("quick");
  }

  open(): void {
    this.#open?.();
  }
}

class Overtaken extends Slow {
  static readonly concurrent = ["wait"];
}

test("a slow method holds up later calls of its object, but of no other", async () => {
  const gate = await shared.event();
  class Waiting {
    readonly log: string[] = [];
    readonly _gate: typeof gate;
    constructor(opened: typeof gate) {
      this._gate = opened;
    }
    async wait(): Promise<void> {
      await this._gate.wait();
      this.log.push("wait");
    }
    quick(): void {
      this.log.push("quick");
    }
  }
  const slow = await shared.create(Waiting, gate);
  const first = slow.wait();
  const second = slow.quick();
  const other = await shared.list([1]);
  assert.equal(await other.length(), 1);
  await gate.set();
  await Promise.all([first, second]);
  assert.deepEqual(await slow.log, ["wait", "quick"]);
});

test("a class may let calls overtake slow ones", async () => {
  const slow = await shared.create(Overtaken);
  const waiting = slow.wait();
  await slow.quick();
  await slow.open();
  await waiting;
  assert.deepEqual(await slow.log, ["quick", "wait"]);
});

class Ticker extends EventEmitter {
  tick(n: number): boolean {
    return this.emit("tick", n);
  }
}

test("events call back in the process that listens", async () => {
  const ticker = await shared.create(Ticker);
  const heard = new EventEmitter();
  const listener = (n: number): boolean => heard.emit("tick", n, process.pid);
  await ticker.on("tick", listener);
  const event = once(heard, "tick");
  await ticker.tick(3);
  assert.deepEqual(await event, [3, process.pid]);
  await ticker.off("tick", listener);
  assert.equal(await ticker.tick(4), false);
});

test("functions given to subscribe, onTick and their like are called in the process that gave them, too", async () => {
  class Clock {
    #listeners = new Set<(n: number) => void>();
    subscribe(listener: (n: number) => void): void {
      this.#listeners.add(listener);
    }
    unsubscribe(listener: (n: number) => void): void {
      this.#listeners.delete(listener);
    }
    onTick(listener: (n: number) => void): void {
      this.#listeners.add(listener);
    }
    offTick(listener: (n: number) => void): void {
      this.#listeners.delete(listener);
    }
    /** No listener: it runs in the manager. */
    once_(fn: () => number): number {
      return fn();
    }
    tick(n: number): number {
      for (const listener of this.#listeners) listener(n);
      return this.#listeners.size;
    }
  }
  const clock = await shared.create(Clock);
  const heard = new EventEmitter();
  const subscriber = (n: number): boolean => heard.emit("subscriber", n, process.pid);
  const onTick = (n: number): boolean => heard.emit("onTick", n, process.pid);
  await clock.subscribe(subscriber);
  await clock.onTick(onTick);
  const events = Promise.all([once(heard, "subscriber"), once(heard, "onTick")]);
  assert.equal(await clock.tick(3), 2);
  assert.deepEqual(await events, [
    [3, process.pid],
    [3, process.pid],
  ]);
  assert.notEqual(await clock.once_(() => process.pid), process.pid);
  await clock.offTick(onTick);
  await clock.unsubscribe(subscriber);
  assert.equal(await clock.tick(4), 0);
});

test("the blocking view of a dict looks like an object", async () => {
  const d = await shared.dict<string, unknown>({ a: 1 });
  d.sync["b"] = [2];
  assert.deepEqual(Object.keys(d.sync), ["a", "b"]);
  assert.equal("a" in d.sync, true);
  delete d.sync["a"];
  assert.equal("a" in d.sync, false);
  assert.deepEqual(Object.assign({}, d.sync), { b: [2] });
  assert.deepEqual([...d.sync], [["b", [2]]]);
  const names = [];
  for (const name in d.sync) names.push(name);
  assert.deepEqual(names, ["b"]);
});

test("the blocking view of a list looks like an array", async () => {
  const l = await shared.list([1, 2, 3]);
  assert.equal(l.sync[0], 1);
  assert.equal(l.sync.length, 3);
  l.sync[0] = 10;
  l.sync[3] = 4;
  assert.throws(() => (l.sync[9] = 1), RangeError);
  assert.equal(l.sync.push(5), 5);
  assert.equal(l.sync.pop(), 5);
  assert.deepEqual([...l.sync], [10, 2, 3, 4]);
  assert.deepEqual(l.sync.map((x) => x * 2).slice(0, 2), [20, 4]);
  assert.equal(l.sync.includes(3), true);
  assert.equal(Array.isArray(l.sync), true);
  l.sync.sort((a, b) => a - b);
  l.sync.length = 2;
  assert.deepEqual(await l.toArray(), [2, 3]);
  assert.deepEqual(Object.keys(l.sync), ["0", "1"]);
});

test("the blocking views of a set, an array, a value and an object of a class", async () => {
  const set = await shared.set([1]);
  set.sync.add(2).add(1);
  assert.deepEqual([[...set.sync], set.sync.size, set.sync.has(2), set.sync.delete(1)], [[1, 2], 2, true, true]);
  const array = await shared.array("int8", [1, 2, 3]);
  array.sync[2] = 7;
  assert.deepEqual(
    [[...array.sync], array.sync.length, array.sync.indexOf(7), array.sync[9]],
    [[1, 2, 7], 3, 2, undefined],
  );
  assert.throws(() => (array.sync[0] = 128), RangeError);
  assert.throws(() => (array.sync[3] = 1), RangeError);
  const value = await shared.value("int64", 1n);
  value.sync.value += 2n;
  assert.equal(value.sync.value, 3n);
});

test("what is written into a proxy or a view and is nothing there is refused, not lost", async () => {
  const loose = (value: object): Record<string, unknown> => value as Record<string, unknown>;
  const [d, ns, value, set] = [
    await shared.dict(),
    await shared.namespace(),
    await shared.value("b"),
    await shared.set(),
  ];
  const c = await shared.create(Counter);
  const readOnly = {
    name: "TypeError",
    code: "ERR_READ_ONLY",
    message: /write proxy\.sync\.x = … or call a method of/,
  };
  for (const proxy of [d, ns, value, set, c]) assert.throws(() => (loose(proxy)["x"] = 1), readOnly);
  assert.throws(() => (loose(c)["label"] = "new"), { code: "ERR_READ_ONLY", message: /proxy\.sync\.label/ });
  assert.throws(() => (loose(d)["get"] = 1), TypeError);
  for (const proxy of [value, set, c]) assert.throws(() => (loose(proxy.sync)["x"] = 1), TypeError);
});

test("console.log of a blocking view shows what the manager has", async () => {
  assert.equal(inspect((await shared.dict({ a: [1] })).sync), "{ a: [ 1 ] }");
  assert.equal(inspect((await shared.namespace({ x: 1 })).sync), "{ x: 1 }");
  assert.equal(inspect((await shared.list([1, "b"])).sync), "[ 1, 'b' ]");
  assert.equal(inspect((await shared.array("b", 2)).sync), "[ 0, 0 ]");
  assert.equal(inspect((await shared.set([3])).sync), "Set(1) { 3 }");
});

test("handles of all kinds are kept in a manager's objects, and work there", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const [lock, number, queue] = [new Lock(), new Value("int32", 5), new Queue<string>()];
  const d = await m.dict<string, unknown>({ lock });
  await d.set("number", number);
  assert.deepEqual([(await d.get("lock")) === lock, (await d.get("number")) === number], [true, true]);
  class Sender {
    readonly _queue: Queue<string>;
    constructor(to: Queue<string>) {
      this._queue = to;
    }
    async send(): Promise<void> {
      await this._queue.put("from the manager");
      number.add(1);
    }
  }
  await (await m.create(Sender, queue)).send();
  assert.deepEqual([await queue.get(), number.value], ["from the manager", 6]);
});

test("classes of the language, and functions with a prototype, are made with new; other functions are called", async () => {
  const map = await shared.create(Map, [[1, "one"]]);
  assert.deepEqual([await map.get(1), await map.size, await map.has(2)], ["one", 1, false]);
  const keys = [];
  for await (const key of map.keys()) keys.push(key);
  assert.deepEqual(keys, [1]);
  const emitter = await shared.create(EventEmitter);
  assert.equal(await emitter.listenerCount("tick"), 0);
  const old = function (this: { n: number }, n: number): void {
    this.n = n;
  };
  old.prototype.more = function (this: { n: number }): number {
    return ++this.n;
  };
  const made = await shared.create(old as unknown as new (n: number) => { more(): number }, 4);
  assert.equal(await made.more(), 5);
  const factory = function (n: number): Counter {
    return new Counter(n);
  };
  assert.equal(await (await shared.create(factory, 7)).increment(), 8);
});

test("an atomic operation on a whole list runs in the manager", async () => {
  const l = await shared.list([3, 1, 2]);
  const top = await l.use((items) => {
    items.sort((a, b) => a - b);
    return items.at(-1);
  });
  assert.equal(top, 3);
  assert.deepEqual(await l.toArray(), [1, 2, 3]);
});

test("what does not fit a value or an array is refused", async () => {
  const v = await shared.value("int8", 100);
  await assert.rejects(v.add(100), RangeError);
  assert.equal(await v.get(), 100);
  await assert.rejects(shared.value("nope" as never), RangeError);
  const a = await shared.array("B", 3);
  await assert.rejects(a.set(0, 256), RangeError);
  await assert.rejects(a.set(3, 1), /index must be an integer from -3 to 2, not 3/);
  assert.deepEqual(await a.toArray(), [0, 0, 0]);
});

test("waits take a time-out and a signal", async () => {
  const queue = await shared.queue(1);
  await assert.rejects(queue.get({ timeout: 5 }), QueueEmptyError);
  assert.equal(await queue.tryGet(), undefined);
  const controller = new AbortController();
  const waiting = queue.get({ signal: controller.signal });
  const reason = new Error("no more");
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  await queue.put("still works");
  assert.equal(await queue.get(), "still works");
  await assert.rejects(queue.get({ signal: controller.signal }), (error) => error === reason);
  const lock = await shared.lock();
  await lock.acquire();
  assert.equal(await lock.acquire({ timeout: 5 }), false);
  assert.equal(lock.acquireSync({ timeout: 5 }), false);
  await lock.release();
});

test("a queue is looped over until it is shut down", async () => {
  const queue = await shared.queue<number>();
  for (const n of [1, 2, 3]) await queue.put(n);
  await queue.shutdown();
  const seen = [];
  for await (const n of queue) seen.push(n);
  assert.deepEqual(seen, [1, 2, 3]);
});

test("a condition can use a lock of the manager", async () => {
  const lock = await shared.lock();
  const condition = await shared.condition(lock);
  await lock.acquire();
  const waiting = condition.wait({ timeout: 5 });
  assert.equal(await waiting, false);
  assert.equal(await lock.locked(), true);
  assert.equal(await condition.waitFor(() => true), true);
  await condition.release();
  assert.equal(await lock.locked(), false);
});

test("large arguments and results go through", async () => {
  const d = await shared.dict<string, Uint8Array | string>();
  const big = new Uint8Array(3_000_000).map((_, i) => i);
  await d.set("big", big);
  assert.deepEqual(await d.get("big"), big);
  assert.deepEqual(d.getSync("big"), big);
  const text = "ä".repeat(200_000);
  await Promise.all(Array.from({ length: 20 }, (_, i) => d.set(`text ${i}`, text)));
  assert.equal(await d.get("text 19"), text);
});

test("what cannot travel is refused at the call, and the proxy goes on working", async () => {
  const d = await shared.dict<string, unknown>({});
  await assert.rejects(d.set("weak", new WeakMap()), { name: "SerializationError" });
  assert.throws(() => d.setSync("weak", new WeakMap()), { name: "SerializationError" });
  class Holder {
    give(): unknown {
      return new WeakMap();
    }
  }
  const holder = await shared.create(Holder);
  await assert.rejects(holder.give(), { name: "SerializationError" });
  await d.set("fine", 1);
  assert.equal(await d.get("fine"), 1);
});

test("a manager travels: a child makes objects in it", async () => {
  const l = await inChild(async () => {
    const made = await shared.list(["made in the child"]);
    return made;
  });
  assert.deepEqual(await l.toArray(), ["made in the child"]);
});

test("objects are freed when the last process lets go", async () => {
  const before = await shared.numberOfObjects();
  const inner = await shared.list([1]);
  const outer = await shared.dict<string, unknown>({});
  await outer.set("inner", inner);
  assert.equal(await shared.numberOfObjects(), before + 2);
  inner[Symbol.dispose]();
  // The dict still holds the list.
  assert.equal(await shared.numberOfObjects(), before + 1);
  const again = (await outer.get("inner")) as typeof inner;
  assert.deepEqual(await again.toArray(), [1]);
  await assert.rejects(inner.length(), StateError);
  outer[Symbol.dispose]();
  again[Symbol.dispose]();
  assert.equal(await shared.numberOfObjects(), before);
});

test("objects are freed when their proxies are collected", async () => {
  await collectGarbage();
  const before = await shared.numberOfObjects();
  await (async () => {
    for (let i = 0; i < 20; i++) await shared.dict({ i });
  })();
  for (let turn = 0; turn < 50 && (await shared.numberOfObjects()) > before; turn++) await collectGarbage();
  assert.ok((await shared.numberOfObjects()) <= before);
});

test("a manager is started, not constructed", () => {
  assert.throws(() => new Manager(undefined), /use await Manager.start\(\)/);
});

test("a manager that was kept warm is like a fresh one, and no active child before it is used", async (t) => {
  const first = await Manager.start();
  t.after(() => first.shutdown());
  // One is started a little after the second manager of a program.
  const before = activeChildren().length;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(activeChildren().length, before);
  const initializer = (): void => void ((globalThis as { warmed?: boolean }).warmed = true);
  const m = await CounterManager.start({ initializer });
  t.after(() => m.shutdown());
  assert.equal(activeChildren().length, before + 1);
  assert.equal(await (await m.create("Counter", 4)).increment(), 5);
  process.env["MULTIPROC_TEST_CHANGED"] = "yes";
  const changed = await Manager.start();
  t.after(() => changed.shutdown());
  class Environment {
    readonly changed = process.env["MULTIPROC_TEST_CHANGED"];
  }
  assert.equal(await (await changed.create(Environment)).changed, "yes");
});

test("91. a pool in a manager works for its owner and for a child", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const pool = await m.pool(2);
  const factor = 3;
  assert.deepEqual(await pool.map((n: number) => n * factor, [1, 2, 3]), [3, 6, 9]);
  const child = new Process(() => pool.apply((a: number, b: number) => a + b, [1, 2])).start();
  assert.equal(await child.result(), 3);
  const seen = [];
  for await (const n of pool.imap((n: number) => n + 1, [1, 2])) seen.push(n);
  assert.deepEqual(seen, [2, 3]);
  const failing = pool.submit(() => {
    throw new RangeError("in a worker");
  });
  await assert.rejects(failing, { name: "RangeError", message: "in a worker" });
  await pool.close();
  await pool.join();
});
