import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Barrier,
  BoundedSemaphore,
  BrokenBarrierError,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  Value,
} from "../../src/index.ts";
import { arena } from "../../src/memory/index.ts";
import { SemaphoreWord } from "../../src/sync/permit-holders.ts";
import { Random } from "../helpers/random.ts";
import { Crew, eventually } from "./crew.ts";
import { acquireSomehow, Enough, meetSomehow, waitSomehow } from "./somehow.ts";

// Four processes hammer each primitive by calls of all forms, with random time-outs and aborts, and are killed at random moments.
// MULTIPROC_SEED repeats the choices, MULTIPROC_STRESS_MS gives the time for all.

const PROCESSES = 4;
const SEED = Number(process.env["MULTIPROC_SEED"] ?? Date.now() % 1_000_000);
const EACH_MS = Number(process.env["MULTIPROC_STRESS_MS"] ?? 30_000) / 7;

console.log(`stress of synchronization: MULTIPROC_SEED=${SEED}`);

/** Kills one after the other, each after some more turns of all together. */
async function underKills(turns: Value<"int32">, random: Random, killOne: () => Promise<void>): Promise<void> {
  let killed = 0;
  for (const until = Date.now() + EACH_MS; Date.now() < until || killed === 0; killed++) {
    const goal = turns.value + 1 + random.below(2000);
    await eventually("they go on", () => turns.value >= goal || (Date.now() >= until && killed > 0));
    await killOne();
  }
}

const locks: [string, () => Lock | RLock][] = [
  ["Lock", () => new Lock()],
  ["RLock", () => new RLock()],
];

for (const [name, make] of locks) {
  test(`${name}: one holder at a time, and nobody sleeps for ever`, async () => {
    const lock = make();
    const owner = new SharedArray("int32", 1);
    const turns = new Value("int32", 0);
    const stop = new Value("int32", 0);
    const random = new Random(SEED);
    const inside = (random: Random): void => {
      if (owner.view[0] !== 0 && !lock.ownerDied) throw new Error(`${owner.view[0]} is inside`);
      owner.view[0] = process.pid;
      for (let i = random.below(200); i > 0; i--) {
        if (owner.view[0] !== process.pid) throw new Error(`${owner.view[0]} came in`);
      }
      if (lock instanceof RLock && random.below(4) === 0) {
        lock.acquireSync();
        lock.release();
      }
      if (owner.view[0] !== process.pid) throw new Error(`${owner.view[0]} came in`);
      owner.view[0] = 0;
    };
    const hammer = async (_place: number, seed: number): Promise<void> => {
      const random = new Random(seed);
      while (stop.value === 0) {
        if (!(await acquireSomehow(random, lock))) continue;
        inside(random);
        turns.add(1);
        lock.release();
      }
    };
    const crew = new Crew(PROCESSES, hammer, random);
    await underKills(turns, random, async () => crew.start(await crew.kill()));
    stop.value = 1;
    await crew.end();
    assert.equal(lock.tryAcquire(), true);
    lock.release();
  });
}

const semaphores: [string, (permits: number) => Semaphore][] = [
  ["Semaphore", (permits) => new Semaphore(permits)],
  ["BoundedSemaphore", (permits) => new BoundedSemaphore(permits)],
];

for (const [name, make] of semaphores) {
  test(`${name}: never more inside than permits, which are conserved, but for those that the dead took along`, async () => {
    const PERMITS = 3;
    const [OUTSIDE, ENTERING, INSIDE, LEAVING] = [0, 1, 2, 3];
    const semaphore = make(PERMITS);
    const states = new SharedArray("int32", PROCESSES);
    const turns = new Value("int32", 0);
    const stop = new Value("int32", 0);
    const random = new Random(SEED);
    const hammer = async (place: number, seed: number): Promise<void> => {
      const random = new Random(seed);
      while (stop.value === 0) {
        states.store(place, ENTERING as number);
        if (await acquireSomehow(random, semaphore)) {
          states.store(place, INSIDE as number);
          for (let i = random.below(200); i >= 0; i--) {
            const count = states.view.filter((state) => state === INSIDE).length;
            if (count > PERMITS) throw new Error(`${count} are inside`);
          }
          states.store(place, LEAVING as number);
          semaphore.release();
        }
        states.store(place, OUTSIDE as number);
        turns.add(1);
      }
    };
    const lost = (): number => {
      const { word } = semaphore as unknown as { readonly word: number };
      return arena().words[word + SemaphoreWord.lost] as number;
    };
    const crew = new Crew(PROCESSES, hammer, random);
    // Of who was killed within acquire or release nobody knows whether the permit that he is said to have taken along is gone.
    let unknown = 0;
    await underKills(turns, random, async () => {
      if (unknown === PERMITS - 1) return;
      const before = lost();
      const place = await crew.kill();
      const [state, taken] = [states.load(place), lost() - before];
      if (state === INSIDE) assert.equal(taken, 1, "a permit was kept that died with its holder");
      if (state === OUTSIDE) assert.equal(taken, 0, "a permit was lost that nobody held");
      states.store(place, OUTSIDE as number);
      if (state === INSIDE) semaphore.release();
      else unknown += taken;
      crew.start(place);
    });
    stop.value = 1;
    await crew.end();
    assert.ok(semaphore.value <= PERMITS && semaphore.value >= PERMITS - unknown, `${semaphore.value} are free`);
  });
}

