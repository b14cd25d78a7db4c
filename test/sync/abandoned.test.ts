import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  activeChildren,
  Barrier,
  BrokenBarrierError,
  Condition,
  Event,
  Lock,
  Process,
  ProcessDiedError,
  Queue,
  RLock,
  Semaphore,
} from "../../src/index.ts";

/** Longer than it takes to conclude that nobody is left. */
const LONG_MS = 700;

// Those of a test that failed wait for ever.
afterEach(async () => {
  for (const child of activeChildren()) {
    child.kill();
    await child.join();
  }
});

/** A child that has the objects and does nothing with them. */
async function bystander(...objects: object[]): Promise<Process> {
  const [ready, stay] = [new Event(), new Event()];
  const child = new Process(
    (kept: object[], says: Event) => {
      says.set();
      stay.waitSync();
      return kept.length;
    },
    objects,
    ready,
  ).start();
  await ready.wait();
  return child;
}

async function killed(child: Process): Promise<number> {
  const pid = child.pid as number;
  child.kill();
  await child.join();
  return pid;
}

function namesDead(pid: number): (error: unknown) => boolean {
  return (error) => error instanceof ProcessDiedError && error.pid === pid && error.message.includes(` ${pid} died`);
}

for (const how of ["wait", "waitSync"] as const) {
  for (const make of [() => new Lock(), () => new RLock()]) {
    test(`Condition.${how}: the only one who could notify is killed (${make().constructor.name})`, async () => {
      const condition = new Condition(make());
      const child = await bystander(condition);
      condition.acquireSync();
      const pid = child.pid as number;
      if (how === "waitSync") process.kill(pid, "SIGKILL");
      const waiting = async (): Promise<boolean> => await condition[how]({ timeout: 60_000 });
      const told = assert.rejects(waiting, namesDead(pid));
      await killed(child);
      await told;
      assert.equal(condition.locked, true, "the lock is held again");
      condition.release();
    });
  }
}

test("Condition: all who wait are told, in this process and in others, blocked or not", async () => {
  const condition = new Condition();
  const notifier = await bystander(condition);
  const waits = new Semaphore(0);
  const target = async (blocking: boolean): Promise<string> => {
    await condition.acquire();
    waits.release();
    try {
      return String(blocking ? condition.waitSync() : await condition.wait());
    } catch (error) {
      return (error as Error).message;
    } finally {
      condition.release();
    }
  };
  const children = [true, false].map((blocking) => new Process(target, blocking).start());
  for (let i = 0; i < 2; i++) await waits.acquire();
  const mine = [1, 2].map(() => condition.use(() => condition.wait()));
  const told = mine.map((wait) => assert.rejects(wait, namesDead(notifier.pid as number)));
  const pid = await killed(notifier);
  await Promise.all(told);
  for (const child of children) assert.match((await child.result()) as string, new RegExp(`process ${pid} died`));
});

test("Condition: nobody is told as long as somebody is left who could notify, or is on his way", async () => {
  const condition = new Condition();
  const box = new Queue<Condition>();
  const [dead, living] = [await bystander(condition), await bystander(condition)];
  const waiting = condition.use(() => condition.wait());
  await killed(dead);
  await sleep(LONG_MS);
  box.tryPut(condition);
  await killed(living);
  await sleep(LONG_MS);
  const notifier = new Process(async () => {
    const received = await box.get();
    await received.use(() => received.notify());
  }).start();
  assert.equal(await waiting, true);
  await notifier.join();
});

test("Condition: who waits for a time only is told alone, and may notify the others", async () => {
  const condition = new Condition();
  const dead = await bystander(condition);
  const waits = new Event();
  const child = new Process(() =>
    condition.use(async () => {
      waits.set();
      const outcome = await condition.wait({ timeout: 60_000 }).catch((error: Error) => error.name);
      condition.notify();
      return outcome;
    }),
  ).start();
  const waiting = condition.use(() => condition.wait());
  await waits.wait();
  await killed(dead);
  assert.equal(await waiting, true);
  assert.equal(await child.result(), "ProcessDiedError");
});

for (const how of ["acquire", "acquireSync"] as const) {
  test(`Semaphore.${how}: the only one who could release is killed without having acquired`, async () => {
    const semaphore = new Semaphore(0);
    const child = await bystander(semaphore);
    const pid = await killed(child);
    await assert.rejects(async () => await semaphore[how]({ timeout: 60_000 }), namesDead(pid));
  });
}

