import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { afterEach, test } from "node:test";
import {
  activeChildren,
  Barrier,
  BoundedSemaphore,
  Condition,
  type Deadlock,
  DeadlockError,
  deadlocks,
  Event,
  Lock,
  Process,
  RLock,
  Value,
} from "../../src/index.ts";
import { arena } from "../../src/memory/index.ts";

// Those of a test that failed wait for ever.
afterEach(() => end(activeChildren()));

type Mutex = Lock | RLock | BoundedSemaphore;

/** Takes the locks in a ring: each process holds one, then wants the next. */
function ring(locks: readonly Mutex[], blocking: boolean | ((i: number) => boolean)): Process<void>[] {
  const all = new Barrier(locks.length);
  const deadlocked = async (mine: Mutex, next: Mutex, blocks: boolean): Promise<void> => {
    mine.acquireSync();
    all.waitSync();
    if (blocks) next.acquireSync();
    else await next.acquire();
  };
  return locks.map((lock, i) => {
    const blocks = typeof blocking === "boolean" ? blocking : blocking(i);
    const args = [lock, locks[(i + 1) % locks.length] as Mutex, blocks] as const;
    return new Process({ name: `ring-${i}`, target: deadlocked, args: [...args] }).start() as Process<void>;
  });
}

async function found(): Promise<Deadlock[]> {
  for (;;) {
    const cycles = await deadlocks();
    if (cycles.length > 0) return cycles;
    await sleep(5);
  }
}

async function end(children: readonly Process<unknown>[]): Promise<void> {
  for (const child of children) child.kill();
  for (const child of children) await child.join();
}

/** The cycle, begun at the process of that name. */
function from(name: string, { processes }: Deadlock): Deadlock["processes"] {
  const at = processes.findIndex((party) => party.name === name);
  return [...processes.slice(at), ...processes.slice(0, at)];
}

for (const blocking of [true, false]) {
  const how = blocking ? "blocked" : "waiting in their event loops";

  test(`two processes take two locks in opposite order, ${how}: both are named, and where they acquired`, async () => {
    const locks = [new Lock({ name: "a" }), new Lock({ name: "b" })];
    const children = ring(locks, blocking);
    const cycles = await found();
    assert.equal(cycles.length, 1);
    const parties = from("ring-0", cycles[0] as Deadlock);
    assert.deepEqual(
      parties.map(({ pid, name, holds, waitsFor }) => ({ pid, name, holds, waitsFor })),
      [
        { pid: children[0]?.pid, name: "ring-0", holds: 'Lock "a"', waitsFor: 'Lock "b"' },
        { pid: children[1]?.pid, name: "ring-1", holds: 'Lock "b"', waitsFor: 'Lock "a"' },
      ],
    );
    for (const { acquiredAt } of parties) assertSite(acquiredAt, "mine.acquireSync();");
    await end(children);
    assert.deepEqual(await deadlocks(), []);
  });

  test(`three processes in a ring, ${how}; when one is killed the cycle is gone`, async () => {
    const locks = [new Lock(), new RLock(), new Lock()];
    const children = ring(locks, blocking);
    const parties = from("ring-0", (await found())[0] as Deadlock);
    assert.deepEqual(
      parties.map(({ name }) => name),
      ["ring-0", "ring-1", "ring-2"],
    );
    assert.deepEqual(
      parties.map(({ holds }) => holds.replace(/\d+/, "n")),
      ["Lock n", "RLock n", "Lock n"],
    );
    for (const [i, { waitsFor }] of parties.entries()) assert.equal(waitsFor, parties[(i + 1) % 3]?.holds);
    process.kill(children[1]?.pid as number, "SIGKILL");
    await children[1]?.join();
    assert.deepEqual(await deadlocks(), []);
    // The one that waited for it got its lock, and ends; so does the last.
    assert.equal(await children[0]?.join(), 0);
    assert.equal(await children[2]?.join(), 0);
  });
}

test("a cycle of one blocked process and one that waits by a promise", async () => {
  const children = ring([new RLock(), new Lock()], (i) => i === 0);
  assert.equal((await found())[0]?.processes.length, 2);
  await end(children);
});

test("a BoundedSemaphore of one permit is a lock, too", async () => {
  const children = ring([new BoundedSemaphore(1), new Lock()], true);
  const [one, other] = from("ring-0", (await found())[0] as Deadlock);
  assert.match(one?.holds as string, /^BoundedSemaphore \d+$/);
  assert.equal(other?.waitsFor, one?.holds);
  await end(children);
});

test("a process that blocks on a lock that it holds itself is a cycle of one", async () => {
  const lock = new Lock({ name: "mine" });
  const child = new Process({
    name: "alone",
    target: () => {
      lock.acquireSync();
      lock.acquireSync();
    },
  }).start();
  const [{ processes }] = (await found()) as [Deadlock];
  assert.equal(processes.length, 1);
  assert.deepEqual(processes[0]?.name, "alone");
  assert.equal(processes[0]?.holds, processes[0]?.waitsFor);
  await end([child]);
});

