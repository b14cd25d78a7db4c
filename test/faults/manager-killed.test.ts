import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { type DictProxy, Manager, ManagerDiedError, Process } from "../../src/index.ts";
import { Random } from "../helpers/random.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { countBlocks } from "../helpers/count-blocks.ts";

/** Gives the error of what must fail. */
async function errorOf(promise: Promise<unknown>): Promise<ManagerDiedError> {
  const error = await promise.then(
    () => assert.fail("it did not fail"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ManagerDiedError, String(error));
  return error;
}

test("a killed manager: pending and later calls of its owner fail and say how it ended, blocking ones too", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const queue = await m.queue();
  const d = await m.dict({ a: 1 });
  const pid = m.pid as number;
  const pending = [queue.get(), queue.get({ timeout: 60_000 }), (await m.lock()).acquire().then(() => queue.get())].map(
    errorOf,
  );
  await d.get("a");
  process.kill(pid, "SIGKILL");
  for (const error of await Promise.all(pending)) {
    assert.deepEqual([error.pid, error.exitCode, error.signal], [pid, -9, "SIGKILL"]);
  }
  assert.equal((await errorOf(d.get("a"))).signal, "SIGKILL");
  assert.throws(() => d.getSync("a"), ManagerDiedError);
  assert.throws(() => d.sync.a, ManagerDiedError);
});

test("a manager killed while its owner is blocked in a call: the call fails", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const queue = await m.queue();
  const pid = m.pid as number;
  // Kills when the owner is in its blocking call: the manager says so by asking for it.
  const killer = new Process(async () => {
    await queue.size();
    process.kill(pid, "SIGKILL");
  });
  killer.start();
  assert.throws(
    () => queue.getSync(),
    (error) => error instanceof ManagerDiedError && error.signal === "SIGKILL",
  );
  await killer.join();
});

test("a killed manager: children that wait or call get the error, none hangs", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const queue = await m.queue();
  const started = await m.barrier(4);
  // The manager may be gone before everybody has heard that the barrier is open.
  const nameOf = async (work: () => Promise<unknown>): Promise<string> => {
    try {
      await work();
      return "no error";
    } catch (error) {
      return (error as Error).name;
    }
  };
  const waits = (): Promise<string> =>
    nameOf(async () => {
      await started.wait();
      await queue.get();
    });
  const blocks = (): Promise<string> =>
    nameOf(async () => {
      started.waitSync();
      queue.getSync();
    });
  const hammers = (): Promise<string> =>
    nameOf(async () => {
      await started.wait();
      for (;;) await Promise.all(Array.from({ length: 50 }, () => queue.size()));
    });
  const children = [waits, blocks, hammers].map((target) => new Process(target as () => unknown).start());
  await started.wait();
  process.kill(m.pid as number, "SIGKILL");
  for (const child of children) assert.equal(await child.result({ timeout: 10_000 }), "ManagerDiedError");
});

test("random clients are killed under load: the others go on, locks are passed on, nothing is lost", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const counts: DictProxy<string, number> = await m.dict<string, number>({ done: 0, inside: 0, broken: 0 });
  const lock = await m.lock();
  const work = await m.queue<number>();
  const results = await m.list<number>();
  const worker = async (): Promise<void> => {
    for await (const n of work) {
      await lock.acquire();
      if ((await counts.compute("inside", (v) => (v ?? 0) + 1)) !== 1)
        await counts.compute("broken", (v) => (v ?? 0) + 1);
      await counts.compute("inside", () => 0);
      await lock.release();
      await results.push(n);
      counts.computeSync("done", (v) => (v ?? 0) + 1);
    }
  };
  const victim = async (): Promise<never> => {
    for (;;) {
      await lock.acquire();
      await counts.set("inside", 0);
      await lock.release();
    }
  };
  const workers = [1, 2].map(() => new Process(worker).start());
  for (let i = 0; i < 8; i++) {
    const doomed = new Process({ target: victim, stdio: "ignore" }).start();
    // It is at work for sure when it has said something to the manager.
    for (const n of [1, 2, 3]) await work.put(i * 3 + n);
    const until = (i + 1) * 3;
    while ((await results.length()) < until) await new Promise((resolve) => setImmediate(resolve));
    doomed.kill();
    await doomed.join();
    // Whoever held the lock is gone or will let go: it can be had.
    assert.equal(await lock.acquire({ timeout: 10_000 }), true);
    await lock.release();
  }
  await work.shutdown();
  for (const each of workers) await each.result();
  assert.deepEqual(
    (await results.toArray()).sort((a, b) => a - b),
    Array.from({ length: 24 }, (_, i) => i + 1),
  );
  assert.equal(await counts.get("done"), 24);
  assert.equal(await counts.get("broken"), 0);
});

test("a client is killed while it waits for an item: the item goes to the next one", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const queue = await m.queue<number>();
  const ready = await m.event();
  for (let i = 0; i < 5; i++) {
    await ready.clear();
    const doomed = new Process({
      target: () => {
        ready.setSync();
        queue.getSync();
        queue.getSync();
      },
      stdio: "ignore",
    }).start();
    await ready.wait();
    process.kill(doomed.pid as number, "SIGKILL");
    await doomed.join();
    await queue.put(i);
    assert.equal(await queue.get({ timeout: 10_000 }), i);
  }
});

test("what only a killed client held is freed", async (t) => {
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const ready = await m.event();
  const before = await m.numberOfObjects();
  const holder = new Process({
    target: async () => {
      const kept = await Promise.all([m.dict(), m.list(), m.queue()]);
      await ready.set();
      await kept[2].get();
    },
    stdio: "ignore",
  }).start();
  await ready.wait();
  assert.equal(await m.numberOfObjects(), before + 3);
  holder.kill();
  await holder.join();
  assert.equal(await m.numberOfObjects(), before);
});

