import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  AuthenticationError,
  type EventProxy,
  Lock,
  type ListProxy,
  type LockProxy,
  Manager,
  ManagerDiedError,
  Process,
  type QueueProxy,
} from "../../src/index.ts";
import { encodeTo } from "../../src/codec/index.ts";
import { HeapSink } from "../../src/core/bytes.ts";
import { MessageSocket } from "../../src/manager/message-socket.ts";
import { CONTROL_ID, Op, writeRequest } from "../../src/manager/protocol.ts";
import { refOf } from "../../src/manager/remote-proxy.ts";

class Counter {
  n = 0;
  increment(by = 1): number {
    this.n += by;
    return this.n;
  }
  *upTo(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
}

class Secret {
  tell(): string {
    return "secret";
  }
}

class CounterManager extends Manager {
  static override readonly types = { Counter, Secret };
}

const authkey = "a key for this test";
const here = await CounterManager.start();
after(() => here.shutdown());
const address = await here.listen({ host: "127.0.0.1", port: 0 }, { authkey, expose: ["Counter", "dict"] });

async function connected(): Promise<CounterManager> {
  return (await CounterManager.connect(address, { authkey })) as CounterManager;
}

test("89. a program that is no family connects and puts into a shared queue", async () => {
  const queue = await here.queue<string>();
  await here.share("jobs", queue);
  const port = address.port;
  // A process with nothing of ours but the address and the key.
  const child = new Process(async () => {
    const far = await Manager.connect({ host: "127.0.0.1", port }, { authkey: "a key for this test" });
    const jobs = await far.get<QueueProxy<string>>("jobs");
    await jobs.put("from afar");
    await far.shutdown();
  }).start();
  assert.equal(await queue.get(), "from afar");
  await child.result();
});

test("89. listening over a Unix socket, and again on the same path after the manager has ended", async () => {
  const path = join(tmpdir(), `multiproc-manager-${process.pid}`);
  for (let round = 0; round < 2; round++) {
    const m = await Manager.start();
    assert.equal(await m.listen(path, { authkey }), path);
    const l = await m.list([round]);
    await m.share("list", l);
    const far = await Manager.connect(path, { authkey });
    assert.deepEqual(await (await far.get<ListProxy<number>>("list")).toArray(), [round]);
    await far.shutdown();
    await m.shutdown();
  }
});

test("the socket of a manager that was killed is taken over; one that is in use, and any other file, is not", async (t) => {
  const path = join(tmpdir(), `multiproc-killed-${process.pid}`);
  t.after(() => rmSync(path, { force: true }));
  const killed = await Manager.start();
  await killed.listen(path, { authkey });
  const queue = await killed.queue();
  process.kill(killed.pid as number, "SIGKILL");
  await assert.rejects(queue.get(), ManagerDiedError);
  await killed.shutdown();
  const m = await Manager.start();
  t.after(() => m.shutdown());
  assert.equal(await m.listen(path, { authkey }), path);
  await assert.rejects(m.listen(path, { authkey }), { code: "EADDRINUSE" });
  const far = await Manager.connect(path, { authkey });
  assert.equal(await (await far.list([1])).at(0), 1);
  await far.shutdown();
  const file = `${path}-file`;
  writeFileSync(file, "precious");
  t.after(() => rmSync(file));
  await assert.rejects(m.listen(file, { authkey }), { code: "EADDRINUSE" });
  assert.equal(readFileSync(file, "utf8"), "precious");
});

test("a stranger is killed: its lock is passed on, its objects are freed, an item on its way to it goes back", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const { port } = await m.listen({ port: 0 }, { authkey });
  const [lock, queue, ready] = [await m.lock(), await m.queue<number>(), await m.event()];
  await Promise.all([m.share("lock", lock), m.share("queue", queue), m.share("ready", ready)]);
  const before = await m.numberOfObjects();
  const key = authkey;
  const doomed = new Process({
    target: async () => {
      const far = await Manager.connect({ port }, { authkey: key });
      await (await far.get<LockProxy>("lock")).acquire();
      const jobs = await far.get<QueueProxy<number>>("queue");
      const kept = [await far.dict(), await far.list([jobs])];
      const waiting = jobs.get();
      await (await far.get<EventProxy>("ready")).set();
      await waiting;
      return kept;
    },
    stdio: "ignore",
  }).start();
  await ready.wait();
  const acquired = lock.acquire();
  doomed.kill();
  await doomed.join();
  assert.equal(await acquired, true);
  assert.equal(await lock.ownerDied(), true);
  await queue.put(7);
  assert.equal(await queue.get({ timeout: 10_000 }), 7);
  assert.equal(await m.numberOfObjects(), before);
});