test("Condition: every item that is put is taken once, and no notify is lost", async () => {
  const condition = new Condition();
  const [items, put, taken] = [new Value("int32", 0), new Value("int32", 0), new Value("int32", 0)];
  const stop = new Value("int32", 0);
  const random = new Random(SEED);
  /** Who died while he held the lock may have taken an item and not counted it. */
  const repair = (): void => {
    if (condition.ownerDied) taken.value = put.value - items.value;
  };
  const take = async (_place: number, seed: number): Promise<void> => {
    const random = new Random(seed);
    for (;;) {
      if (!(await acquireSomehow(random, condition))) continue;
      try {
        repair();
        while (items.value === 0 && stop.value === 0) {
          await waitSomehow(random, condition);
          repair();
        }
        if (items.value === 0) return;
        items.value -= 1;
        taken.value += 1;
      } finally {
        condition.release();
      }
    }
  };
  const crew = new Crew(PROCESSES, take, random);
  let killed = 0;
  for (const until = Date.now() + EACH_MS; Date.now() < until || killed === 0;) {
    const count = 1 + random.below(3);
    await condition.use(() => {
      repair();
      items.value += count;
      put.value += count;
      condition.notify(count);
    });
    if (random.below(3) > 0) await eventually("all that was put is taken", () => taken.value === put.value);
    if (random.below(50) > 0) continue;
    const place = await crew.kill();
    killed += 1;
    // One that was notified may have died before it took anything: who knows of a death wakes the others.
    await condition.use(() => {
      repair();
      condition.notifyAll();
    });
    crew.start(place);
  }
  await condition.use(() => {
    stop.value = 1;
    condition.notifyAll();
  });
  await crew.end();
  assert.equal(taken.value, put.value);
});

test("Event: each set() wakes all who wait, and nobody before it", async () => {
  // Two that take turns: when all have seen one, it is cleared, while they wait for the other.
  const events: [Event, Event] = [new Event(), new Event()];
  const round = new Value("int32", 0);
  const seen = new SharedArray("int32", PROCESSES);
  const stop = new Value("int32", 0);
  const random = new Random(SEED);
  const watch = async (place: number, seed: number): Promise<void> => {
    const random = new Random(seed);
    for (;;) {
      const mine = seen.load(place);
      const isSet = await waitSomehow(random, events[mine % 2] as Event);
      if (stop.value === 1) return;
      if (!isSet) continue;
      if (round.value <= mine) throw new Error(`woken in round ${mine} before it was set`);
      seen.store(place, mine + 1);
    }
  };
  const crew = new Crew(PROCESSES, watch, random);
  const kill = async (): Promise<void> => crew.start(await crew.kill());
  let killed = 0;
  for (const until = Date.now() + EACH_MS; Date.now() < until || killed === 0;) {
    const when = random.below(100);
    if (when === 0) await kill();
    const event = events[round.value % 2] as Event;
    round.value += 1;
    event.set();
    if (when === 1) await kill();
    killed += when <= 1 ? 1 : 0;
    await eventually("all have seen it set", () => seen.view.every((rounds) => rounds === round.value));
    event.clear();
  }
  stop.value = 1;
  for (const event of events) event.set();
  await crew.end();
});

test("Barrier: nobody goes on before all are there, and when it breaks all hear of it", async () => {
  const barrier = new Barrier(PROCESSES);
  // When it breaks, all of this epoch say so; then it is reset, and the next epoch begins.
  const epoch = new Value("int32", 0);
  const heard = new SharedArray("int32", PROCESSES);
  const rounds = new SharedArray("int32", PROCESSES);
  const turns = new Value("int32", 0);
  const stop = new Value("int32", 0);
  const random = new Random(SEED);
  const meet = async (place: number, seed: number): Promise<void> => {
    const random = new Random(seed);
    while (stop.value === 0) {
      const mine = epoch.value;
      if (heard.load(place) > mine) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const round = rounds.add(place, 1) + 1;
      try {
        await meetSomehow(random, barrier);
      } catch (error) {
        if (!(error instanceof BrokenBarrierError) && !(error instanceof Enough)) throw error;
        heard.store(place, mine + 1);
        continue;
      }
      for (const each of rounds.view) if (each < round) throw new Error(`round ${round}: a party is in round ${each}`);
      turns.add(1);
    }
  };
  const crew = new Crew(PROCESSES, meet, random);
  const begin = async (dead?: number): Promise<void> => {
    await eventually("all hear that it is broken", () => heard.view.every((e, i) => e > epoch.value || i === dead));
    rounds.view.fill(0);
    barrier.reset();
    epoch.value += 1;
  };
  let killed = 0;
  let goal = 1;
  for (const until = Date.now() + EACH_MS; Date.now() < until || killed === 0;) {
    const from = turns.value;
    await eventually("they go on", () => turns.value > from || barrier.broken);
    if (turns.value >= goal) {
      const dead = await crew.kill();
      killed += 1;
      goal = turns.value + random.below(500);
      barrier.abort();
      await begin(dead);
      crew.start(dead);
    } else if (barrier.broken) await begin();
  }
  stop.value = 1;
  barrier.abort();
  await crew.end();
});
