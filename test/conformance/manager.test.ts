/** The contract of managers. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  AuthenticationError,
  type DictProxy,
  getContext,
  type ListProxy,
  Manager,
  ManagerDiedError,
  Process,
  type ValueProxy,
} from "multiproc";
import { authority, serverCertificate, serverKey } from "../fixtures/certificates.ts";
import { METHODS } from "./each-method.ts";

class Counter {
  #n: number;
  step = 1;
  constructor(start = 0) {
    this.#n = start;
  }
  increment(by = this.step): number {
    return (this.#n += by);
  }
  async later(): Promise<number> {
    return this.#n;
  }
  *upTo(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  fail(): never {
    throw new RangeError("too far");
  }
}

class MyManager extends Manager {
  static override readonly types = { Counter };
}

let m: Awaited<ReturnType<typeof MyManager.start<typeof MyManager>>>;
before(async () => void (m = await MyManager.start()));
after(() => m.shutdown());

for (const method of METHODS) {
  test(`what processes do to a manager's objects all of them see (${method})`, async () => {
    const { Manager: M, Process: P } = getContext(method);
    await using manager = await M.start();
    const [seen, order] = [await manager.dict<string, number>(), await manager.list<number>()];
    const child = new P(async () => {
      await seen.set("child", 1);
      await order.push(1, 2);
    }).start();
    assert.equal(await child.join(), 0);
    assert.deepEqual([await seen.toObject(), await order.toArray()], [{ child: 1 }, [1, 2]]);
  });
}

test("dict", async () => {
  const d = await m.dict<string, number>({ a: 1 });
  await d.set("b", 2);
  assert.deepEqual([await d.get("b"), await d.get("x"), await d.has("a"), await d.size()], [2, undefined, true, 2]);
  assert.deepEqual(
    [await d.keys(), await d.values(), await d.entries()],
    [
      ["a", "b"],
      [1, 2],
      [
        ["a", 1],
        ["b", 2],
      ],
    ],
  );
  await d.update({ c: 3 });
  assert.equal(await d.pop("c"), 3);
  assert.equal(await d.delete("b"), true);
  assert.equal(await d.compute("a", (n) => (n ?? 0) + 1), 2);
  assert.deepEqual(d.getSync("a"), 2);
  await assert.rejects(d.getOrThrow("nowhere"), /nowhere/);
  assert.equal(await d.setDefault("z", 26), 26);
  assert.deepEqual(
    await d.toMap(),
    new Map([
      ["a", 2],
      ["z", 26],
    ]),
  );
  assert.deepEqual(await d.popItem(), ["z", 26]);
});

test("list", async () => {
  const l = await m.list([3, 1]);
  assert.equal(await l.push(2), 3);
  await l.sort();
  assert.deepEqual([await l.toArray(), await l.at(-1), await l.length(), await l.slice(1)], [[1, 2, 3], 3, 3, [2, 3]]);
  await l.set(0, 9);
  assert.equal(await l.pop(), 3);
  assert.deepEqual(await l.toArray(), [9, 2]);
  await l.extend([4, 5]);
  assert.equal(await l.shift(), 9);
  assert.equal(await l.unshift(7, 8), 5);
  await l.insert(1, 6);
  assert.equal(await l.remove(8), true);
  assert.deepEqual(await l.splice(0, 1), [7]);
  await l.reverse();
  assert.deepEqual(await l.concat([1]), [5, 4, 2, 6, 1]);
});

test("namespace, value, array, set", async () => {
  const names = await m.namespace({ x: 1 });
  await names.set("x", 5);
  assert.equal(await names.get("x"), 5);
  names.setSync("x", 6);
  assert.deepEqual([names.hasSync("x"), names.keysSync(), names.toObjectSync()], [true, ["x"], { x: 6 }]);
  assert.equal(
    names.updateSync("x", (n) => n + 1),
    7,
  );
  assert.equal(names.deleteSync("x"), true);
  const value = await m.value("int32", 1);
  assert.equal(await value.add(2), 1);
  assert.equal(await value.get(), 3);
  const array = await m.array("float64", [1, 2]);
  await array.setAll(0, [3, 4]);
  await array.setAll(0, [1]);
  await array.set(1, 2.5);
  assert.deepEqual(await array.toArray(), [1, 2.5]);
  const set = await m.set([1]);
  await set.addAll([1, 2]);
  assert.deepEqual([...(await set.toSet())], [1, 2]);
});

test("locks, semaphores, conditions, events, barriers, queues, pools", async () => {
  const lock = await m.lock();
  assert.equal(await lock.use(async () => lock.acquire({ timeout: 1 })), false);
  const rlock = await m.rlock();
  assert.equal((await rlock.acquire()) && (await rlock.acquire()), true);
  const [semaphore, bounded] = [await m.semaphore(1), await m.boundedSemaphore(1)];
  assert.equal(await semaphore.acquire(), true);
  await assert.rejects(async () => bounded.release(), RangeError);
  const condition = await m.condition();
  await condition.use(() => condition.notifyAll());
  const event = await m.event();
  await event.set();
  assert.equal(await event.wait(), true);
  const barrier = await m.barrier(2);
  assert.deepEqual(
    (await Promise.all([barrier.wait(), barrier.wait()])).sort((a, b) => a - b),
    [0, 1],
  );
  const queue = await m.queue<number>(1);
  await queue.put(1);
  assert.equal(await queue.tryPut(2), false);
  assert.equal(await queue.get(), 1);
  const joinable = await m.joinableQueue<number>();
  await joinable.put(1);
  await joinable.get();
  await joinable.taskDone();
  assert.equal(await joinable.join(), true);
  const pool = await m.pool(1);
  assert.deepEqual(await pool.map((n: number) => n + 1, [1]), [2]);
  await pool.terminate();
});

test("objects of any class: methods are promises, generators stream, errors keep their class", async () => {
  const c = await m.create(Counter, 5);
  assert.equal(await c.increment(), 6);
  assert.equal(await c.later(), 6);
  assert.equal(await c.step, 1);
  const got: number[] = [];
  for await (const n of c.upTo(3)) got.push(n);
  assert.deepEqual(got, [0, 1, 2]);
  await assert.rejects(c.fail(), (error: unknown) => error instanceof RangeError && error.message === "too far");
  assert.equal(await (await m.create("Counter", 1)).increment(), 2);
});

test("an unknown method or kind is an error that names it", async () => {
  const c = (await m.create(Counter)) as unknown as { decrement?(): Promise<number> };
  await assert.rejects(async () => c.decrement!(), /decrement/);
  await assert.rejects(m.create("Nobody" as never), /Nobody/);
});

test("sync is a blocking view that looks like the object", async () => {
  const d = await m.dict<string, number>({ a: 1 });
  d.sync["b"] = 2;
  delete d.sync["a"];
  assert.deepEqual(Object.keys(d.sync), ["b"]);
  const l = await m.list([1, 2]);
  l.sync.push(3);
  assert.deepEqual([l.sync[0], l.sync.length, [...l.sync]], [1, 3, [1, 2, 3]]);
});

test("proxies nest, and are live", async () => {
  const inner = await m.list([1]);
  const outer = await m.dict<string, ListProxy<number>>();
  await outer.set("l", inner);
  await (await outer.get("l"))?.push(2);
  assert.deepEqual(await inner.toArray(), [1, 2]);
});

test("no increment is lost by compute() from many processes", async () => {
  const d = await m.dict<string, number>();
  const work = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) await d.compute("n", (n) => (n ?? 0) + 1);
  };
  const children = [1, 2].map(() => new Process(work).start());
  for (const child of children) assert.equal(await child.join(), 0);
  assert.equal(await d.get("n"), 100);
});

test("an object is freed when it is let go everywhere", async () => {
  // A manager of its own: what other tests have dropped is freed whenever it is collected.
  await using own = await Manager.start();
  const before = await own.numberOfObjects();
  const d = await own.dict();
  assert.equal(await own.numberOfObjects(), before + 1);
  d[Symbol.dispose]();
  assert.equal(await own.numberOfObjects(), before);
});

test("when the manager dies, calls reject with ManagerDiedError, blocking ones too; so they do after shutdown", async () => {
  const dying = await Manager.start();
  const d: DictProxy<string, number> = await dying.dict();
  process.kill(dying.pid as number, "SIGKILL");
  await assert.rejects(d.get("a"), (error: unknown) => error instanceof ManagerDiedError && error.signal === "SIGKILL");
  assert.throws(() => d.getSync("a"), ManagerDiedError);
  await dying.shutdown();
  const ended = await Manager.start();
  await ended.shutdown();
  await assert.rejects(async () => ended.dict(), ManagerDiedError);
});

test("strangers who know the key reach what is shared, and no code is taken from them", async () => {
  const address = await m.listen({ host: "127.0.0.1", port: 0 }, { authkey: "secret" });
  await m.share("results", await m.list([1]));
  await assert.rejects(Manager.connect(address, { authkey: "guess" }), AuthenticationError);
  const far = await Manager.connect(address, { authkey: "secret" });
  const results = await far.get<ListProxy<number>>("results");
  await results.push(2);
  assert.deepEqual(await results.toArray(), [1, 2]);
  await assert.rejects(async () => results.push((() => 1) as never));
  assert.equal(await m.unshare("results"), true);
  await assert.rejects(far.get("results"), /results/);
  await far.shutdown();
});

test("strangers have limits: which types, how long messages, how many connections, objects and calls that wait", async () => {
  await using limited = await MyManager.start();
  const address = await limited.listen(
    { host: "127.0.0.1", port: 0 },
    {
      authkey: "secret",
      expose: ["list"],
      maxMessage: 10_000,
      maxConnections: 1,
      maxObjects: 2,
      maxCalls: 1,
    },
  );
  const far = await Manager.connect(address, { authkey: "secret", maxMessage: 10_000, timeout: 10_000 });
  await assert.rejects(far.dict());
  const list = await far.list([1]);
  await assert.rejects(Manager.connect(address, { authkey: "secret" }));
  await assert.rejects(list.push("x".repeat(20_000) as never));
  const lock = await limited.lock();
  await limited.share("lock", lock);
  await lock.acquire();
  const farLock = await far.get<typeof lock>("lock");
  await assert.rejects(far.list([2]), /2/);
  const waiting = farLock.acquire();
  await assert.rejects(farLock.acquire(), /at most 1 \(maxCalls\)/);
  await lock.release();
  assert.equal(await waiting, true);
  await far.shutdown();
});

test("over TLS, with node's own options", async () => {
  await using secure = await Manager.start();
  const address = await secure.listen(
    { host: "127.0.0.1", port: 0 },
    { authkey: "s", tls: { key: serverKey, cert: serverCertificate } },
  );
  await secure.share("n", await secure.value("int32", 7));
  const far = await Manager.connect(address, { authkey: "s", tls: { ca: authority } });
  assert.equal(await (await far.get<ValueProxy<"int32">>("n")).get(), 7);
  await far.shutdown();
});
