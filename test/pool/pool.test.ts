import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { subscribe } from "node:diagnostics_channel";
import {
  CancelledError,
  type Progress,
  Pool,
  SerializationError,
  StateError,
  TimeoutError,
  WorkerDiedError,
} from "../../src/index.ts";

const numbers = Array.from({ length: 100 }, (_, i) => i);
const square = (n: number): number => n * n;
let pool: Pool;

before(() => void (pool = new Pool(2)));
after(async () => {
  pool.close();
  await pool.join();
});

/** Runs until it is ended from outside. */
function spin(): never {
  for (;;);
}

test("100: apply, submit, map, starmap, imap and imapUnordered give what the function gives, in order", async () => {
  assert.equal(await pool.apply(square, [5]), 25);
  assert.equal(await pool.submit(square, 6), 36);
  assert.equal(await pool.apply(() => 7), 7);
  const expected = numbers.map(square);
  for (const chunkSize of [1, 3, 50, 1000]) assert.deepEqual(await pool.map(square, numbers, { chunkSize }), expected);
  assert.deepEqual(await pool.map(square, numbers), expected);
  assert.deepEqual(await pool.mapAsync(square, new Set(numbers)).get(), expected);
  assert.deepEqual(
    await pool.starmap(
      (a, b) => a - b,
      numbers.map((n) => [n, 1] as [number, number]),
    ),
    numbers.map((n) => n - 1),
  );
  for (const chunkSize of [undefined, 1, 7]) {
    const options = chunkSize === undefined ? {} : { chunkSize };
    const ordered: number[] = [];
    for await (const value of pool.imap(square, numbers, options)) ordered.push(value);
    assert.deepEqual(ordered, expected);
    const unordered: number[] = [];
    for await (const value of pool.imapUnordered(square, numbers, options)) unordered.push(value);
    assert.deepEqual(
      unordered.sort((a, b) => a - b),
      expected,
    );
  }
});

test("100: nothing in, nothing out", async () => {
  assert.deepEqual(await pool.map(square, []), []);
  assert.deepEqual(await pool.mapAsync(square, []).get(), []);
  for await (const value of pool.imap(square, [])) assert.fail(String(value));
  for await (const value of pool.imapUnordered(square, [])) assert.fail(String(value));
});

test("101: each callback is called once, in the parent", async () => {
  const calls: unknown[] = [];
  const callback = (value: unknown): void => void calls.push(value, process.pid);
  const errorCallback = (error: unknown): void => void calls.push((error as Error).message);
  await pool.applyAsync(square, [3], { callback, errorCallback }).wait();
  await pool.mapAsync(square, [1], { callback, errorCallback }).wait();
  const failing = (): never => {
    throw new Error("no");
  };
  const failed = pool.applyAsync(failing, [], { callback, errorCallback });
  await failed.wait();
  assert.equal(failed.successful(), false);
  assert.deepEqual(calls, [9, process.pid, [1], process.pid, "no"]);
});

test("a callback that throws is told as a warning, and costs nothing", async () => {
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const callback = (): never => {
    throw new Error("thrown by a callback");
  };
  assert.equal(await pool.applyAsync(square, [2], { callback }), 4);
  assert.match((await warned).message, /thrown by a callback/);
});

test("callbacks that are async and reject are told as warnings, too", async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error): void => void warnings.push(message);
  process.on("warning", note);
  const refuse = async (): Promise<never> => {
    throw new Error("rejected by a callback");
  };
  await pool.applyAsync(square, [2], { callback: refuse }).wait();
  await pool.applyAsync(() => assert.fail("no"), [], { errorCallback: refuse }).wait();
  await pool.map(square, [1], { progress: refuse });
  await new Promise((resolve) => setImmediate(resolve));
  process.off("warning", note);
  assert.equal(warnings.filter((text) => text.includes("rejected by a callback")).length, 3);
});

