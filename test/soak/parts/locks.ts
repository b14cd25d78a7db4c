/** Locks, semaphores, conditions and barriers in the hands of processes that are killed, time out and give up. */

import assert from "node:assert/strict";
import {
  Barrier,
  BrokenBarrierError,
  Condition,
  Lock,
  Process,
  RLock,
  Semaphore,
  SharedArray,
  Value,
} from "../../../src/index.ts";
import { Random } from "../../helpers/random.ts";
import type { Lap, Part } from "../part.ts";

const TOTAL = 1000;
const PARTIES = 3;
const PERMITS = 2;

/** A child that is replaced whenever it is killed; ends when the lap is over and `stop` is set. */
async function keep(lap: Lap, running: Set<number | undefined>, start: () => Process, stop: () => void): Promise<void> {
  while (!lap.over) {
    const child = start();
    running.add(child.pid);
    while (!lap.over && (await child.join({ timeout: 50 })) === null);
    if (lap.over) stop();
    const code = await child.join();
    running.delete(child.pid);
    assert.ok(code === 0 || (code === -9 && lap.wasKilled(child.pid)), `${child.name} ended with ${code}`);
  }
}

/** Moves money between two accounts, in two steps; a holder that dies between them is told by `ownerDied`, and only then. */
async function transfer(
  lock: Lock | RLock,
  accounts: SharedArray<"int32">,
  turns: Value<"int32">,
  stop: Value<"int32">,
  seed: number,
): Promise<void> {
  const random = new Random(seed);
  const { view } = accounts;
  while (stop.value === 0) {
    const patience = random.below(4);
    const got =
      patience === 0
        ? lock.acquireSync()
        : patience === 1
          ? lock.acquireSync({ timeout: random.below(3) })
          : patience === 2
            ? await lock.acquire({ timeout: random.below(3) })
            : await lock.acquire({ signal: AbortSignal.timeout(1 + random.below(3)) }).catch(() => false);
    if (!got) continue;
    if (lock.ownerDied) view[1] = TOTAL - (view[0] as number);
    if ((view[0] as number) + (view[1] as number) !== TOTAL) throw new Error(`${view[0]} + ${view[1]} is not ${TOTAL}`);
    const amount = 1 + random.below(10);
    view[0] = (view[0] as number) - amount;
    for (let i = random.below(300); i > 0; i--);
    view[1] = (view[1] as number) + amount;
    turns.add(1);
    lock.release();
  }
}

async function transfers(lap: Lap, running: Set<number | undefined>, lock: Lock | RLock): Promise<void> {
  const accounts = new SharedArray("int32", [TOTAL, 0]);
  const turns = new Value("int32", 0);
  const stop = new Value("int32", 0);
  const start = (): Process => new Process(transfer, lock, accounts, turns, stop, lap.random.below(1e6)).start();
  await Promise.all([1, 2].map(() => keep(lap, running, start, () => (stop.value = 1))));
  await lock.acquire();
  if (!lock.ownerDied) assert.equal((accounts[0] as number) + (accounts[1] as number), TOTAL);
  lock.release();
  lap.count("turns with locks", turns.value);
}

async function enter(
  semaphore: Semaphore,
  inside: Value<"int32">,
  turns: Value<"int32">,
  stop: Value<"int32">,
  seed: number,
): Promise<void> {
  const random = new Random(seed);
  while (stop.value === 0) {
    const got =
      random.below(2) === 0
        ? semaphore.acquireSync({ timeout: random.below(3) })
        : await semaphore.acquire({ signal: AbortSignal.timeout(1 + random.below(3)) }).catch(() => false);
    if (!got) continue;
    if (inside.add(1) >= PERMITS) throw new Error("too many are inside");
    for (let i = random.below(300); i > 0; i--);
    inside.sub(1);
    turns.add(1);
    semaphore.release();
  }
}

/** Nobody is killed here: the permits of the dead would be gone. */
async function permits(lap: Lap): Promise<void> {
  const semaphore = new Semaphore(PERMITS);
  const [inside, turns, stop] = [new Value("int32", 0), new Value("int32", 0), new Value("int32", 0)];
  const start = (): Process => new Process(enter, semaphore, inside, turns, stop, lap.random.below(1e6)).start();
  await Promise.all([1, 2, 3].map(() => keep(lap, new Set(), start, () => (stop.value = 1))));
  assert.equal(inside.value, 0);
  assert.equal(semaphore.value, PERMITS);
  lap.count("turns with permits", turns.value);
}

