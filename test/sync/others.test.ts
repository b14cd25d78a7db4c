import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  Barrier,
  BoundedSemaphore,
  BrokenBarrierError,
  Condition,
  Event,
  Lock,
  LockNotHeldError,
  Process,
  ProcessDiedError,
  RLock,
  Semaphore,
  SharedArray,
  Value,
  wait,
} from "../../src/index.ts";
import { TIMED_OUT, WaitQueue } from "../../src/wait/index.ts";

const ascending = (a: number | undefined, b: number | undefined): number => (a ?? 0) - (b ?? 0);
const alphabetic = (a: string, b: string): number => a.localeCompare(b);

test("Semaphore: 2, 1, 0, and above its start (43)", async () => {
  const semaphore = new Semaphore(2);
  assert.equal(await semaphore.acquire(), true);
  assert.equal(semaphore.acquireSync(), true);
  assert.equal(semaphore.value, 0);
  assert.equal(semaphore.tryAcquire(), false);
  assert.equal(await semaphore.acquire({ timeout: 3 }), false);
  assert.equal(semaphore.acquireSync({ timeout: 3 }), false);
  semaphore.release(4);
  assert.equal(semaphore.value, 4);
});

test("Semaphore: of no permits none is taken until somebody releases (45)", async () => {
  const semaphore = new Semaphore(0);
  assert.equal(semaphore.locked, true);
  assert.equal(semaphore.tryAcquire(), false);
  for (const timeout of [0, 20]) {
    const start = Date.now();
    assert.equal(await semaphore.acquire({ timeout }), false);
    assert.equal(semaphore.acquireSync({ timeout }), false);
    assert.ok(Date.now() - start >= 2 * timeout - 2, "it gave up before its time");
  }
  const waiting = semaphore.acquire();
  assert.equal(await new Process(() => semaphore.release(2)).start().join(), 0);
  assert.equal(await waiting, true);
  assert.equal(semaphore.acquireSync(), true);
  assert.equal(semaphore.value, 0);
});