test("102: an argument that cannot travel is refused at the call; a result that cannot fails its task; 20 times", async () => {
  // A pool of its own: one that other tests use may just be replacing a worker.
  const own = new Pool(1);
  assert.equal(await own.apply(square, [3]), 9);
  const pids = own.stats().workers.map(({ pid }) => pid);
  const unsendable = (): object => new WeakMap();
  for (let i = 0; i < 20; i++) {
    await assert.rejects(
      own.apply((x) => x, [new WeakMap()]),
      SerializationError,
    );
    assert.throws(() => own.applyAsync((x) => x, [new WeakMap()]), SerializationError);
    await assert.rejects(own.apply(unsendable), SerializationError);
  }
  await assert.rejects(
    own.map((x) => x, [1, new WeakMap()]),
    SerializationError,
  );
  assert.equal(await own.apply(square, [2]), 4);
  assert.deepEqual(
    own.stats().workers.map(({ pid }) => pid),
    pids,
  );
  own.terminate();
  await own.join();
});

test("an item that cannot travel is named by its place among all", async () => {
  const own = new Pool(1);
  const items = [1, 2, { deep: [new WeakMap()] }];
  for (const chunkSize of [1, 2]) {
    const refused = { name: "SerializationError", message: "Cannot send `items[2].deep[0]`: it is a WeakMap" };
    await assert.rejects(
      own.map((x) => x, items, { chunkSize }),
      refused,
    );
    await assert.rejects(async () => {
      for await (const _ of own.imap((x) => x, items, { chunkSize }));
    }, refused);
  }
  own.terminate();
  await own.join();
});

test("a class as a task is called with new", async () => {
  class Celsius {
    readonly degrees: number;
    constructor(degrees: number) {
      this.degrees = degrees;
    }
  }
  const own = new Pool(1);
  const one = await own.submit(Celsius, 20);
  assert.ok(one instanceof Celsius);
  assert.equal(one.degrees, 20);
  const two = await own.map(Celsius, [1, 2]);
  assert.deepEqual(two, [new Celsius(1), new Celsius(2)]);
  const three = await own.starmap(Celsius, [[3]]);
  assert.ok(three[0] instanceof Celsius);
  own.terminate();
  await own.join();
});

test("103: an input that throws: map rejects; imap gives what came before; the pool goes on", async () => {
  function* failing(): Generator<number> {
    yield 1;
    yield 2;
    throw new Error("bad input");
  }
  await assert.rejects(pool.map(square, failing()), /bad input/);
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const value of pool.imap(square, failing(), { chunkSize: 1 })) seen.push(value);
  }, /bad input/);
  assert.deepEqual(seen, [1, 4]);
  await assert.rejects(async () => {
    for await (const _ of pool.imapUnordered(square, failing()));
  }, /bad input/);
  assert.equal(await pool.apply(square, [2]), 4);
});

test("104, T8: imap goes on after an item that failed, whatever the chunk size", async () => {
  const picky = (n: number): number => {
    if (n === 3) throw new RangeError("three");
    return n;
  };
  for (const chunkSize of [1, 2, 6]) {
    const outcomes: unknown[] = [];
    const items = pool.imap(picky, [0, 1, 2, 3, 4, 5], { chunkSize });
    for (;;) {
      try {
        const { done, value } = await items.next();
        if (done === true) break;
        outcomes.push(value);
      } catch (error) {
        outcomes.push((error as Error).name);
      }
    }
    assert.deepEqual(outcomes, [0, 1, 2, "RangeError", 4, 5]);
  }
});

test("105: get runs out of time while the task goes on; successful before the end is a StateError", async () => {
  const slow = pool.applyAsync(() => new Promise((resolve) => setTimeout(resolve, 150, "done")));
  assert.throws(() => slow.successful(), StateError);
  assert.equal(slow.ready(), false);
  await assert.rejects(slow.get({ timeout: 5 }), TimeoutError);
  assert.equal(await slow.get(), "done");
  assert.equal(slow.successful(), true);
});

