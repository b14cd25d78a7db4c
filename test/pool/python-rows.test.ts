import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CancelledError, Pool, StateError, TimeoutError, WorkerDiedError } from "../../src/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { runs, until } from "../helpers/program.ts";

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

/** Collects in the worker, and says whether what a task before has left in `globalThis.kept` is alive. */
async function collectThere(): Promise<boolean[]> {
  const { setFlagsFromString } = await import("node:v8");
  const { runInNewContext } = await import("node:vm");
  setFlagsFromString("--expose-gc");
  for (let i = 0; i < 3; i++) {
    (runInNewContext("gc") as () => void)();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { kept } = globalThis as unknown as { kept: WeakRef<object>[] };
  return kept.map((each) => each.deref() !== undefined);
}

test("113: neither the pool nor its worker keeps arguments and results alive after the task", async () => {
  await using other = new Pool(1);
  const sent = await (async () => {
    const argument = { large: new Uint8Array(1000) };
    const result = await other.apply(
      (given) => {
        const answer = { given };
        (globalThis as unknown as { kept: unknown }).kept = [new WeakRef(given), new WeakRef(answer)];
        return answer;
      },
      [argument],
    );
    assert.equal(result.given.large.length, 1000);
    return [new WeakRef<object>(argument), new WeakRef<object>(result)];
  })();
  assert.deepEqual(await other.apply(collectThere), [false, false]);
  await collectGarbage();
  assert.deepEqual(
    sent.map((each) => each.deref()),
    [undefined, undefined],
  );
});

test("113: nor do map and imap", async () => {
  const sent = await (async () => {
    const argument = { n: 1 };
    const [mapped] = await pool.map((given) => ({ given }), [argument]);
    const refs: WeakRef<object>[] = [new WeakRef<object>(argument), new WeakRef<object>(mapped as object)];
    for await (const each of pool.imap((given) => ({ given }), [argument])) refs.push(new WeakRef<object>(each));
    return refs;
  })();
  await collectGarbage();
  assert.deepEqual(
    sent.map((each) => each.deref()),
    [undefined, undefined, undefined],
  );
});

test("115: workers that cannot be started fail the pool with the reason; those that run end with it", async () => {
  const other = new Pool(3, { method: "spawn" });
  const { execPath } = process;
  try {
    const first = await other.apply(() => process.pid);
    process.execPath = "/nowhere/node";
    // The one that runs is busy: two more are wanted, and cannot be had.
    const tasks = [other.applyAsync(spin), other.applyAsync(square, [1]), other.applyAsync(square, [2])];
    const outcomes = await Promise.allSettled(tasks);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["rejected", "rejected", "rejected"],
    );
    await assert.rejects(other.apply(square, [3]), /ENOENT: .*nowhere.node/);
    other.terminate();
    await other.join();
    assert.equal(runs(first), false);
  } finally {
    process.execPath = execPath;
  }
});

test("119: submit; map rejects with the first failure in order, imap when it is reached, get when time runs out", async () => {
  assert.equal(await pool.submit((a: number, b: number) => a * b, 6, 7), 42);
  const inverse = (n: number): number => {
    if (n === 0) throw new RangeError("zero");
    return 1 / n;
  };
  await assert.rejects(pool.map(inverse, [1, 2, 0, 4]), { name: "RangeError", message: "zero" });
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const each of pool.imap(inverse, [1, 2, 0, 4])) seen.push(each);
  }, RangeError);
  assert.deepEqual(seen, [1, 0.5]);
  const never = pool.mapAsync(spin, [1]);
  await assert.rejects(never.get({ timeout: 10 }), TimeoutError);
  never.cancel();
});

/** An object that runs a function where it arrives. */
function onArrival(run: (home: number) => unknown): object {
  return { [Symbol.for("multiproc.reduce")]: () => [run, process.pid] };
}

test("122: what fails while it is decoded, in a worker or in the parent, fails its task only", async () => {
  await using other = new Pool(1);
  await other.apply(square, [1]);
  const broken = onArrival(() => {
    throw new RangeError("cannot be rebuilt");
  });
  await assert.rejects(
    other.apply((x) => x, [broken]),
    { name: "RangeError", message: "cannot be rebuilt" },
  );
  const brokenBack = (): object => ({
    [Symbol.for("multiproc.reduce")]: () => [
      () => {
        throw new RangeError("cannot be rebuilt here");
      },
    ],
  });
  await assert.rejects(other.apply(brokenBack), { message: /cannot be rebuilt here/ });
  await assert.rejects(other.map(brokenBack, [1, 2]), { message: /cannot be rebuilt here/ });
  assert.equal(await other.apply(square, [3]), 9);
  assert.equal(other.stats().restarts, 0);
});