test("a task that waits for another task of its process is in no cycle", async () => {
  const lock = new Lock({ detectDeadlock: true });
  await lock.acquire();
  const waiting = lock.acquire();
  assert.deepEqual(await deadlocks(), []);
  assert.equal(await lock.acquire({ timeout: 350 }), false);
  lock.release();
  assert.equal(await waiting, true);
  lock.release();
});

test("detectDeadlock: a process that blocks on its own lock gets a DeadlockError that says where it acquired it", () => {
  const lock = new Lock({ detectDeadlock: true, name: "own" });
  lock.acquireSync();
  assert.throws(
    () => lock.acquireSync(),
    (error) => {
      assert.ok(error instanceof DeadlockError);
      assert.equal(error.code, "ERR_DEADLOCK");
      assert.match(error.message, /^Cannot acquire Lock "own": it would wait for ever: MainProcess \(pid \d+\) holds /);
      assert.equal(error.processes.length, 1);
      assertSite(error.processes[0]?.acquiredAt, "lock.acquireSync();");
      return true;
    },
  );
  lock.release();
  assert.equal(lock.tryAcquire(), true);
  lock.release();
});

test("the place of an acquire is the user's call, whichever way it goes", async () => {
  const lock = new RLock({ detectDeadlock: true });
  const other = new Lock({ detectDeadlock: true });
  const place = async (): Promise<string | undefined> => {
    // Another process holds `other` and blocks on `lock`: then whoever blocks on `other` here is told where `lock` was acquired.
    const held = new Event();
    const child = new Process(() => {
      other.acquireSync();
      held.set();
      try {
        lock.acquireSync();
        lock.release();
        return undefined;
      } catch (error) {
        // Both began to wait in the same millisecond, so this one was to give way.
        return (error as DeadlockError).processes.find(({ pid }) => pid !== process.pid)?.acquiredAt;
      } finally {
        other.release();
      }
    }).start();
    await held.wait();
    while (!isWaitedFor(lock)) await sleep(5);
    let found: string | undefined;
    try {
      other.acquireSync();
      other.release();
    } catch (error) {
      assert.ok(error instanceof DeadlockError);
      found = error.processes.find(({ pid }) => pid === process.pid)?.acquiredAt;
    }
    lock.release();
    return (await child.result()) ?? found;
  };
  const ways: [string, () => unknown][] = [
    ["lock.acquire();", () => lock.acquire()],
    ["lock.tryAcquire()", () => lock.tryAcquire()],
    ["lock.acquire({ timeout: 1000 })", () => lock.acquire({ timeout: 1000 })],
    ["lock.guard()", () => lock.guard()],
    ["lock.guardSync()", () => lock.guardSync()],
  ];
  for (const [text, acquire] of ways) {
    await acquire();
    assertSite(await place(), text);
  }
});

test("detectDeadlock: a condition's wait holds the lock again in any case; the other one gives way", async () => {
  const [lock, other] = [new Lock({ detectDeadlock: true }), new Lock({ detectDeadlock: true })];
  const condition = new Condition(lock);
  const waits = new Event();
  const waiter = (): string => {
    other.acquireSync();
    condition.acquireSync();
    waits.set();
    const woken = condition.waitSync();
    const outcome = `${woken} ${lock.locked}`;
    condition.release();
    other.release();
    return outcome;
  };
  const notifier = (): string => {
    waits.waitSync();
    // Held only when the other one waits, since it acquired it before it said so.
    condition.acquireSync();
    condition.notify();
    try {
      other.acquireSync();
      return "got both";
    } catch (error) {
      return (error as Error).name;
    } finally {
      condition.release();
    }
  };
  const children = [new Process(waiter).start(), new Process(notifier).start()];
  const results = await Promise.all(children.map((child) => child.result()));
  assert.deepEqual(results, ["true true", "DeadlockError"]);
});

for (const [kinds, make] of [
  ["Lock and Lock", () => [new Lock({ detectDeadlock: true }), new Lock({ detectDeadlock: true })]],
  ["RLock and Lock", () => [new RLock({ detectDeadlock: true }), new Lock({ detectDeadlock: true })]],
  ["a Lock that detects and one that does not", () => [new Lock({ detectDeadlock: true }), new Lock()]],
] as [string, () => (Lock | RLock)[]][]) {
  for (const blocking of [true, false]) {
    test(`detectDeadlock, ${kinds}, ${blocking ? "blocking" : "by promises"}: one gives way, the other goes on`, async () => {
      const [one, other] = make() as [Lock, Lock];
      const both = new Barrier(2);
      const work = async (mine: Lock, next: Lock, blocks: boolean): Promise<string> => {
        mine.acquireSync();
        try {
          both.waitSync();
          if (blocks) next.acquireSync();
          else await next.acquire();
          next.release();
          return "both";
        } catch (error) {
          return (error as Error).name;
        } finally {
          mine.release();
        }
      };
      const children = [new Process(work, one, other, blocking), new Process(work, other, one, blocking)];
      const results = await Promise.all(children.map((child) => child.start().result()));
      assert.deepEqual(results.sort(), ["DeadlockError", "both"]);
      assert.equal(one.locked || other.locked, false);
    });
  }
}