/** Takes what there is, one at a time; the count of what there is and what was taken change under the condition's lock. */
async function take(
  condition: Condition,
  there: Value<"int32">,
  taken: Value<"int32">,
  stop: Value<"int32">,
  seed: number,
): Promise<void> {
  const random = new Random(seed);
  for (;;) {
    await condition.acquire();
    try {
      while (there.value === 0 && stop.value === 0) {
        if (random.below(2) === 0) condition.waitSync({ timeout: 1 + random.below(50) });
        else await condition.wait();
      }
      if (there.value === 0) return;
      there.value -= 1;
      taken.value += 1;
    } finally {
      condition.release();
    }
  }
}

async function notifications(lap: Lap, running: Set<number | undefined>): Promise<void> {
  const condition = new Condition();
  const [there, taken, stop] = [new Value("int32", 0), new Value("int32", 0), new Value("int32", 0)];
  const before = lap.kills;
  let put = 0;
  const feed = async (): Promise<void> => {
    while (!lap.over) {
      const count = 1 + lap.random.below(3);
      await condition.use(() => {
        there.value += count;
        condition.notify(count);
      });
      put += count;
      await new Promise((resolve) => setTimeout(resolve, lap.random.below(3)));
    }
    // All are woken, and take what is left.
    await condition.use(() => {
      stop.value = 1;
      condition.notifyAll();
    });
  };
  const start = (): Process => new Process(take, condition, there, taken, stop, lap.random.below(1e6)).start();
  await Promise.all([feed(), ...[1, 2].map(() => keep(lap, running, start, () => {}))]);
  const left = there.value;
  // Killed between the two counts, a taker has taken what it did not note.
  assert.ok(
    left + taken.value <= put && left + taken.value >= put - (lap.kills - before),
    `${put} put, ${taken.value} taken, ${left} left`,
  );
  lap.count("notifications", put);
}

/** Meets the others until the last round, or until the barrier breaks. */
async function meet(
  barrier: Barrier,
  rounds: SharedArray<"int32">,
  last: Value<"int32">,
  stop: Value<"int32">,
  me: number,
): Promise<string> {
  try {
    for (let round = 1; ; round++) {
      rounds.store(me, round);
      // One of them fixes the last round, before a barrier, so all see the same.
      if (me === 0 && stop.value === 1 && last.value === -1) last.value = round + 1;
      if ((round + me) % 2 === 0) barrier.waitSync();
      else await barrier.wait();
      for (const each of rounds.view)
        if (each < round) throw new Error(`in round ${round} a party is in round ${each}`);
      if (round === last.value) return "all met";
    }
  } catch (error) {
    if (error instanceof BrokenBarrierError) return "broken";
    throw error;
  }
}

async function meetings(lap: Lap, running: Set<number | undefined>): Promise<void> {
  while (!lap.over) {
    const barrier = new Barrier(PARTIES);
    const rounds = new SharedArray("int32", PARTIES);
    const [last, stop] = [new Value("int32", -1), new Value("int32", 0)];
    const children = Array.from({ length: PARTIES }, (_, me) =>
      new Process(meet, barrier, rounds, last, stop, me).start(),
    );
    for (const { pid } of children) running.add(pid);
    const anyEnded = Promise.race(children.map((child) => child.join()));
    let ended: number | null = null;
    while (!lap.over && ended === null) ended = await Promise.race([anyEnded, pause()]);
    if (ended === null) stop.value = 1;
    // Who was killed outside of a wait is missed by nobody but us.
    const isBroken = (await anyEnded) !== 0 || lap.wasKilled(children.find((child) => lap.wasKilled(child.pid))?.pid);
    if (isBroken) barrier.abort();
    for (const child of children) {
      const outcome = await child.result().catch(() => "killed");
      running.delete(child.pid);
      if (!lap.wasKilled(child.pid))
        assert.ok(outcome === "all met" || isBroken, `${outcome}, though nobody was killed`);
      if (outcome === "killed") assert.ok(lap.wasKilled(child.pid), `${child.name} failed`);
    }
    lap.count("rounds at barriers", Math.max(...rounds.view));
  }
}

function pause(): Promise<null> {
  return new Promise((resolve) => setTimeout(() => resolve(null), 50));
}

export const locks: Part = {
  name: "locks",
  guarantee:
    "One holder at a time; `ownerDied` whenever a holder was killed in the middle, and never otherwise. Permits are conserved under time-outs " +
    "and aborts. No `notify` is lost to a killed or late waiter. Nobody passes a barrier before all are there; when one dies, the others " +
    "end with `BrokenBarrierError`. Every wait ends.",
  async lap(lap) {
    const running = new Set<number | undefined>();
    lap.expose(() => [...running]);
    await Promise.all([
      transfers(lap, running, lap.random.pick([new Lock(), new RLock()])),
      permits(lap),
      notifications(lap, running),
      meetings(lap, running),
    ]);
  },
};
