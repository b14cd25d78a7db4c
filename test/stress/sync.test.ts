import assert from "node:assert/strict";
import { test } from "node:test";
import { Barrier, Condition, Lock, Process, RLock, Semaphore, SharedArray, Value } from "../../src/index.ts";
import { Random } from "../helpers/random.ts";

// Four processes hammer each primitive with random time-outs and aborts; lockers are killed at random, too. MULTIPROC_SEED
// repeats the choices, MULTIPROC_STRESS_MS gives the time for all.

const PROCESSES = 4;
const SEED = Number(process.env["MULTIPROC_SEED"] ?? Date.now() % 1_000_000);
const EACH_MS = Number(process.env["MULTIPROC_STRESS_MS"] ?? 10_000) / 5;
/** Far more than anything takes; who is not done by then sleeps for ever. */
const PATIENCE_MS = 60_000;

console.log(`stress of synchronization: MULTIPROC_SEED=${SEED}`);

async function allEnd(children: readonly Process[]): Promise<void> {
  for (const child of children) {
    assert.equal(await child.join({ timeout: PATIENCE_MS }), 0, `${child.name} was not woken, or failed`);
  }
}

const makers: [string, () => Lock | RLock][] = [
  ["Lock", () => new Lock()],
  ["RLock", () => new RLock()],
];

for (const [name, make] of makers) {
  test(`${name}: one holder at a time, and nobody sleeps for ever, under time-outs, aborts and kills`, async () => {
    const lock = make();
    const owner = new SharedArray("int32", 1);
    const turns = new Value("int32", 0);
    const stop = new Value("int32", 0);
    const hammer = async (seed: number): Promise<void> => {
      const random = new Random(seed);
      const enter = (): void => {
        if (owner.view[0] !== 0 && !lock.ownerDied) throw new Error(`${owner.view[0]} is inside`);
        owner.view[0] = process.pid;
        for (let i = random.below(200); i > 0; i--) {
          if (owner.view[0] !== process.pid) throw new Error(`${owner.view[0]} came in`);
        }
        owner.view[0] = 0;
        turns.add(1);
      };
      while (stop.value === 0) {
        const choice = random.below(4);
        let got: boolean;
        if (choice === 0) got = lock.acquireSync();
        else if (choice === 1) got = lock.acquireSync({ timeout: random.below(3) });
        else if (choice === 2) got = await lock.acquire({ timeout: 1 + random.below(3) });
        else {
          const abort = new AbortController();
          const acquired = lock.acquire({ signal: abort.signal });
          setImmediate(() => abort.abort(new Error("enough")));
          got = await acquired.catch(() => false);
        }
        if (!got) continue;
        enter();
        lock.release();
      }
    };
    const random = new Random(SEED);
    const start = (): Process => new Process(hammer, random.below(1e6)).start();
    const children = Array.from({ length: PROCESSES }, start);
    const until = Date.now() + EACH_MS;
    let killed = 0;
    while (Date.now() < until) {
      const goal = turns.value + 1 + random.below(2000);
      const from = Date.now();
      while (turns.value < goal && Date.now() < until) {
        await new Promise((resolve) => setImmediate(resolve));
        assert.ok(Date.now() - from < PATIENCE_MS, "nobody gets the lock any more");
      }
      const victim = random.below(PROCESSES);
      const child = children[victim] as Process;
      assert.ok(child.isAlive(), `${child.name} has failed`);
      child.kill();
      await child.join();
      killed += 1;
      children[victim] = start();
    }
    stop.value = 1;
    await allEnd(children);
    assert.ok(killed > 0 && turns.value > 0);
    assert.equal(await lock.acquire({ timeout: PATIENCE_MS }), true);
    lock.release();
  });
}

test("Semaphore: permits are conserved under time-outs and aborts", async () => {
  const permits = 2;
  const semaphore = new Semaphore(permits);
  const inside = new Value("int32", 0);
  const stop = new Value("int32", 0);
  const hammer = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    while (stop.value === 0) {
      const choice = random.below(3);
      let got: boolean;
      if (choice === 0) got = semaphore.acquireSync({ timeout: random.below(3) });
      else if (choice === 1) got = await semaphore.acquire();
      else {
        const abort = new AbortController();
        const acquired = semaphore.acquire({ signal: abort.signal });
        setImmediate(() => abort.abort(new Error("enough")));
        got = await acquired.catch(() => false);
      }
      if (!got) continue;
      const count = inside.add(1);
      for (let i = random.below(200); i > 0; i--) if (inside.value > permits) throw new Error(`${count} are inside`);
      inside.add(-1);
      semaphore.release();
    }
  };
  const children = Array.from({ length: PROCESSES }, (_, i) => new Process(hammer, SEED + i).start());
  await new Promise((resolve) => setTimeout(resolve, EACH_MS));
  stop.value = 1;
  await allEnd(children);
  assert.equal(inside.value, 0);
  assert.equal(semaphore.value, permits);
});

test("Condition: every item that is put is taken once, under time-outs", async () => {
  const condition = new Condition();
  const items = new Value("int32", 0);
  const taken = new Value("int32", 0);
  const stop = new Value("int32", 0);
  const take = async (seed: number): Promise<void> => {
    const random = new Random(seed);
    for (;;) {
      await condition.acquire();
      try {
        while (items.value === 0 && stop.value === 0) {
          if (random.below(2) === 0) condition.waitSync({ timeout: 1 + random.below(5) });
          else await condition.wait(random.below(2) === 0 ? {} : { timeout: 1 + random.below(5) });
        }
        if (items.value === 0) return;
        items.value -= 1;
        taken.value += 1;
      } finally {
        condition.release();
      }
    }
  };
  const children = Array.from({ length: PROCESSES }, (_, i) => new Process(take, SEED + i).start());
  const random = new Random(SEED);
  let put = 0;
  for (const until = Date.now() + EACH_MS; Date.now() < until;) {
    const count = 1 + random.below(3);
    await condition.use(() => {
      items.value += count;
      condition.notify(count);
    });
    put += count;
    const from = Date.now();
    while (taken.value < put && random.below(3) > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(Date.now() - from < PATIENCE_MS, "a notify was lost");
    }
  }
  await condition.use(() => {
    stop.value = 1;
    condition.notifyAll();
  });
  await allEnd(children);
  assert.equal(taken.value, put);
});

test("Barrier: nobody goes on before all are there, in any round", async () => {
  const barrier = new Barrier(PROCESSES);
  const rounds = new SharedArray("int32", PROCESSES);
  const stop = new Value("int32", 0);
  const last = new Value("int32", -1);
  const meet = async (me: number): Promise<void> => {
    const random = new Random(SEED + me);
    for (let round = 1; ; round++) {
      rounds.view[me] = round;
      // All see the same end: the round is fixed by one of them, before a barrier.
      if (me === 0 && stop.value === 1 && last.value === -1) last.value = round + 1;
      if (random.below(2) === 0) barrier.waitSync();
      else await barrier.wait();
      for (const each of rounds.view) if (each < round) throw new Error(`round ${round}: a party is in round ${each}`);
      if (round === last.value) return;
    }
  };
  const children = Array.from({ length: PROCESSES }, (_, i) => new Process(meet, i).start());
  await new Promise((resolve) => setTimeout(resolve, EACH_MS));
  stop.value = 1;
  await allEnd(children);
});