test("an acquire whose time runs out in a cycle gives false, and a warning names the cycle", async () => {
  const [mine, theirs] = [new Lock({ name: "mine" }), new Lock({ name: "theirs" })];
  const held = new Event();
  const child = new Process({
    name: "other",
    target: () => {
      theirs.acquireSync();
      held.set();
      mine.acquireSync();
    },
  }).start();
  await mine.acquire();
  await held.wait();
  // Not before the other one waits.
  while (!isWaitedFor(mine)) await sleep(5);
  const warning = once(process, "warning") as Promise<[Error]>;
  assert.equal(theirs.acquireSync({ timeout: 150 }), false);
  const [{ name, message }] = await warning;
  assert.equal(name, "MultiprocDeadlockWarning");
  assert.match(
    message,
    /^The time to acquire Lock "theirs" ran out in a deadlock: MainProcess \(pid \d+\) holds Lock "mine"/,
  );
  assert.match(message, /; other \(pid \d+\) holds Lock "theirs" \(acquired at .*:\d+\) and waits for Lock "mine"$/);
  mine.release();
  assert.equal(await child.join(), 0);
});

for (const blocking of [true, false]) {
  const how = blocking ? "blocking" : "by promises";
  test(`no false alarm under heavy traffic of locks that are taken in order, ${how}`, async () => {
    const locks = [1, 2, 3].map(() => new Lock({ detectDeadlock: true }));
    const stop = new Value("int32", 0);
    const rounds = new Value("int32", 0);
    const started = new Barrier(4);
    const traffic = async (seed: number): Promise<number> => {
      const task = async (n: number): Promise<void> => {
        for (let i = n; stop.value === 0; i++) {
          const [low, high] = [locks[i % 2], locks[(i % 2) + 1]] as [Lock, Lock];
          if (blocking) low.useSync(() => high.useSync(() => void rounds.add(1)));
          else {
            // Held over some turns of the event loop, while other tasks of the process wait: circles of processes, not of tasks.
            const turns = async (): Promise<void> => {
              for (let turn = 0; turn < 5; turn++) await nextTurn();
              rounds.add(1);
            };
            await low.use(() => high.use(turns));
          }
        }
      };
      await started.wait();
      await Promise.all((blocking ? [seed] : [seed, seed + 1, seed + 2]).map(task));
      return 0;
    };
    const children = [0, 1, 2].map((seed) => new Process(traffic, seed).start());
    await started.wait();
    // One look at such a circle takes its time.
    for (let looks = 0; looks < (blocking ? 500 : 15) || rounds.value < 500; looks++) {
      assert.deepEqual(await deadlocks(), []);
    }
    stop.value = 1;
    for (const child of children) assert.equal(await child.result(), 0);
  });
}

test("a process that is stopped is in no cycle of promises: its other tasks had no chance to let go", async () => {
  const [mine, theirs] = [new Lock(), new Lock()];
  const child = new Process(async () => {
    await theirs.acquire();
    await mine.acquire();
  });
  await mine.acquire();
  child.start();
  while (!isWaitedFor(mine)) await sleep(5);
  process.kill(child.pid as number, "SIGSTOP");
  const waiting = theirs.acquire();
  for (let i = 0; i < 3; i++) assert.deepEqual(await deadlocks(), []);
  process.kill(child.pid as number, "SIGCONT");
  assert.equal((await found())[0]?.processes.length, 2);
  mine.release();
  assert.equal(await waiting, true);
  assert.equal(await child.join(), 0);
});

test("bad options are refused by name", () => {
  assert.throws(() => new Lock({ detectDeadlocks: true } as never), { code: "ERR_UNKNOWN_OPTION" });
  assert.throws(() => new RLock({ detectDeadlock: 1 } as never), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => new Lock({ name: 1 } as never), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => new Lock(1 as never), { code: "ERR_INVALID_ARG_TYPE" });
});

/** Whether anybody waits for the lock. */
function isWaitedFor(lock: Lock | RLock): boolean {
  return Atomics.load(arena().words, (lock as unknown as { word: number }).word + 7) > 0;
}

/** The place is the line that holds this text. */
function assertSite(site: string | undefined, text: string): void {
  const [, file, line] = /^(.*?):(\d+)(?::\d+)?$/.exec(site ?? "") ?? [];
  assert.ok(file !== undefined, `a place, not ${site}`);
  const there = readFileSync(file, "utf8").split("\n")[Number(line) - 1];
  assert.ok(there?.includes(text), `${site} is: ${there}`);
}