test("a wrong key is refused on both sides, and so is rubbish", async () => {
  await assert.rejects(Manager.connect(address, { authkey: "another key" }), AuthenticationError);
  const socket = connect(address.port, address.host);
  socket.on("error", () => {});
  socket.resume();
  socket.write("GET / HTTP/1.1\r\n\r\n".repeat(100));
  await once(socket, "close");
  await assert.rejects(Manager.connect(address, { authkey: "" }), { name: "TypeError", message: /options.authkey/ });
  await assert.rejects(here.listen(address, {} as never), { name: "TypeError", message: /options.authkey/ });
});

test("a stranger makes objects of the exposed types only", async () => {
  const far = await connected();
  const c = (await far.create("Counter")) as unknown as import("../../src/index.ts").Remote<Counter>;
  assert.equal(await c.increment(2), 2);
  assert.equal(await c.n, 2);
  const seen = [];
  for await (const n of c.upTo(3)) seen.push(n);
  assert.deepEqual(seen, [0, 1, 2]);
  const d = await far.dict({ a: 1 });
  await d.set("counter" as never, c as never);
  assert.equal(await d.get("counter" as never), c);
  await assert.rejects(far.create("Secret"), { name: "TypeError", message: /does not expose the type "Secret"/ });
  await assert.rejects(far.list(), /does not expose the type "list"/);
  await assert.rejects(far.numberOfObjects(), /has no method "numberOfObjects"/);
  await far.shutdown();
});

test("no code is accepted from a stranger, and no handle that is not the manager's", async () => {
  const far = await connected();
  const d = await far.dict({ a: 1 });
  await assert.rejects(
    d.compute("a", (n) => (n ?? 0) + 1),
    { name: "SerializationError" },
  );
  await assert.rejects(far.create(Secret), { name: "SerializationError" });
  const other = await here.list();
  await assert.rejects(d.set("a", other as never), { name: "SerializationError" });
  await assert.rejects(d.set("a", new Map([[1, new Lock()]]) as never), { name: "SerializationError" });
  const blocking = { name: "StateError", message: /Cannot wait for "get" in a blocking call: .* use the promise/ };
  assert.throws(() => d.getSync("a"), blocking);
  assert.throws(() => d.sync.a, blocking);
  assert.throws(() => (d.sync.a = 2), { name: "StateError", message: /use the promise/ });
  assert.throws(() => [...d.sync], { name: "StateError", message: /use the promise/ });
  assert.equal(await d.get("a"), 1);
  await far.shutdown();
});

