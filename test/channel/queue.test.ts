import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  JoinableQueue,
  Process,
  Queue,
  QueueEmptyError,
  QueueFullError,
  QueueShutdownError,
  SerializationError,
  SharedArray,
  SimpleQueue,
  StateError,
  wait,
  waitSync,
} from "../../src/index.ts";

test("a Queue(6) takes 6 puts by every spelling, and is full (27)", async () => {
  const queue = new Queue<number>(6);
  assert.deepEqual([queue.empty, queue.full, queue.size, queue.maxSize], [true, false, 0, 6]);
  await queue.put(1);
  queue.putSync(2);
  assert.equal(queue.tryPut(3), true);
  await queue.put(4, { timeout: 0 });
  queue.putSync(5, { timeout: 100 });
  await queue.put(6, { signal: new AbortController().signal });
  assert.deepEqual([queue.empty, queue.full, queue.size], [false, true, 6]);
  assert.equal(queue.tryPut(7), false);
  await assert.rejects(queue.put(7, { timeout: 0 }), { name: "QueueFullError", message: /put\(\).*full with 6 items/ });
  await assert.rejects(queue.put(7, { timeout: -1 }), QueueFullError);
  assert.throws(() => queue.putSync(7, { timeout: 0 }), { code: "ERR_QUEUE_FULL", message: /putSync/ });
  const before = performance.now();
  await assert.rejects(queue.put(7, { timeout: 20 }), QueueFullError);
  assert.throws(() => queue.putSync(7, { timeout: 20 }), QueueFullError);
  assert.ok(performance.now() - before >= 39);
  assert.equal(queue.size, 6);
});

test("a child drains it, and it is empty again (28)", async () => {
  const queue = new Queue<number>(6);
  for (let i = 0; i < 6; i++) queue.putSync(i);
  const child = new Process(() => Array.from({ length: 6 }, () => queue.getSync())).start();
  assert.deepEqual(await child.result(), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual([queue.empty, queue.full, queue.size], [true, false, 0]);
});

test("get from an empty queue: at once, after the time, and undefined (29)", async () => {
  const queue = new Queue();
  assert.equal(queue.tryGet(), undefined);
  for (const timeout of [0, -5]) {
    await assert.rejects(queue.get({ timeout }), { name: "QueueEmptyError", message: /get\(\).*empty/ });
    assert.throws(() => queue.getSync({ timeout }), QueueEmptyError);
  }
  const before = performance.now();
  await assert.rejects(queue.get({ timeout: 20 }), QueueEmptyError);
  assert.throws(() => queue.getSync({ timeout: 20 }), { message: /getSync\(\).*was for 20 ms/ });
  assert.ok(performance.now() - before >= 39);
});

test("the order of each producer is kept across processes (29)", async () => {
  const queue = new Queue<[number, number]>(100);
  const produce = (me: number): void => {
    for (let i = 0; i < 2000; i++) queue.putSync([me, i]);
  };
  const producers = [0, 1, 2].map((me) => new Process(produce, me).start());
  const next = [0, 0, 0];
  for (let i = 0; i < 6000; i++) {
    const [who, n] = await queue.get();
    assert.equal(n, next[who]);
    next[who] = n + 1;
  }
  for (const producer of producers) assert.equal(await producer.join(), 0);
});

test("puts of one process that wait keep their order, too", async () => {
  const queue = new Queue<number>(1);
  const puts = [1, 2, 3, 4].map((n) => queue.put(n));
  const timed = assert.rejects(queue.put(5, { timeout: 10 }), QueueFullError);
  await timed;
  const late = queue.put(6);
  for (const expected of [1, 2, 3, 4, 6]) assert.equal(await queue.get(), expected);
  await Promise.all([...puts, late]);
});

test("gets of one process that wait are served in their order", async () => {
  const queue = new Queue<number>();
  const gets = [queue.get(), queue.get(), queue.get({ timeout: 5_000 })];
  for (const n of [1, 2, 3]) queue.putSync(n);
  assert.deepEqual(await Promise.all(gets), [1, 2, 3]);
});

test("size follows puts and gets (30)", () => {
  const queue = new Queue();
  const sizes = [queue.size];
  for (const step of ["put", "put", "get", "get"]) {
    if (step === "put") queue.putSync(step);
    else queue.getSync();
    sizes.push(queue.size);
  }
  assert.deepEqual(sizes, [0, 1, 2, 1, 0]);
});

test("what a child put that has ended is there, behind what was put before (31)", async () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 5; i++) queue.putSync(i);
  const child = new Process(async () => {
    for (let i = 5; i < 10; i++) await queue.put(i);
  }).start();
  assert.equal(await child.join(), 0);
  assert.deepEqual(
    Array.from({ length: 10 }, () => queue.getSync()),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
});