test("122: a worker that dies while it decodes a task or encodes a result costs that task only", async () => {
  await using other = new Pool(1);
  const behindIt = async (dying: Promise<unknown>): Promise<void> => {
    const behind = other.apply(square, [3]);
    await assert.rejects(dying, WorkerDiedError);
    assert.equal(await behind, 9);
  };
  await behindIt(other.apply((x) => x, [onArrival((home) => process.pid !== home && process.exit(5))]));
  const dyingResult = (): object => ({ [Symbol.for("multiproc.reduce")]: () => process.exit(6) });
  await behindIt(other.apply(dyingResult));
});

test("122: errors that can be neither sent nor rebuilt as they are arrive with their message, and the pool goes on", async () => {
  await using other = new Pool(1);
  const unsendable = (): never => {
    throw Object.assign(new Error("holds a WeakMap"), { map: new WeakMap() });
  };
  class Picky extends Error {
    constructor(parts: { text: string }) {
      super(parts.text.toUpperCase());
    }
  }
  const unbuildable = (): never => {
    throw new Picky({ text: "picky" });
  };
  const hostile = (): never => {
    throw Object.defineProperty(new Error("fine"), "message", {
      get: () => {
        throw new Error("a getter that throws");
      },
    });
  };
  for (let i = 0; i < 20; i++) {
    await assert.rejects(other.apply(unsendable), { message: "holds a WeakMap" });
    await assert.rejects(other.apply(unbuildable), { message: "PICKY" });
    await assert.rejects(other.apply(hostile), Error);
  }
  assert.equal(await other.apply(square, [3]), 9);
  assert.equal(other.stats().restarts, 0);
});

test("124: close lets running and queued tasks finish; terminate cancels them; both refuse new ones", async () => {
  const closed = new Pool(1);
  const tasks = [1, 2, 3].map((n) => closed.applyAsync(async (k: number) => k + 1, [n]));
  closed.close();
  assert.throws(() => closed.applyAsync(square, [1]), StateError);
  await closed.join();
  assert.deepEqual(
    tasks.map((task) => task.ready() && task.successful()),
    [true, true, true],
  );
  assert.deepEqual(await Promise.all(tasks), [2, 3, 4]);
  const ended = new Pool(1);
  await ended.apply(square, [1]);
  const cancelled = [ended.applyAsync(spin), ended.applyAsync(square, [1])];
  ended.terminate();
  assert.throws(() => ended.applyAsync(square, [1]), StateError);
  for (const task of cancelled) await assert.rejects(task.get(), CancelledError);
  await ended.join();
});

test("126: results are promises: the first, the first failure, all; as they come", async () => {
  const after = (ms: number): Promise<number> => new Promise((resolve) => setTimeout(resolve, ms, ms));
  const never = pool.applyAsync(after, [60_000]);
  assert.equal(await Promise.race([never, pool.applyAsync(after, [1])]), 1);
  const failing = (): never => {
    throw new Error("first failure");
  };
  await assert.rejects(Promise.all([never, pool.applyAsync(failing)]), /first failure/);
  assert.equal(await never.wait({ timeout: 1 }), false);
  assert.equal(await never.wait({ timeout: 0 }), false);
  never.cancel();
  const settled = await Promise.allSettled([never, pool.applyAsync(after, [2])]);
  assert.deepEqual(
    settled.map(({ status }) => status),
    ["rejected", "fulfilled"],
  );
  // The same result waited for twice is there twice.
  const twice = pool.applyAsync(square, [3]);
  assert.deepEqual(await Promise.all([twice, twice]), [9, 9]);
});

test("126: imapUnordered gives what has ended while the first input still runs", async () => {
  await using other = new Pool(2);
  const { Event } = await import("../../src/index.ts");
  const go = new Event();
  const work = async (n: number): Promise<number> => {
    if (n === 0) await go.wait();
    return n;
  };
  const seen: number[] = [];
  for await (const each of other.imapUnordered(work, [0, 1, 2, 3], { chunkSize: 1 })) {
    seen.push(each);
    if (seen.length === 3) go.set();
  }
  assert.equal(seen.at(-1), 0);
});

test("129: terminate stops what runs; twice, before any task, and after close it is safe", async () => {
  const unused = new Pool(2);
  unused.terminate();
  unused.terminate();
  await unused.join();
  const busy = new Pool(2);
  const pids = await Promise.all([0, 1].map(() => busy.apply(() => process.pid)));
  const running = [busy.applyAsync(spin), busy.applyAsync(spin)];
  busy.close();
  busy.terminate();
  busy.terminate();
  for (const task of running) await assert.rejects(task.get(), CancelledError);
  await busy.join();
  for (const pid of pids) await until(() => !runs(pid));
  assert.throws(() => busy.applyAsync(square, [1]), StateError);
  busy.terminate();
  busy.close();
  await busy.join();
});