test("a manager ends when its owner is killed", async () => {
  const owner = new Process({
    target: async () => {
      const m = await Manager.start();
      process.stdout.write(`${m.pid}\n`);
      await new Promise(() => setInterval(() => {}, 1000));
    },
    stdio: ["ignore", "pipe", "ignore"],
  }).start();
  const pid = await new Promise<number>((resolve) => owner.stdout?.once("data", (text) => resolve(Number(text))));
  process.kill(pid, 0);
  owner.kill();
  await owner.join();
  const deadline = Date.now() + 5000;
  const isAlive = (): boolean => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  while (isAlive() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(isAlive(), false);
});

test("a manager that is never disposed of does not keep the program alive", async () => {
  const program = new Process(async () => {
    const m = await Manager.start();
    const d = await m.dict({ a: 1 });
    return await d.get("a");
  }).start();
  assert.equal(await program.result(), 1);
  assert.equal(await program.join({ timeout: 10_000 }), 0);
});

test("a manager that was shut down or killed gives back all that its owner shared with it", async () => {
  const use = async (isKilled: boolean): Promise<void> => {
    const manager = await Manager.start();
    const dict = await manager.dict<string, number>();
    await dict.set("a", 1);
    if (isKilled) {
      process.kill(manager.pid as number, "SIGKILL");
      await assert.rejects(dict.get("a"), ManagerDiedError);
    }
    await manager.shutdown();
  };
  const settled = async (): Promise<number> => {
    for (let i = 0; i < 4; i++) await collectGarbage();
    return countBlocks().extents;
  };
  for (const isKilled of [false, true]) {
    // One is kept warm for the next, so the first ones make more than they leave.
    for (let i = 0; i < 2; i++) await use(isKilled);
    const before = await settled();
    for (let i = 0; i < 4; i++) await use(isKilled);
    const after = await settled();
    // Each link has two extents; a warm manager more or less may be there.
    assert.ok(after - before <= 2, `${after - before} extents more after 4 managers (killed: ${isKilled})`);
  }
});

test("random clients, then the manager, are killed under load: each caller gets the error, locks and objects are seen to, none hangs", async (t) => {
  const random = new Random();
  t.diagnostic(`MULTIPROC_SEED=${random.seed}`);
  for (let round = 0; round < 3; round++) {
    const m = await Manager.start();
    t.after(() => m.shutdown());
    const { port } = await m.listen({ port: 0 }, { authkey: "key" });
    const [d, lock, queue] = [await m.dict<string, number>({ n: 0 }), await m.lock(), await m.queue<number>(100)];
    const atWork = await m.value("int32");
    await Promise.all([m.share("d", d), m.share("lock", lock), m.share("queue", queue), m.share("atWork", atWork)]);
    const before = await m.numberOfObjects();
    const work: (() => Promise<void>)[] = [
      async () => {
        for (;;) await lock.use(() => d.compute("n", (n) => (n ?? 0) + 1));
      },
      async () => {
        for (;;) lock.useSync(() => d.computeSync("n", (n) => (n ?? 0) + 1));
      },
      async () => {
        for (;;) await Promise.all(Array.from({ length: 200 }, (_, i) => d.set(`key ${i}`, i)));
      },
      async () => {
        for (;;) await queue.put(1, { timeout: 60_000 });
      },
      async () => {
        for (;;) queue.getSync();
      },
      async () => {
        const far = await Manager.connect({ port }, { authkey: "key" });
        const farLock = await far.get<typeof lock>("lock");
        const kept = [await far.dict(), await far.list(), await far.queue()];
        await (await far.get<typeof atWork>("atWork")).add(1);
        for (;;) await farLock.use(() => (kept[0] as typeof d).get("a"));
      },
    ];
    const clients = work.map((loop, i) => {
      const isStranger = i === work.length - 1;
      const target = async (): Promise<string> => {
        try {
          const kept = isStranger ? [] : await Promise.all([m.dict(), m.list(), m.queue()]);
          if (!isStranger) await atWork.add(1);
          await loop();
          return `ended, with ${kept.length} objects`;
        } catch (error) {
          return (error as Error).name;
        }
      };
      return new Process({ target, stdio: ["ignore", "ignore", "inherit"] }).start();
    });
    while ((await atWork.get()) < clients.length) await turn();
    const alive = [...clients];
    for (let i = 0; i < 3; i++) {
      const [victim] = alive.splice(random.below(alive.length), 1) as [Process];
      victim.kill();
      assert.equal(await victim.join({ timeout: 20_000 }), -9);
      // Whoever held the lock is gone, or will let go of it.
      assert.equal(await lock.acquire({ timeout: 20_000 }), true);
      await lock.release();
    }
    // Those that are alive hold three each; that a stranger is gone is heard a moment later.
    while ((await m.numberOfObjects()) > before + 3 * alive.length) await turn();
    const never = await m.queue();
    const pending = Array.from({ length: 20 }, () => errorOf(never.get()));
    process.kill(m.pid as number, "SIGKILL");
    for (const client of alive) assert.equal(await client.result({ timeout: 20_000 }), "ManagerDiedError");
    for (const error of await Promise.all(pending)) assert.equal(error.signal, "SIGKILL");
    assert.equal((await errorOf(d.get("n"))).signal, "SIGKILL");
    await m.shutdown();
  }
});