test("what a put handed over is there, though the producer was killed right after", async () => {
  const queue = new Queue<unknown>();
  const said = new Queue<string>();
  const child = new Process(() => {
    queue.putSync({ big: "x".repeat(2_000_000) });
    queue.putSync(2);
    said.putSync("done");
    for (;;);
  }).start();
  await said.get();
  child.kill();
  await child.join();
  assert.equal((queue.getSync() as { big: string }).big.length, 2_000_000);
  assert.equal(queue.getSync(), 2);
});

test("200 times: what was put can be got at once (T1)", () => {
  for (let i = 0; i < 200; i++) {
    using queue = new Queue<number>();
    queue.putSync(i);
    assert.equal(queue.getSync({ timeout: 0 }), i);
    assert.equal(queue.empty, true);
  }
});

test("a child that put 1 MB which nobody reads ends, and nothing is lost by that (35, T2)", async () => {
  const queue = new Queue<Uint8Array>();
  const child = new Process(() => queue.putSync(new Uint8Array(1_000_000).fill(5))).start();
  assert.equal(await child.join(), 0);
  const bytes = queue.getSync();
  assert.deepEqual([bytes.length, bytes[999_999]], [1_000_000, 5]);
});

for (const how of ["get", "getSync"] as const) {
  test(`a reader killed in the middle of ${how} takes nothing along (T4)`, async () => {
    const queue = new Queue<string>();
    const said = new Queue<number>();
    const child = new Process(async (method: "get" | "getSync") => {
      said.putSync(1);
      await queue[method]();
    }, how).start();
    await said.get();
    child.kill();
    await child.join();
    queue.putSync("for the living");
    assert.equal(await queue.get({ timeout: 5_000 }), "for the living");
  });
}

test("JoinableQueue: join returns when all is done; taskDone too often is refused (32)", async () => {
  const queue = new JoinableQueue<number>();
  const done = new SharedArray("uint32", 1);
  const worker = async (): Promise<void> => {
    for await (const n of queue) {
      done.add(0, n);
      queue.taskDone();
    }
  };
  const workers = Array.from({ length: 4 }, () => new Process(worker).start());
  for (let i = 0; i < 40; i++) queue.putSync(1);
  assert.equal(await queue.join(), true);
  assert.equal(done.at(0), 40);
  assert.throws(() => queue.taskDone(), StateError);
  queue.putSync(1);
  queue.shutdown();
  assert.equal(queue.joinSync({ timeout: 20_000 }), true);
  for (const each of workers) assert.equal(await each.join(), 0);
});

