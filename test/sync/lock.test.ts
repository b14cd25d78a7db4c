import assert from "node:assert/strict";
import { test } from "node:test";
import { Lock, LockNotHeldError, Process, RLock, SharedArray } from "../../src/index.ts";

for (const [name, make] of [
  ["Lock", () => new Lock()],
  ["RLock", () => new RLock()],
] as [string, () => Lock | RLock][]) {
  test(`${name}: acquire, release, and what is not held (40)`, async () => {
    const lock = make();
    assert.equal(lock.locked, false);
    assert.equal(await lock.acquire(), true);
    assert.equal(lock.locked, true);
    assert.equal(lock.release(), undefined);
    assert.throws(() => lock.release(), LockNotHeldError);
    assert.equal(lock.acquireSync(), true);
    lock.release();
    assert.equal(lock.tryAcquire(), true);
    lock.release();
  });

  test(`${name}.use() and guard() release whatever happens (46)`, async () => {
    const lock = make();
    await assert.rejects(
      lock.use(() => {
        assert.ok(lock.locked);
        throw new Error("inside");
      }),
      /inside/,
    );
    assert.equal(lock.locked, false);
    assert.throws(() => lock.useSync(() => assert.fail("inside")), /inside/);
    assert.equal(lock.locked, false);
    {
      using held = await lock.guard();
      assert.ok(lock.locked);
      void held;
    }
    assert.equal(lock.locked, false);
  });

  test(`${name}.useSync() refuses a function that goes on without the lock`, () => {
    const lock = make();
    const asynchronous = async (): Promise<void> => {
      await Promise.resolve();
      throw new Error("nobody waits for this");
    };
    assert.throws(() => lock.useSync(asynchronous), { name: "TypeError", message: /fn must be .* no promise/ });
    assert.equal(lock.locked, false);
  });

  test(`${name}: mutual exclusion of processes, blocking and waiting mixed`, async () => {
    const lock = make();
    const counter = new SharedArray("int32", 1);
    const rounds = 2000;
    const blocking = (): void => {
      for (let i = 0; i < rounds; i++) lock.useSync(() => (counter.view[0] = (counter.view[0] as number) + 1));
    };
    const waiting = async (): Promise<void> => {
      for (let i = 0; i < rounds; i++) {
        await lock.acquire();
        counter.view[0] = (counter.view[0] as number) + 1;
        lock.release();
      }
    };
    const children = [blocking, waiting, blocking].map((target) => new Process(target).start());
    await waiting();
    for (const child of children) assert.equal(await child.join(), 0);
    assert.equal(counter.view[0], 4 * rounds);
    assert.equal(lock.locked, false);
  });

  test(`${name}: the holder is killed, the next acquirer gets it and is told`, async () => {
    for (const how of ["blocking", "waiting", "later"]) {
      const lock = make();
      const held = new Lock();
      held.acquireSync();
      const child = new Process(() => {
        lock.acquireSync();
        held.release();
        setInterval(() => {}, 1000);
      }).start();
      await held.acquire();
      assert.equal(lock.tryAcquire(), false);
      if (how === "blocking") {
        process.kill(child.pid as number, "SIGKILL");
        assert.equal(lock.acquireSync(), true);
      } else if (how === "waiting") {
        const acquired = lock.acquire();
        child.kill();
        assert.equal(await acquired, true);
      } else {
        child.kill();
        await child.join();
        assert.equal(lock.tryAcquire(), true);
      }
      assert.equal(lock.ownerDied, true);
      lock.release();
      assert.equal(lock.ownerDied, false);
      await child.join();
    }
  });
}

test("Lock: a time-out gives false, an abort its reason, and neither leaves a trace (45)", async () => {
  const lock = new Lock();
  lock.acquireSync();
  assert.equal(await lock.acquire({ timeout: 0 }), false);
  assert.equal(await lock.acquire({ timeout: 5 }), false);
  assert.equal(lock.acquireSync({ timeout: 5 }), false);
  assert.equal(lock.acquireSync({ timeout: -1 }), false);
  const controller = new AbortController();
  const waiting = lock.acquire({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  const next = lock.acquire();
  lock.release();
  assert.equal(await next, true);
  lock.release();
});

test("Lock: another process may release it; RLock: not (41)", async () => {
  const lock = new Lock();
  lock.acquireSync();
  await new Process(() => lock.release()).start().result();
  assert.equal(lock.locked, false);
  const rlock = new RLock();
  rlock.acquireSync();
  const refused = new Process({ target: () => rlock.release(), stdio: "ignore" }).start();
  await assert.rejects(refused.result(), LockNotHeldError);
  rlock.release();
});

test("RLock: acquired three times it needs three releases (42)", async () => {
  const lock = new RLock();
  for (let i = 0; i < 3; i++) await lock.acquire();
  const tried = (): boolean => lock.tryAcquire();
  for (let i = 0; i < 3; i++) {
    assert.equal(await new Process(tried).start().result(), false);
    lock.release();
  }
  assert.throws(() => lock.release(), LockNotHeldError);
});

test("a waiter is not starved by a process that takes the lock again and again", async () => {
  const lock = new Lock();
  const stop = new SharedArray("int32", 1);
  const child = new Process(() => {
    while (stop.view[0] === 0) {
      lock.acquireSync();
      for (let i = 0; i < 1000; i++);
      lock.release();
    }
  }).start();
  for (let i = 0; i < 20; i++) {
    await lock.acquire();
    lock.release();
    lock.acquireSync();
    lock.release();
  }
  stop.view[0] = 1;
  assert.equal(await child.join(), 0);
});

test("a lock that comes back is the very lock", async () => {
  const lock = new Lock();
  const child = new Process(() => lock).start();
  assert.equal(await child.result(), lock);
});

test("RLock: handed to a task, it stays held though another task of the process acquires and releases it first", async () => {
  const lock = new RLock();
  const [held, go] = [new Lock(), new Lock()];
  held.acquireSync();
  go.acquireSync();
  const child = new Process(() => {
    lock.acquireSync();
    held.release();
    go.acquireSync();
    lock.release();
  }).start();
  await held.acquire();
  const waiting = lock.acquire();
  // So long that it is handed over, and the process has it before the task that waits knows.
  for (const start = Date.now(); Date.now() - start < 10;);
  go.release();
  while (!lock.isMine);
  assert.equal(lock.tryAcquire(), true);
  lock.release();
  assert.equal(await waiting, true);
  assert.equal(lock.isMine, true);
  lock.release();
  assert.equal(lock.locked, false);
  await child.join();
});