test("BoundedSemaphore: too many releases are refused (44)", () => {
  const semaphore = new BoundedSemaphore(1);
  assert.throws(() => semaphore.release(), RangeError);
  semaphore.acquireSync();
  semaphore.release();
  assert.throws(() => semaphore.release(), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
  const two = new BoundedSemaphore(2);
  two.acquireSync();
  assert.throws(() => two.release(2), { message: "Cannot release the semaphore: 1 of its 2 permits are free" });
  assert.equal(two.value, 1, "none of them is released");
  assert.throws(() => new Semaphore(-1), RangeError);
  assert.throws(() => new BoundedSemaphore(1.5), RangeError);
});

test("Semaphore: never more holders than permits, over processes", async () => {
  const semaphore = new Semaphore(2);
  const seen = new SharedArray("int32", 2);
  const work = async (): Promise<void> => {
    for (let i = 0; i < 300; i++) {
      if (i % 2 === 0) await semaphore.acquire();
      else semaphore.acquireSync();
      const now = seen.add(0, 1) + 1;
      if (now > 2) seen.store(1, 1);
      seen.sub(0, 1);
      semaphore.release();
    }
  };
  const children = [1, 2, 3].map(() => new Process(work).start());
  for (const child of children) await child.result();
  assert.deepEqual([...seen.view], [0, 0]);
  assert.equal(semaphore.value, 2);
});

test("Semaphore: when the last permits died with their holder, waiting says so", async () => {
  for (const how of ["acquire", "acquireSync"] as const) {
    const semaphore = new Semaphore(1);
    const child = new Process(() => {
      semaphore.acquireSync();
      process.kill(process.pid, "SIGKILL");
    }).start();
    const { pid } = child;
    await child.join();
    const failed = async (): Promise<unknown> => await semaphore[how]({ timeout: 60_000 });
    await assert.rejects(failed, (error: unknown) => error instanceof ProcessDiedError && error.pid === pid);
  }
});

test("Condition: notify wakes one, notify(2) two, notifyAll the rest (47)", async () => {
  const condition = new Condition();
  const woken: number[] = [];
  const waits = [0, 1, 2, 3, 4].map((i) => condition.use(() => condition.wait()).then(() => woken.push(i)));
  await condition.use(() => condition.notify());
  await waits[0];
  assert.deepEqual(woken, [0]);
  await condition.use(() => condition.notify(2));
  await Promise.all([waits[1], waits[2]]);
  assert.deepEqual(woken, [0, 1, 2]);
  await condition.use(() => condition.notifyAll());
  await Promise.all(waits);
});

/** Waits until so many wait: who counts himself under the condition's lock lets go of it when he waits, not before. */
async function untilWaiting(condition: Condition, waiting: Value<"int32">, count: number): Promise<void> {
  while ((await condition.use(() => waiting.value)) !== count) await nextTurn();
}

test("Condition: of six waiters, blocked ones and tasks of several processes, as many wake as are notified (47)", async () => {
  const condition = new Condition(new Lock());
  const [waiting, round, woken] = [new Value("int32"), new Value("int32"), new Value("int32")];
  const wokeIn = new SharedArray("int32", 6);
  const wake = (i: number): void => {
    wokeIn.store(i, round.value);
    woken.add(1);
  };
  const blocking = (i: number): void =>
    condition.useSync(() => {
      waiting.add(1);
      condition.waitSync();
      wake(i);
    });
  const promising = (i: number): Promise<void> =>
    condition.use(async () => {
      waiting.add(1);
      await condition.wait();
      wake(i);
    });
  const start = [
    (i: number) => new Process(blocking, i).start().result(),
    (i: number) => new Process(promising, i).start().result(),
    promising,
  ];
  const ends: Promise<unknown>[] = [];
  for (let i = 0; i < 6; i++) {
    ends.push((start[i % 3] as (i: number) => Promise<unknown>)(i));
    await untilWaiting(condition, waiting, i + 1);
  }
  for (const [count, wakes] of [
    [1, 1],
    [2, 3],
    [4, 6],
    [1, 6],
  ] as const) {
    await condition.use(() => {
      round.add(1);
      condition.notify(count);
    });
    while ((await condition.use(() => woken.value)) < wakes) await nextTurn();
  }
  await Promise.all(ends);
  assert.deepEqual([...wokeIn.view], [1, 2, 2, 3, 3, 3]);
  assert.equal(await condition.use(() => condition.wait({ timeout: 5 })), false, "a notify of nobody is not kept");
});

test("Condition: a wait that SIGINT interrupts, or ends with its process, holds up nobody and eats no notify (51)", async () => {
  const lock = new RLock();
  const condition = new Condition(lock);
  const waiting = new Value("int32");
  const interrupted = (): Promise<string> =>
    condition.use(async () => {
      const controller = new AbortController();
      process.once("SIGINT", () => controller.abort(new Error("interrupted")));
      waiting.add(1);
      const reason = await condition.wait({ signal: controller.signal }).catch((error: unknown) => error);
      return `${String(reason)}, ${lock.isMine ? "and holds the lock" : "without the lock"}`;
    });
  const blocking = (): boolean =>
    condition.useSync(() => {
      waiting.add(1);
      return condition.waitSync();
    });
  const first = new Process(interrupted).start();
  const killed = new Process(blocking).start();
  await untilWaiting(condition, waiting, 2);
  const last = new Process(blocking).start();
  await untilWaiting(condition, waiting, 3);
  for (const { pid } of [first, killed]) process.kill(pid as number, "SIGINT");
  assert.equal(await first.result(), "Error: interrupted, and holds the lock");
  assert.equal(await killed.join(), -2);
  await condition.use(() => condition.notify());
  assert.equal(await last.result(), true);
  assert.equal(lock.locked, false);
});

test("Condition: between processes, blocking and waiting", async () => {
  const condition = new Condition(new Lock());
  const state = new SharedArray("int32", 1);
  const blocking = (): number => {
    condition.acquireSync();
    condition.waitForSync(() => state.view[0] === 4);
    condition.release();
    return 1;
  };
  const waiting = async (): Promise<number> => {
    await condition.use(() => condition.waitFor(() => state.view[0] === 4));
    return 2;
  };
  const children = [blocking, waiting].map((target) => new Process(target as () => number).start());
  for (let i = 1; i <= 4; i++) {
    await condition.use(() => {
      state.view[0] = i;
      condition.notifyAll();
    });
  }
  assert.deepEqual(await Promise.all(children.map((child) => child.result())), [1, 2]);
});

test("Condition: time-outs hold the lock again and eat no notify (48, 50, 52)", async () => {
  const condition = new Condition();
  await condition.acquire();
  assert.equal(await condition.wait({ timeout: 3 }), false);
  assert.equal(condition.waitSync({ timeout: 3 }), false);
  assert.equal(await condition.wait({ timeout: 0 }), false);
  assert.equal(condition.locked, true);
  assert.equal(await condition.waitFor(() => false, { timeout: 3 }), false);
  condition.release();
  const waiting = condition.use(() => condition.wait());
  await condition.use(() => condition.notify());
  assert.equal(await waiting, true);
});

test("Condition: wait and notify without the lock are refused (49)", async () => {
  const condition = new Condition();
  await assert.rejects(condition.wait(), LockNotHeldError);
  assert.throws(() => condition.waitSync(), LockNotHeldError);
  assert.throws(() => condition.notify(), LockNotHeldError);
  assert.throws(() => condition.notifyAll(), LockNotHeldError);
  assert.throws(() => new Condition(5 as never), TypeError);
});

test("Event: wait, set, clear, from another process (53)", async () => {
  const event = new Event();
  assert.equal(event.isSet, false);
  assert.equal(await event.wait({ timeout: 0 }), false);
  assert.equal(await event.wait({ timeout: 3 }), false);
  assert.equal(event.waitSync({ timeout: 3 }), false);
  const child = new Process(() => event.set()).start();
  assert.equal(await event.wait(), true);
  assert.equal(event.waitSync(), true);
  event.clear();
  assert.equal(event.isSet, false);
  await child.join();
  const blocked = new Process(() => event.waitSync()).start();
  event.set();
  assert.equal(await blocked.result(), true);
});

test("Event: a slow set() wakes nobody who has seen it already, cleared it and waits for the next one", async () => {
  const event = new Event();
  const original = Object.getOwnPropertyDescriptor(WaitQueue.prototype, "waiting") as PropertyDescriptor;
  let next: Promise<boolean> | undefined;
  // What others do between the two halves of set(): the flag, and waking those who wait.
  const meanwhile = (): void => {
    Object.defineProperty(WaitQueue.prototype, "waiting", original);
    assert.ok(event.isSet);
    event.clear();
    next = event.wait({ timeout: 60_000 });
  };
  Object.defineProperty(WaitQueue.prototype, "waiting", {
    configurable: true,
    get(this: WaitQueue) {
      meanwhile();
      return this.waiting;
    },
  });
  event.set();
  const wasSet = (next as Promise<boolean>).then(() => event.isSet);
  // Time for a wake-up that should not be to arrive.
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
  event.set();
  assert.equal(await wasSet, true, "woken before it was set again");
});

test("Event: wait() of several things gives those that are ready", async () => {
  const [a, b] = [new Event(), new Event()];
  assert.deepEqual(await wait([a, b], { timeout: 0 }), []);
  const waiting = wait([a, b]);
  await new Process(() => b.set()).start().join();
  assert.deepEqual(await waiting, [b]);
});

test("Barrier: five parties go on together, a thousand times, each with its own number (54, 55)", async () => {
  const barrier = new Barrier(5);
  const rounds = new SharedArray("int32", 1);
  const party = async (): Promise<number[]> => {
    const numbers: number[] = [];
    for (let i = 0; i < 1000; i++) {
      rounds.add(0, 1);
      numbers.push(i % 2 === 0 ? await barrier.wait() : barrier.waitSync());
      if (rounds.load(0) < 5 * (i + 1)) throw new Error("went on alone");
    }
    return numbers;
  };
  const children = [1, 2, 3, 4].map(() => new Process(party).start());
  const all = [await party(), ...(await Promise.all(children.map((child) => child.result() as Promise<number[]>)))];
  for (let i = 0; i < 1000; i++) {
    assert.deepEqual(all.map((numbers) => numbers[i]).sort(ascending), [0, 1, 2, 3, 4]);
  }
  assert.equal(barrier.nWaiting, 0);
  assert.equal(barrier.broken, false);
});

test("Barrier: the action runs once a round, before anyone goes on (55)", async () => {
  let ran = 0;
  const barrier = new Barrier(2, { action: () => void (ran += 1) });
  await Promise.all([barrier.wait(), barrier.wait()]);
  assert.equal(ran, 1);
  const failing = new Barrier(2, {
    action: () => {
      throw new Error("action");
    },
  });
  const results = await Promise.allSettled([failing.wait(), failing.wait()]);
  assert.deepEqual(
    results.map((result) => (result as PromiseRejectedResult).reason.constructor.name).toSorted(alphabetic),
    ["BrokenBarrierError", "Error"],
  );
  assert.equal(failing.broken, true);
});

test("Barrier: abort, reset, and a party that runs out of time (56, 57, 58)", async () => {
  const barrier = new Barrier(2);
  const waiting = barrier.wait();
  const rejected = assert.rejects(waiting, BrokenBarrierError);
  while (barrier.nWaiting === 0) await new Promise(setImmediate);
  barrier.abort();
  await rejected;
  await assert.rejects(barrier.wait(), BrokenBarrierError);
  assert.throws(() => barrier.waitSync(), BrokenBarrierError);
  barrier.reset();
  assert.equal(barrier.broken, false);
  assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(ascending), [0, 1]);
  const other = assert.rejects(barrier.wait({ timeout: 5 }), BrokenBarrierError);
  await other;
  assert.equal(barrier.broken, true);
  barrier.reset();
  const sent = assert.rejects(barrier.wait(), BrokenBarrierError);
  while (barrier.nWaiting === 0) await new Promise(setImmediate);
  barrier.reset();
  await sent;
  assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(ascending), [0, 1]);
  assert.equal(new Barrier(1).waitSync(), 0);
  assert.throws(() => new Barrier(0), RangeError);
});