test("join gives false when the time runs out, and rejects when aborted", async () => {
  const queue = new JoinableQueue<number>();
  assert.equal(await queue.join(), true);
  queue.putSync(1);
  assert.equal(await queue.join({ timeout: 0 }), false);
  assert.equal(await queue.join({ timeout: 5 }), false);
  assert.equal(queue.joinSync({ timeout: 5 }), false);
  const controller = new AbortController();
  const joining = queue.join({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(joining, /enough/);
  queue.shutdown({ immediate: true });
  assert.equal(await queue.join({ timeout: 5_000 }), true);
});

test("an item that cannot travel is refused at once, and takes no place (33)", async () => {
  const queue = new Queue<unknown>(1);
  await assert.rejects(queue.put(new WeakMap()), SerializationError);
  assert.throws(() => queue.putSync({ deep: [new WeakSet()] }), { path: "message.deep[0]" });
  assert.equal(queue.size, 0);
  queue.putSync("next");
  assert.equal(await queue.get(), "next");
});

test("use after close is refused; closing twice is fine (34, 38)", async () => {
  for (const queue of [new Queue(), new SimpleQueue(), new JoinableQueue()]) {
    queue.putSync(1);
    queue.close();
    queue.close();
    await assert.rejects(queue.put(1), { name: "StateError", message: /closed/ });
    await assert.rejects(queue.get(), StateError);
    assert.throws(() => queue.putSync(1), StateError);
    assert.throws(() => queue.empty, StateError);
  }
});

test("closing ends those who wait", async () => {
  const queue = new Queue(1);
  queue.putSync(1);
  const putting = assert.rejects(queue.put(2), StateError);
  const other = new Queue();
  const getting = assert.rejects(other.get(), StateError);
  const waiting = assert.rejects(other.get(), StateError);
  queue.close();
  other.close();
  await Promise.all([putting, getting, waiting]);
});

test("queues work while a module is imported (36)", async () => {
  const { own, childs, ended } = await import("../fixtures/queue-on-import.ts");
  assert.deepEqual([own, childs, await ended], ["knock", "who is there", 0]);
});

test("a queue is handed on from child to grandchild (37)", async () => {
  const queue = new Queue<string>();
  const child = new Process(async () => {
    await new Process(() => queue.putSync("from the grandchild")).start().join();
    queue.putSync("from the child");
  }).start();
  await child.join();
  assert.deepEqual([queue.getSync(), queue.getSync()], ["from the grandchild", "from the child"]);
});

test("SimpleQueue: empty is true, false, true around a child's puts (38)", async () => {
  const queue = new SimpleQueue<number>();
  assert.equal(queue.empty, true);
  await new Process(() => {
    queue.putSync(1);
    queue.putSync(2);
  })
    .start()
    .join();
  assert.equal(queue.empty, false);
  assert.deepEqual([await queue.get(), queue.getSync()], [1, 2]);
  assert.equal(queue.empty, true);
  assert.throws(() => queue.getSync({ timeout: 1 }), QueueEmptyError);
});

test("queues travel through queues, as themselves (39)", async () => {
  const outer = new Queue<Queue<string>>();
  const inner = new Queue<string>();
  outer.putSync(inner);
  assert.equal(outer.getSync(), inner);
  const child = new Process(async () => (await outer.get()).putSync("through the inner one")).start();
  await outer.put(inner);
  assert.equal(await inner.get(), "through the inner one");
  await child.join();
  const made = new Process(() => {
    const queue = new JoinableQueue<number>();
    queue.putSync(7);
    return { queue, again: queue };
  }).start();
  const { queue, again } = await made.result();
  await made.join();
  assert.ok(queue instanceof JoinableQueue);
  assert.equal(queue, again);
  assert.equal(queue.getSync(), 7);
});

test("a queue in a message that nobody reads is not kept for ever", () => {
  const outer = new Queue<Queue>();
  outer.putSync(new Queue());
  outer.shutdown({ immediate: true });
  assert.equal(outer.size, 0);
  outer.close();
});

test("shutdown: puts are refused, gets take what is left, for await ends", async () => {
  const queue = new Queue<number>(2);
  queue.putSync(1);
  queue.putSync(2);
  const waiting = assert.rejects(queue.put(3), QueueShutdownError);
  queue.shutdown();
  queue.shutdown();
  await waiting;
  assert.throws(() => queue.putSync(4), { name: "QueueShutdownError", message: /putSync/ });
  assert.throws(() => queue.tryPut(4), QueueShutdownError);
  const left: number[] = [];
  for await (const n of queue) left.push(n);
  assert.deepEqual(left, [1, 2]);
  await assert.rejects(queue.get(), QueueShutdownError);
  assert.throws(() => queue.getSync(), QueueShutdownError);
  assert.throws(() => queue.tryGet(), QueueShutdownError);
});

test("shutdown wakes who waits in another process; immediate drops what is there", async () => {
  const queue = new Queue<number>();
  const said = new Queue<number>();
  const children = ["get", "getSync"].map((method) =>
    new Process(async (how: string) => {
      said.putSync(1);
      try {
        await queue[how as "get"]();
        return "an item";
      } catch (error) {
        return (error as Error).name;
      }
    }, method).start(),
  );
  for (const _ of children) await said.get();
  queue.shutdown({ immediate: true });
  for (const child of children) assert.equal(await child.result(), "QueueShutdownError");
  const other = new Queue<number>();
  other.putSync(1);
  other.shutdown({ immediate: true });
  assert.equal(other.size, 0);
  await assert.rejects(other.get(), QueueShutdownError);
});

test("an aborted wait rejects with the reason and takes nothing", async () => {
  const queue = new Queue<number>(1);
  const controller = new AbortController();
  const gets = [queue.get({ signal: controller.signal }), queue.get({ signal: controller.signal })];
  const behind = queue.get();
  controller.abort("the reason");
  for (const get of gets) await assert.rejects(get, (reason) => reason === "the reason");
  queue.putSync(1);
  assert.equal(await behind, 1);
  queue.putSync(2);
  await assert.rejects(queue.put(3, { signal: AbortSignal.abort(new Error("before")) }), /before/);
  const put = queue.put(4, { signal: AbortSignal.timeout(5) });
  await assert.rejects(put, { name: "TimeoutError" });
  assert.equal(queue.size, 1);
});

test("all sizes arrive, one after the other and many at a time", () => {
  const queue = new Queue<Uint8Array | string>();
  const sizes = [0, 1, 7, 8, 9, 255, 256, 257, 4095, 65_536, 100_000, 1_310_000, 1_400_000, 5_000_000];
  for (const size of sizes) queue.putSync(new Uint8Array(size).fill(size & 255));
  for (const size of sizes) queue.putSync("é".repeat(size));
  for (const size of sizes) {
    const bytes = queue.getSync() as Uint8Array;
    assert.equal(bytes.length, size);
    assert.ok(bytes.every((byte) => byte === (size & 255)));
  }
  for (const size of sizes) assert.equal(queue.getSync(), "é".repeat(size));
  assert.equal(queue.empty, true);
});

test("an unbounded queue grows, keeps the order, and says when it is too much", () => {
  const queue = new Queue<string>(0, { maxBytes: 10 * 2 ** 20 });
  let put = 0;
  assert.throws(
    () => {
      for (; ; put++) queue.putSync(`${put} ${"x".repeat(1000)}`);
    },
    { name: "QueueFullError", message: /take up .* bytes.*maxSize/ },
  );
  assert.ok(put > 9000, `${put}`);
  for (let i = 0; i < put; i++) assert.ok(queue.getSync().startsWith(`${i} `));
  queue.putSync("again");
  assert.equal(queue.getSync(), "again");
});

test("a bounded queue waits for memory, too", async () => {
  const queue = new Queue<string>(100_000, { maxBytes: 2 ** 20 });
  const item = "x".repeat(100_000);
  const child = new Process(() => {
    for (let i = 0; i < 100; i++) queue.putSync(`${i} ${item}`);
  }).start();
  for (let i = 0; i < 100; i++) assert.ok((await queue.get()).startsWith(`${i} `));
  assert.equal(await child.join(), 0);
});

test("functions and instances travel through queues", async () => {
  class Point {
    readonly x: number;
    constructor(x: number) {
      this.x = x;
    }
    double(): number {
      return 2 * this.x;
    }
  }
  const queue = new Queue<() => number>();
  const points = new Queue<Point>();
  const child = new Process(async () => {
    const answer = (await queue.get())();
    points.putSync(new Point(answer));
  }).start();
  const captured = 20;
  await queue.put(() => captured + 1);
  const point = await points.get();
  assert.ok(point instanceof Point);
  assert.equal(point.double(), 42);
  await child.join();
});

test("a message whose module has to be imported is awaited", async () => {
  const queue = new Queue<(path: string) => string>();
  const { basename } = await import("node:path");
  const { Random } = await import("../helpers/random.ts");
  const made = new Queue<unknown>();
  const child = new Process(async () => {
    const random = (await made.get()) as new (seed: number) => { seed: number };
    return new random(5).seed;
  }).start();
  await made.put(Random);
  await queue.put(basename);
  assert.equal((await queue.get())("/a/b"), "b");
  assert.equal(await child.result(), 5);
});

test("wait() tells which queues have something, in the very objects", async () => {
  const queues = [new Queue<number>(), new SimpleQueue<number>(), new JoinableQueue<number>()];
  assert.deepEqual(await wait(queues, { timeout: 0 }), []);
  assert.deepEqual(waitSync(queues, { timeout: 5 }), []);
  const [, simple] = queues as [Queue<number>, SimpleQueue<number>];
  const child = new Process(() => simple.putSync(1)).start();
  const ready = await wait(queues);
  assert.equal(ready.length, 1);
  assert.equal(ready[0], simple);
  const both = await wait([simple, child], { timeout: 0 });
  assert.equal(both[0], simple);
  await child.join();
  assert.equal(simple.getSync(), 1);
  const later = new Process(() => simple.putSync(2)).start();
  assert.equal(waitSync(queues)[0], simple);
  await later.join();
});

test("a queue's stream gives the items, and ends when it is shut down", async () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 40; i++) queue.putSync(i);
  queue.shutdown();
  const got: number[] = [];
  for await (const n of queue.toReadable()) got.push(n as number);
  assert.deepEqual(
    got,
    Array.from({ length: 40 }, (_, i) => i),
  );
  const other = new Queue<number>();
  const stream = other.toReadable();
  stream.resume();
  stream.destroy();
  other.putSync(1);
  assert.equal(await other.get(), 1);
});