test("106: map waits for all chunks, and rejects with the first error in order", async () => {
  const failing = async (n: number): Promise<never> => {
    await new Promise((resolve) => setTimeout(resolve, n === 0 ? 60 : 1));
    throw new Error(`${n} ${"x".repeat(1_000_000)}`);
  };
  await assert.rejects(pool.map(failing, [0, 1, 2, 3], { chunkSize: 1 }), /^Error: 0 x/);
  const { running, queued } = pool.stats();
  assert.deepEqual([running, queued], [0, 0]);
});

test("107: an error keeps name, message, code, properties and cause, and says where it was thrown", async () => {
  class Custom extends Error {
    readonly code = "E_CUSTOM";
    readonly extra = { deep: [1] };
    override name = "Custom";
  }
  const failing = (): never => {
    throw new Custom("mine", { cause: new TypeError("inner") });
  };
  const error = await pool.apply(failing).catch((caught: unknown) => caught as Custom);
  assert.ok(error instanceof Error);
  assert.equal(error.name, "Custom");
  assert.equal(error.message, "mine");
  assert.equal((error as Custom).code, "E_CUSTOM");
  assert.deepEqual((error as Custom).extra, { deep: [1] });
  assert.ok(error.cause instanceof TypeError);
  assert.match(error.stack ?? "", /in process .*worker.*\(pid \d+\)/);
});

test("108, 117: numbers that make no sense are refused at once", async () => {
  for (const wrong of [0, -1, 0.5, Number.NaN]) {
    assert.throws(() => new Pool(wrong), RangeError);
    assert.throws(() => new Pool(1, { maxTasksPerChild: wrong }), RangeError);
    await assert.rejects(pool.map(square, [1], { chunkSize: wrong }), RangeError);
    assert.throws(() => pool.imap(square, [1], { chunkSize: wrong }), RangeError);
  }
  for (const wrong of ["12", null]) {
    assert.throws(() => new Pool(wrong as never), TypeError);
    assert.throws(() => new Pool(1, { maxTasksPerChild: wrong as never }), TypeError);
    assert.throws(() => new Pool(1, { initializer: wrong as never }), TypeError);
    await assert.rejects(pool.map(wrong as never, [1]), TypeError);
    await assert.rejects(pool.apply(wrong as never), TypeError);
  }
  assert.throws(() => new Pool(1, { retries: -1 }), RangeError);
  assert.throws(() => new Pool(1, { taskTimeout: 0 }), RangeError);
  assert.throws(() => new Pool(1, { maxTaskPerChild: 1 } as never), /no option/);
  await assert.rejects(pool.map(square, "abc" as never), TypeError);
  assert.throws(() => pool.imap(square, 5 as never), TypeError);
});

test("109: after close every call is a StateError; join of an open pool is one, too", async () => {
  for (const end of ["close", "terminate"] as const) {
    const other = new Pool(1);
    await assert.rejects(other.join(), StateError);
    other[end]();
    await assert.rejects(other.apply(square, [1]), StateError);
    await assert.rejects(other.map(square, [1]), StateError);
    assert.throws(() => other.applyAsync(square, [1]), StateError);
    assert.throws(() => other.imap(square, [1]), StateError);
    await other.join();
    await other.join();
  }
});

test("109: dispose closes, waits and gives the results", async () => {
  let result: Promise<number>;
  {
    await using other = new Pool(1);
    result = other.apply(square, [4]);
  }
  assert.equal(await result, 16);
});

test("110: terminate with 10 000 tasks queued is quick, and cancels them all", async () => {
  const other = new Pool(2);
  const tasks = Array.from({ length: 10_000 }, () => other.applyAsync(spin));
  other.terminate();
  for (const task of tasks) await assert.rejects(task.get(), CancelledError);
  await other.join();
});