for (const [whose, options, own] of [
  ["its own time-out", {}, { timeout: 5 }],
  ["the barrier's", { timeout: 5 }, undefined],
] as const) {
  test(`Barrier: a party that runs out of time, by ${whose}, breaks it for all, and all are told (57)`, async () => {
    const barrier = new Barrier(5, options);
    const patient = { timeout: 600_000 };
    const blocking = (): string => {
      try {
        return String(barrier.waitSync(patient));
      } catch (error) {
        return (error as Error).name;
      }
    };
    const waiting = (): Promise<string> => barrier.wait(patient).then(String, (error: Error) => error.name);
    const told = [blocking, waiting].map((party) => new Process(party as () => string).start().result());
    told.push(waiting());
    while (barrier.nWaiting < 3) await nextTurn();
    await assert.rejects(barrier.wait(own), BrokenBarrierError);
    assert.deepEqual(await Promise.all(told), ["BrokenBarrierError", "BrokenBarrierError", "BrokenBarrierError"]);
    assert.equal(barrier.broken, true);
    assert.throws(() => barrier.waitSync(), BrokenBarrierError);
  });
}

test("Barrier: a party that is killed while it waits breaks it, and is named", async () => {
  const barrier = new Barrier(3);
  const child = new Process(() => barrier.waitSync()).start();
  while (barrier.nWaiting === 0) await new Promise(setImmediate);
  const waiting = barrier.wait();
  const { pid } = child;
  child.kill();
  await assert.rejects(
    waiting,
    (error: unknown) => error instanceof BrokenBarrierError && error.message.includes(String(pid)),
  );
  await child.join();
});