test("Semaphore: a permit that another task of this process holds comes back, whoever died", async () => {
  const semaphore = new Semaphore(1);
  const child = await bystander(semaphore);
  await semaphore.acquire();
  const waiting = semaphore.acquire();
  await killed(child);
  await sleep(LONG_MS);
  semaphore.release();
  assert.equal(await waiting, true);
});

test("Event.waitSync: the only one who could set it is killed, or just ends", async () => {
  const event = new Event();
  const child = await bystander(event);
  process.kill(child.pid as number, "SIGKILL");
  assert.throws(() => event.waitSync(), namesDead(child.pid as number));
  await child.join();

  const other = new Event();
  const ends = new Process(() => void other.isSet).start();
  assert.throws(() => other.waitSync(), {
    code: "ERR_PROCESS_DIED",
    pid: ends.pid,
    message: /ended, and nobody is left/,
  });
  await ends.join();
});

test("Event.wait: who waits by a promise may set it himself, whoever died", async () => {
  const event = new Event();
  const child = await bystander(event);
  const waiting = event.wait();
  await killed(child);
  await sleep(LONG_MS);
  event.set();
  assert.equal(await waiting, true);
});

test("a process that just ends does not end the waits of promises", async () => {
  const [condition, semaphore] = [new Condition(), new Semaphore(0)];
  const waits = [condition.use(() => condition.wait()), semaphore.acquire()];
  const child = new Process(() => void [condition.locked, semaphore.value]).start();
  assert.equal(await child.join(), 0);
  await sleep(LONG_MS);
  await condition.use(() => condition.notify());
  semaphore.release();
  assert.deepEqual(await Promise.all(waits), [true, true]);
});

function brokenBy(pid: number): (error: unknown) => boolean {
  return (error) => error instanceof BrokenBarrierError && error.message.includes(`process ${pid} is gone`);
}

for (const how of ["wait", "waitSync"] as const) {
  test(`Barrier.${how}: a party that is killed before it comes breaks it`, async () => {
    const barrier = new Barrier(2);
    const child = await bystander(barrier);
    const pid = await killed(child);
    await assert.rejects(async () => await barrier[how](), brokenBy(pid));
    assert.equal(barrier.broken, true);
    barrier.reset();
    const next = new Process(() => barrier.waitSync()).start();
    await barrier.wait();
    await next.result();
  });

  test(`Barrier.${how}: the parties are children, and the maker is none of them`, async () => {
    const barrier = new Barrier(3);
    const message = async (): Promise<string> => {
      try {
        await barrier[how]();
        return "met";
      } catch (error) {
        return `${(error as Error).name}: ${(error as Error).message}`;
      }
    };
    const children = [1, 2].map(() => new Process(message).start());
    const third = await bystander(barrier);
    while (barrier.nWaiting < 2) await sleep(2);
    const pid = await killed(third);
    for (const child of children) {
      assert.equal(
        await child.result(),
        `BrokenBarrierError: The barrier is broken: process ${pid} is gone, and will not come`,
      );
    }
  });
}

test("Barrier: a party that took part in a round and is killed before the next breaks that one", async () => {
  const barrier = new Barrier(2);
  const child = new Process(async () => {
    await barrier.wait();
    setInterval(() => {}, 1000);
  }).start();
  await barrier.wait();
  const waiting = barrier.wait();
  const told = assert.rejects(waiting, brokenBy(child.pid as number));
  await killed(child);
  await told;
});

test("Barrier: a process that is started in the place of the dead one takes part", async () => {
  const barrier = new Barrier(2);
  const child = await bystander(barrier);
  const waiting = barrier.wait();
  await killed(child);
  const next = new Process(async () => {
    await new Promise((resolve) => setTimeout(resolve, 700));
    return barrier.wait();
  }).start();
  assert.deepEqual(
    [await waiting, await next.result()].sort((a, b) => Number(a) - Number(b)),
    [0, 1],
  );
});

test("Barrier: who died and is not needed breaks nothing", async () => {
  const barrier = new Barrier(2);
  const [dead, living] = [await bystander(barrier), new Process(() => barrier.waitSync()).start()];
  while (barrier.nWaiting < 1) await sleep(2);
  await killed(dead);
  const other = await bystander(barrier);
  await sleep(LONG_MS);
  assert.equal(await barrier.wait(), 1);
  assert.equal(await living.result(), 0);
  await killed(other);
});