test("111, 128: a worker is replaced after its number of tasks; close finishes what is queued", async () => {
  const other = new Pool(1, { maxTasksPerChild: 3 });
  const pids: number[] = [];
  for (let i = 0; i < 6; i++) pids.push(await other.apply(() => process.pid));
  assert.equal(new Set(pids.slice(0, 3)).size, 1);
  assert.equal(new Set(pids).size, 2);
  other.close();
  await other.join();
  const last = new Pool(1, { maxTasksPerChild: 1 });
  const results = Promise.all(Array.from({ length: 4 }, (_, i) => last.apply(square, [i])));
  last.close();
  await last.join();
  assert.deepEqual(await results, [0, 1, 4, 9]);
});

test("112: the initializer runs once in each worker, with its arguments", async () => {
  await using other = new Pool(1, {
    initializer: async (a: number, b: number) => {
      const shared = globalThis as { sum?: number };
      shared.sum = (shared.sum ?? 0) + a + b;
    },
    initArgs: [1, 2],
  });
  const sums = await other.map(() => (globalThis as { sum?: number }).sum, [1, 2, 3]);
  assert.deepEqual(sums, [3, 3, 3]);
});

test("118, 121: an initializer that throws rejects the waiting tasks with its error", async () => {
  const other = new Pool(2, {
    initializer: () => {
      throw new RangeError("cannot begin");
    },
  });
  await assert.rejects(other.apply(square, [1]), { name: "RangeError", message: "cannot begin" });
  await assert.rejects(other.apply(square, [1]), { message: "cannot begin" });
  await assert.rejects(other.map(square, [1, 2]), { message: "cannot begin" });
  other.close();
  await other.join();
});

test("116: a pool can be made in a task of a pool; it cannot be sent", async () => {
  const nested = async (): Promise<number[]> => {
    await using inner = new Pool(1);
    return inner.map((n: number) => n + 1, [1, 2]);
  };
  assert.deepEqual(await pool.apply(nested), [2, 3]);
  await assert.rejects(
    pool.apply((x) => x, [pool]),
    SerializationError,
  );
});

test("118, 120: exit and SIGKILL in a task cost that task only", async () => {
  const other = new Pool(1);
  for (const die of [() => process.exit(3), () => void process.kill(process.pid, "SIGKILL")]) {
    const dying = other.apply(die);
    const behind = other.apply(square, [3]);
    const error = await dying.then(
      () => assert.fail(),
      (caught: unknown) => caught as WorkerDiedError,
    );
    assert.ok(error instanceof WorkerDiedError);
    assert.ok((error.pid ?? 0) > 0);
    if (error.signal === null) assert.equal(error.exitCode, 3);
    else assert.equal(error.signal, "SIGKILL");
    assert.equal(await behind, 9);
  }
  assert.equal(other.stats().restarts, 2);
  other.close();
  await other.join();
});

test("retries repeat tasks whose worker died, not those that failed by themselves", async () => {
  await using other = new Pool(1, { retries: 1 });
  const path = `/tmp/multiproc-retry-${process.pid}-${Math.random()}`;
  const once = async (file: string): Promise<string> => {
    const { existsSync, writeFileSync, unlinkSync } = await import("node:fs");
    if (existsSync(file)) {
      unlinkSync(file);
      return "second";
    }
    writeFileSync(file, "");
    return process.exit(1);
  };
  assert.equal(await other.apply(once, [path]), "second");
  await assert.rejects(
    other.apply(() => process.exit(1)),
    WorkerDiedError,
  );
  const failing = (): never => {
    throw new Error("mine");
  };
  await assert.rejects(other.apply(failing), /mine/);
});

test("125: cancel ends a queued task and a running one; others go on", async () => {
  await using other = new Pool(1);
  await other.apply(square, [1]);
  const running = other.applyAsync(spin);
  const queued = other.applyAsync(square, [2]);
  const kept = other.applyAsync(square, [3]);
  assert.equal(queued.cancel(), true);
  assert.equal(queued.cancel(), false);
  await assert.rejects(queued.get(), CancelledError);
  assert.equal(running.cancel(), true);
  await assert.rejects(running.get(), CancelledError);
  assert.equal(await kept.get(), 9);
  assert.equal(kept.cancel(), false);
});