test("Barrier: abort and reset at once after a wait that was not awaited", async () => {
  const barrier = new Barrier(2);
  for (const end of [() => barrier.abort(), () => barrier.reset()]) {
    const waiting = assert.rejects(barrier.wait(), BrokenBarrierError);
    end();
    await waiting;
    barrier.reset();
  }
  const first = barrier.wait();
  assert.equal(barrier.waitSync(), 1);
  assert.equal(await first, 0);
});

test("Barrier: while an asynchronous action runs others can come, and run out of time", async () => {
  const action = { promise: Promise.resolve(), done: (): void => {} };
  const barrier = new Barrier(2, { action: () => action.promise });
  const hold = (): void => {
    action.promise = new Promise((resolve) => (action.done = resolve));
  };
  hold();
  const round = [barrier.wait(), barrier.wait()];
  const next = [barrier.wait(), barrier.wait()];
  action.done();
  assert.deepEqual(await Promise.all(round), [0, 1]);
  assert.deepEqual(new Set(await Promise.all(next)), new Set([0, 1]));
  hold();
  const late = assert.rejects(barrier.wait({ timeout: 1 }), BrokenBarrierError);
  const runner = assert.rejects(barrier.wait(), BrokenBarrierError);
  await late;
  assert.equal(barrier.broken, true);
  action.done();
  await runner;
});