test("limits: length of messages, objects of a connection, connections", async () => {
  const m = await Manager.start();
  const small = { authkey, maxMessage: 1000, maxObjects: 3, maxConnections: 1 };
  const place = await m.listen({ host: "127.0.0.1", port: 0 }, small);
  const far = await Manager.connect(place, { authkey });
  for (let i = 0; i < 3; i++) await far.dict();
  await assert.rejects(far.dict(), /holds 3 already/);
  await assert.rejects(Manager.connect(place, { authkey }), {
    name: "StateError",
    message: "Cannot connect: the manager has as many connections as it allows (maxConnections)",
  });
  const d = await m.dict();
  await m.share("d", d);
  // The call alone fails: what else goes over the connection goes on.
  await assert.rejects(far.dict({ long: "x".repeat(2000) }), {
    name: "RangeError",
    message: /^args must be at most 1000 bytes long \(the manager's maxMessage\), not 20\d\d$/,
  });
  await assert.rejects(far.get("d"), /holds 3 already/);
  await far.shutdown();
  await m.shutdown();
});

class Gate {
  readonly #opened: EventProxy;
  constructor(opened: EventProxy) {
    this.#opened = opened;
  }
  pass(): Promise<boolean> {
    return this.#opened.wait();
  }
}

test("limits: calls that wait; others go on, so that what is waited for can come", async () => {
  const m = await Manager.start();
  const place = await m.listen({ host: "127.0.0.1", port: 0 }, { authkey, maxCalls: 2 });
  const far = await Manager.connect(place, { authkey });
  const opened = await m.event();
  const gate = await m.create(Gate, opened);
  await m.share("gate", gate);
  const farGate = await far.get<typeof gate>("gate");
  const refused = { name: "StateError", message: /as many calls wait already as may, at most 2 \(maxCalls\)/ };

  const lock = await far.lock();
  await lock.acquire();
  const waiting = [lock.acquire(), lock.acquire()];
  await assert.rejects(lock.acquire(), refused);
  assert.equal(await lock.tryAcquire(), false);
  // Whether a method of the user's waits is known too late.
  await assert.rejects(farGate.pass(), refused);
  for (const acquired of waiting) {
    await lock.release();
    assert.equal(await acquired, true);
  }

  // The second one waits for its turn.
  const passing = [farGate.pass(), farGate.pass()];
  await assert.rejects(farGate.pass(), refused);
  await opened.set();
  assert.deepEqual(await Promise.all(passing), [true, true]);
  await far.shutdown();
  await m.shutdown();
});

test("limits: the length of the calls that wait", async () => {
  const m = await Manager.start();
  const place = await m.listen({ port: 0 }, { authkey, maxMessage: 1000 });
  const far = await Manager.connect(place, { authkey });
  const queue = await far.queue<string>(1);
  const item = "x".repeat(900);
  await queue.put(item);
  const puts = [1, 2, 3, 4].map(() => queue.put(item));
  await assert.rejects(queue.put(item), { name: "StateError", message: /together at most 4000 bytes long/ });
  for (let i = 0; i < 5; i++) assert.equal(await queue.get(), item);
  await Promise.all(puts);
  await queue.put(item);
  await far.shutdown();
  await m.shutdown();
});

test("a stranger that numbers two calls alike, or none, loses its connection", async () => {
  const lock = await here.lock();
  await here.share("held", lock);
  await lock.acquire();
  const { id } = refOf(lock);
  for (const numbers of [[7, 7], [0]]) {
    const socket = connect(address.port, address.host);
    await once(socket, "connect");
    const messages = new MessageSocket(socket, false);
    const limit = await messages.answer(Buffer.from(authkey));
    const closed = new Promise<void>((resolve) =>
      messages.listen(
        limit,
        () => {},
        () => resolve(),
      ),
    );
    messages.send(request(1, CONTROL_ID, "get", ["held"]));
    for (const number of numbers) messages.send(request(number, id, "acquire", []));
    await closed;
  }
  await here.unshare("held");
});

function request(call: number, object: number, name: string, args: readonly unknown[]): Uint8Array {
  const sink = new HeapSink();
  writeRequest(sink, call, object, Op.call, 0, name);
  encodeTo(sink, args, { functions: false, root: "args" });
  return sink.take();
}

test("a stranger that sends more than it was told is allowed loses its connection, and nobody else does", async () => {
  const m = await Manager.start();
  const place = await m.listen({ host: "127.0.0.1", port: 0 }, { authkey, maxMessage: 1000 });
  const far = await Manager.connect(place, { authkey });
  const socket = connect(place.port, place.host);
  await once(socket, "connect");
  const messages = new MessageSocket(socket, false);
  assert.equal(await messages.answer(Buffer.from(authkey)), 1000);
  const closed = new Promise<void>((resolve) =>
    messages.listen(
      1000,
      () => {},
      () => resolve(),
    ),
  );
  messages.send(new Uint8Array(1001));
  await closed;
  assert.equal(await (await far.value("int32", 7)).get(), 7);
  await far.shutdown();
  await m.shutdown();
});

test("a message nearly as long as the limit goes through, in both directions", async () => {
  const far = await connected();
  const d = await far.dict<string, Uint8Array>();
  await d.set("long", new Uint8Array(48 * 2 ** 20).fill(7));
  const long = await d.get("long");
  assert.equal(long?.length, 48 * 2 ** 20);
  assert.equal(long?.at(-1), 7);
  await far.shutdown();
});

test("a reply that is longer than who connected takes ends the connection, and says why", async () => {
  const m = await Manager.start();
  const place = await m.listen({ host: "127.0.0.1", port: 0 }, { authkey });
  const far = await Manager.connect(place, { authkey, maxMessage: 1000 });
  const d = await far.dict({ long: "x".repeat(2000) });
  await assert.rejects(d.get("long"), {
    name: "ManagerDiedError",
    message: /the connection ended: a message of 20\d\d bytes came, and 1000 are allowed$/,
  });
  await m.shutdown();
});

test("what a stranger held is freed when its connection ends", async () => {
  const before = await here.numberOfObjects();
  const far = await connected();
  const kept = [await far.dict(), await far.dict()];
  assert.equal(await here.numberOfObjects(), before + 2);
  kept[0]?.[Symbol.dispose]();
  await far.dict();
  assert.equal(await here.numberOfObjects(), before + 2);
  await far.shutdown();
  while ((await here.numberOfObjects()) > before) await new Promise((resolve) => setImmediate(resolve));
});

test("when the far manager ends, calls reject", async () => {
  const m = await Manager.start();
  const place = await m.listen({ host: "127.0.0.1", port: 0 }, { authkey });
  const queue = await m.queue();
  await m.share("queue", queue);
  const far = await Manager.connect(place, { authkey });
  const waiting = (await far.get<QueueProxy>("queue")).get();
  const refused = assert.rejects(waiting, ManagerDiedError);
  process.kill(m.pid as number, "SIGKILL");
  await refused;
  await assert.rejects(far.get("queue"), ManagerDiedError);
  await m.shutdown();
});