test("a task over its time is ended with TimeoutError, and so is only that one", async () => {
  await using other = new Pool(1, { taskTimeout: 100 });
  const late = other.apply(spin);
  const behind = other.apply(square, [3]);
  await assert.rejects(late, TimeoutError);
  assert.equal(await behind, 9);
  await assert.rejects(pool.applyAsync(spin, [], { timeout: 50 }).get(), TimeoutError);
});

test("a short limit holds beside a long one that was given before", async () => {
  await using other = new Pool(2);
  const long = other.applyAsync(spin, [], { timeout: 3_600_000 });
  await assert.rejects(other.applyAsync(spin, [], { timeout: 50 }).get({ timeout: 30_000 }), /ran longer than 50 ms/);
  assert.equal(long.ready(), false);
  long.cancel();
});

test("aborting a signal ends the running tasks of its call with its reason", async () => {
  const controller = new AbortController();
  const mapped = pool.map(spin, [1, 2, 3], { signal: controller.signal, chunkSize: 1 });
  const single = pool.applyAsync(spin, [], { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(mapped, /enough/);
  await assert.rejects(single.get(), /enough/);
  assert.equal(await pool.apply(square, [2]), 4);
  assert.throws(() => pool.applyAsync(square, [1], { signal: controller.signal }), /enough/);
});

test("node-peers: whatever is thrown arrives: undefined, errors with functions on them, BigInt", async () => {
  const thrower = (what: string): never => {
    // oxlint-disable-next-line typescript/only-throw-error -- The subject of the test.
    if (what === "undefined") throw undefined;
    throw Object.assign(new Error(what), { fn: () => 1, big: 1n });
  };
  const caught = await pool.apply(thrower, ["undefined"]).then(
    () => "resolved",
    (error: unknown) => error,
  );
  assert.equal(caught, undefined);
  await assert.rejects(pool.apply(thrower, ["with a function"]), { message: "with a function", big: 1n });
});

test("node-peers: values keep their types both ways", async () => {
  const values = [
    1n,
    new Uint8Array([1, 2]),
    new Map([[1, new Set([2])]]),
    new Date(5),
    Number.NaN,
    -0,
    /a/g,
    undefined,
  ];
  const back = await pool.apply((...all) => all, values);
  assert.deepEqual(back, values);
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const there = await pool.apply((x) => x, [cycle]);
  assert.equal(there.self, there);
  assert.ok(Buffer.isBuffer(await pool.apply((x) => x, [Buffer.from("b")])));
});

test("123: large things travel, many at a time", async () => {
  const large = new Uint8Array(5_000_000).fill(7);
  const back = await Promise.all([1, 2, 3, 4].map(() => pool.apply((x: Uint8Array) => x, [large])));
  for (const each of back) assert.equal(Buffer.compare(each, large), 0);
});

test("captured variables are read at every call", async () => {
  let value = 1;
  const read = (): number => value;
  const first = pool.apply(read);
  value = 2;
  const second = pool.apply(read);
  assert.deepEqual(await Promise.all([first, second, pool.apply(read)]), [1, 2, 2]);
});

test("127: an idle worker is used again: three calls one after the other take one process", async () => {
  await using other = new Pool(4);
  const pids = [];
  for (let i = 0; i < 3; i++) pids.push(await other.apply(() => process.pid));
  assert.equal(new Set(pids).size, 1);
  assert.equal(other.stats().workers.length, 1);
});

test("a task behind a long one goes to a worker that becomes idle", async () => {
  await using other = new Pool(2);
  await Promise.all([other.apply(square, [1]), other.apply(square, [1])]);
  const wait = (ms: number): Promise<number> => new Promise((resolve) => setTimeout(resolve, ms, ms));
  const long = other.applyAsync(wait, [600_000]);
  const short = await Promise.all(Array.from({ length: 50 }, () => other.apply(wait, [1])));
  assert.equal(short.length, 50);
  assert.equal(long.ready(), false);
  long.cancel();
});

test("generators stream their items while they run; the consumer may leave", async () => {
  const stream = await pool.apply(
    function* (n: number) {
      for (let i = 0; i < n; i++) yield i;
    },
    [500],
  );
  let sum = 0;
  for await (const item of stream) sum += item;
  assert.equal(sum, 124_750);
  const endless = await pool.apply(async function* () {
    for (let i = 0; ; i++) yield i;
  });
  for await (const item of endless) if (item === 300) break;
  const failing = await pool.apply(function* () {
    yield 1;
    throw new Error("midway");
  });
  await assert.rejects(async () => {
    for await (const _ of failing);
  }, /midway/);
  assert.deepEqual(
    await pool.map(
      function* (n: number) {
        yield n;
        yield -n;
      },
      [1, 2],
    ),
    [
      [1, -1],
      [2, -2],
    ],
  );
});

test("endless and async inputs work; breaking out stops the feeding", async () => {
  let taken = 0;
  let closed = false;
  async function* endless(): AsyncGenerator<number> {
    try {
      for (;;) yield taken++;
    } finally {
      closed = true;
    }
  }
  let seen = 0;
  for await (const value of pool.imap(square, endless())) {
    assert.equal(value, seen * seen);
    if (++seen === 200) break;
  }
  assert.equal(closed, true);
  assert.ok(taken < 300);
  assert.equal(await pool.apply(square, [2]), 4);
});

test("progress: the last call has done === total", async () => {
  const seen: Progress[] = [];
  await pool.map(square, numbers, { progress: (progress) => void seen.push(progress) });
  const last = seen.at(-1) as Progress;
  assert.equal(last.done, 100);
  assert.equal(last.total, 100);
  assert.ok(last.rate > 0);
  assert.equal(last.eta, 0);
  seen.length = 0;
  for await (const _ of pool.imap(square, new Set(numbers), { progress: (progress) => void seen.push(progress) }));
  assert.deepEqual([seen.at(-1)?.done, seen.at(-1)?.total], [100, 100]);
});

test("getSync and waitSync block until the result is there", () => {
  assert.equal(pool.applyAsync(square, [8]).getSync(), 64);
  assert.deepEqual(pool.mapAsync(square, [1, 2, 3]).getSync(), [1, 4, 9]);
  const dying = pool.applyAsync(() => process.exit(1));
  assert.throws(() => dying.getSync(), WorkerDiedError);
  const late = pool.applyAsync(spin);
  assert.equal(late.waitSync({ timeout: 20 }), false);
  late.cancel();
});

test("stats count, and diagnostics channels tell", async () => {
  const told: string[] = [];
  const listen = (name: string): void =>
    subscribe(name, (message) => {
      if ((message as { pool: string }).pool === "told") told.push(name.split(":").slice(-2).join(":"));
    });
  ["task:start", "task:end", "task:error", "worker:restart"].forEach((name) => listen(`multiproc:pool:${name}`));
  const other = new Pool(1, { name: "told" });
  await other.apply(square, [1]);
  const failing = (): never => {
    throw new Error("x");
  };
  await assert.rejects(other.apply(failing));
  const stats = other.stats();
  assert.equal(stats.completed, 1);
  assert.equal(stats.failed, 1);
  assert.equal(stats.restarts, 0);
  assert.equal(stats.queued + stats.running, 0);
  assert.equal(stats.workers.length, 1);
  assert.ok(stats.latency.p50 > 0 && stats.latency.p50 <= stats.latency.p99);
  assert.deepEqual(told.slice(0, 4), ["task:start", "task:end", "task:start", "task:error"]);
  other.close();
  await other.join();
});

test("map with hundreds of thousands of chunks gathers them all", async () => {
  const items = Array.from({ length: 150_000 }, (_, i) => i);
  const back = await pool.map((n: number) => -n, items, { chunkSize: 1 });
  assert.equal(back.length, items.length);
  assert.ok(back.every((n, i) => n === -i));
});