/** What others do while a wait at a barrier is about to park; then `park` goes on as `then` says. */
function meanwhile(t: TestContext, method: "park" | "parkSync", act: () => void, then?: () => unknown): void {
  const original = Object.getOwnPropertyDescriptor(WaitQueue.prototype, method) as TypedPropertyDescriptor<
    () => unknown
  >;
  const restore = (): void => void Object.defineProperty(WaitQueue.prototype, method, original);
  t.after(restore);
  Object.defineProperty(WaitQueue.prototype, method, {
    ...original,
    value(this: WaitQueue, ...args: []) {
      restore();
      act();
      return then === undefined ? original.value?.apply(this, args) : then();
    },
  });
}

test("Barrier: who is about to park while it is reset does not take that for a round that passed (56)", async (t) => {
  const barrier = new Barrier(2);
  meanwhile(t, "parkSync", () => barrier.reset());
  assert.throws(() => barrier.waitSync(), BrokenBarrierError);
  meanwhile(t, "park", () => {
    barrier.abort();
    barrier.reset();
  });
  await assert.rejects(barrier.wait(), BrokenBarrierError);
  assert.deepEqual((await Promise.all([barrier.wait(), barrier.wait()])).sort(ascending), [0, 1]);
});

test("Barrier: who runs out of time or is aborted just as the last one comes goes on with the others", async (t) => {
  const barrier = new Barrier(2);
  let last: Promise<number> | undefined;
  const come = (): void => void (last = barrier.wait());
  meanwhile(t, "parkSync", come, () => TIMED_OUT);
  assert.equal(barrier.waitSync({ timeout: 1 }), 0);
  assert.equal(await last, 1);
  meanwhile(t, "park", come, () => Promise.resolve(TIMED_OUT));
  assert.equal(await barrier.wait({ timeout: 1 }), 0);
  assert.equal(await last, 1);
  meanwhile(t, "park", come, () => Promise.reject(new Error("enough")));
  assert.equal(await barrier.wait(), 0);
  assert.equal(await last, 1);
  assert.equal(barrier.broken, false);
});
