import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Manager } from "../../src/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";

const shared = await Manager.start();
after(() => shared.shutdown());

class Named {
  toString(): string {
    return "text";
  }
  valueOf(): number {
    return 42;
  }
  hasOwnProperty(name: string): string {
    return `own ${name}`;
  }
  toJSON(): string {
    return "json";
  }
  inspect(): string {
    return "inspected";
  }
  catch(): string {
    return "caught";
  }
  finally(): string {
    return "at last";
  }
  tagName = "tag";
}

test("methods may have the names that all objects have, and those that others look for", async () => {
  const named = await shared.create(Named);
  assert.equal(await named.toString(), "text");
  assert.equal(await named.valueOf(), 42);
  assert.equal(await named.hasOwnProperty("x"), "own x");
  assert.equal(await named.toJSON(), "json");
  assert.equal(await named.inspect(), "inspected");
  assert.equal(await named.catch(), "caught");
  assert.equal(await named.finally(), "at last");
  assert.equal(await named.tagName, "tag");
  assert.equal(named.toStringSync(), "text");
  assert.equal(named.sync.toString(), "text");
  // oxlint-disable-next-line typescript/restrict-template-expressions, typescript/no-base-to-string -- that is what is tested
  assert.equal(`${named}`, "[object Named]");
});

class Thenable {
  n = 1;
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
  then(): string {
    return "then";
  }
}

test("a class of the user's may have the name of a built-in kind, and has proxies like any other", async () => {
  class Jobs {
    count = 5;
    get(): string {
      return "a job";
    }
    names(): IterableIterator<string> {
      return ["a", "b"].values();
    }
  }
  class JobManager extends Manager {
    static override readonly types = { dict: Jobs, queue: Jobs, iterator: Jobs };
  }
  const m = await JobManager.start();
  for (const name of ["dict", "queue", "iterator"] as const) {
    const jobs = await m.create<Jobs>(name);
    assert.equal(await jobs.get(), "a job");
    assert.equal((jobs.sync as unknown as Jobs).count, 5);
    assert.equal(Symbol.asyncIterator in jobs, false);
    const names: string[] = [];
    for await (const each of jobs.names()) names.push(each);
    assert.deepEqual(names, ["a", "b"]);
  }
  await m.shutdown();
});

test("a method `then` does not make the proxy a promise", async () => {
  const thenable = await shared.create(Thenable);
  assert.equal(await thenable.n, 1);
  assert.equal("then" in thenable, false);
  assert.equal(thenable.thenSync(), "then");
});

class Numbers {
  *upTo(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  *fail(): Generator<number> {
    yield 1;
    throw new RangeError("deliberately");
  }
  async *failLater(): AsyncGenerator<number> {
    yield 1;
    throw new RangeError("deliberately");
  }
}

test("a generator that has ended answers as one of this process does", async () => {
  const numbers = await shared.create(Numbers);
  const iterator = numbers.upTo(5);
  assert.deepEqual(await iterator.next(), { value: 0, done: false });
  assert.deepEqual(await iterator.return?.(7), { value: 7, done: true });
  assert.deepEqual(await iterator.next(), { value: undefined, done: true });
  assert.deepEqual(await iterator.return?.(8), { value: 8, done: true });
  await assert.rejects(async () => iterator.throw?.(new RangeError("mine")), /mine/);
  const blocking = numbers.sync.upTo(1);
  assert.deepEqual([...blocking, ...blocking], [0]);
});

test("a generator that has thrown is freed", async () => {
  const numbers = await shared.create(Numbers);
  const before = await shared.numberOfObjects();
  for (const start of [() => numbers.fail(), () => numbers.failLater()]) {
    const iterator = start();
    await iterator.next();
    await assert.rejects(iterator.next(), /deliberately/);
    assert.deepEqual(await iterator.next(), { value: undefined, done: true });
  }
  const blocking = numbers.sync.fail();
  blocking.next();
  assert.throws(() => blocking.next(), /deliberately/);
  assert.equal(await shared.numberOfObjects(), before);
});

test("a promise method rejects, and never throws, whatever it is called with", async () => {
  const list = await shared.list();
  list[Symbol.dispose]();
  const late = list.push(1);
  await assert.rejects(late, { name: "StateError", message: /was disposed of/ });
});

interface Reported {
  readonly name: string;
  readonly message: string;
  readonly detail: string;
}

class Careless extends EventEmitter {
  readonly #reported: Reported[] = [];
  #told = (): void => {};