test("a queue's stream takes no more than its consumer asks for", async () => {
  const queue = new Queue<number>();
  for (let i = 0; i < 100; i++) queue.putSync(i);
  const stream = queue.toReadable();
  await once(stream, "readable");
  assert.ok(queue.size >= 100 - stream.readableHighWaterMark - 1, `${queue.size} are left`);
  stream.destroy();
});

test("a queue's stream gives what a child puts, and ends when the child shuts the queue down", async () => {
  const queue = new Queue<{ n: number }>(4);
  const child = new Process(async () => {
    for (let n = 0; n < 50; n++) await queue.put({ n });
    queue.shutdown();
  }).start();
  let sum = 0;
  for await (const { n } of queue.toReadable() as AsyncIterable<{ n: number }>) sum += n;
  assert.equal(sum, 1225);
  assert.equal(await child.join(), 0);
});

test("null cannot be streamed, and the stream says so", async () => {
  const queue = new Queue<null>();
  queue.putSync(null);
  await assert.rejects(queue.toReadable().toArray(), TypeError);
});

test("promise calls that never have to wait let timers run", async () => {
  const queue = new Queue<number>();
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const end = performance.now() + 200;
  while (ticks === 0 && performance.now() < end) {
    await queue.put(1);
    await queue.get();
  }
  clearInterval(timer);
  assert.ok(ticks > 0);
});