  constructor() {
    super();
    process.on("warning", (warning) => {
      const { name, message, detail } = warning as Error & { detail: string };
      this.#reported.push({ name, message, detail });
      this.#told();
    });
  }
  leavePromise(): number {
    void Promise.reject(new RangeError("of a promise"));
    return 1;
  }
  leaveTimer(): number {
    setTimeout(() => {
      throw new RangeError("of a timer");
    }, 0);
    return 2;
  }
  leaveNoError(): number {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- that is what is tested
    void Promise.reject("just text");
    return 3;
  }
  async reported(): Promise<Reported> {
    while (this.#reported.length === 0) await new Promise<void>((resolve) => (this.#told = resolve));
    return this.#reported.shift() as Reported;
  }
}

test("an error that an object leaves uncaught is reported as a warning, and the manager goes on", async () => {
  const m = await Manager.start({ name: "Robust" });
  const careless = await m.create(Careless);
  const other = await m.dict({ a: 1 });
  assert.equal(await careless.leavePromise(), 1);
  const { name, message, detail } = await careless.reported();
  assert.equal(name, "ManagerWarning");
  assert.match(message, /An object of the manager "Robust" left an error uncaught/);
  assert.match(detail, /RangeError: of a promise\n +at Careless\.leavePromise/);
  assert.equal(await careless.leaveTimer(), 2);
  assert.match((await careless.reported()).detail, /RangeError: of a timer/);
  assert.equal(await careless.leaveNoError(), 3);
  assert.match((await careless.reported()).detail, /just text/);
  assert.equal(await other.get("a"), 1);
  await m.shutdown();
});

test("a program that listens to uncaught errors in the manager gets them, and no warning comes", async () => {
  const m = await Manager.start({
    initializer: () => void process.on("unhandledRejection", (error) => Object.assign(globalThis, { caught: error })),
  });
  const careless = await m.create(Careless);
  await careless.leavePromise();
  await careless.leaveTimer();
  assert.match((await careless.reported()).detail, /of a timer/);
  const caught = await m.create(() => ({ message: () => (globalThis as unknown as { caught: Error }).caught.message }));
  assert.equal(await caught.message(), "of a promise");
  await m.shutdown();
});

class Source extends EventEmitter {
  collect(): void {
    setFlagsFromString("--expose-gc");
    (runInNewContext("gc") as () => void)();
  }
}

test("a listener that the manager has removed is forgotten in its own process, too", async () => {
  const source = await shared.create(Source);
  const heard = new EventEmitter();
  const add = async (): Promise<WeakRef<() => void>> => {
    const listener = (): void => void heard.emit("tick");
    await source.on("tick", listener);
    await source.off("tick", listener);
    await source.on("tick", listener);
    const ticked = once(heard, "tick");
    assert.equal(await source.emit("tick"), true);
    await ticked;
    await source.off("tick", listener);
    return new WeakRef(listener);
  };
  const listener = await add();
  const kept = (): void => void heard.emit("kept");
  await source.on("tick", kept);
  for (let turn = 0; turn < 50 && listener.deref() !== undefined; turn++) {
    await source.collect();
    await collectGarbage();
  }
  assert.equal(listener.deref(), undefined);
  const ticked = once(heard, "kept");
  await source.emit("tick");
  await ticked;
});