test("bad arguments are refused", async () => {
  assert.throws(() => new Queue(-1), RangeError);
  assert.throws(() => new Queue(1.5), RangeError);
  assert.throws(() => new Queue("5" as never), TypeError);
  assert.throws(() => new Queue(5, { maxBytes: 0 }), RangeError);
  const queue = new Queue();
  await assert.rejects(queue.get({ timeout: "1" } as never), TypeError);
  await assert.rejects(queue.put(1, { timeout: Number.NaN }), RangeError);
  assert.throws(() => queue.getSync(5 as never), TypeError);
  assert.throws(() => queue.shutdown({ immediate: 1 as never }), TypeError);
});

test("a blocking put does not overtake promise puts of its process that wait", async () => {
  const bounded = new Queue<number>(1);
  const puts = [0, 1, 2].map((n) => bounded.put(n));
  const child = new Process(() => [0, 1, 2, 3].map(() => bounded.getSync())).start();
  bounded.putSync(3);
  await Promise.all(puts);
  assert.deepEqual(await child.result(), [0, 1, 2, 3]);
  const late = [4, 5].map((n) => bounded.put(n));
  assert.throws(() => bounded.putSync(6, { timeout: 0 }), QueueFullError);
  assert.equal(await bounded.get(), 4);
  await Promise.all(late);
  assert.equal(await bounded.get(), 5);

  // So many calls that some wait for the next turn of the event loop.
  const queue = new Queue<number>();
  const many = Array.from({ length: 1000 }, (_, n) => queue.put(n));
  queue.putSync(1000);
  await Promise.all(many);
  for (let n = 0; n <= 1000; n++) assert.equal(queue.getSync(), n);
});

test("a wait that is aborted before what it waits for happens takes and puts nothing", async () => {
  const queue = new Queue<string>(1);
  const reason = new Error("enough");
  const aborting = new AbortController();
  const getting = queue.get({ signal: aborting.signal });
  aborting.abort(reason);
  queue.putSync("first");
  await assert.rejects(getting, reason);

  const stopping = new AbortController();
  const putting = queue.put("second", { signal: stopping.signal });
  stopping.abort(reason);
  assert.equal(queue.getSync(), "first");
  await assert.rejects(putting, reason);
  assert.equal(queue.tryGet(), undefined);
});
