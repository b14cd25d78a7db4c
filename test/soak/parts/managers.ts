/** A manager that lives over all laps with clients that are killed, and managers that are killed themselves. */

import assert from "node:assert/strict";
import {
  type DictProxy,
  type ListProxy,
  type LockProxy,
  Manager,
  ManagerDiedError,
  Process,
  SharedArray,
  Value,
  type Remote,
} from "../../../src/index.ts";
import { collectGarbage } from "../../helpers/collect-garbage.ts";
import type { Lap, Part } from "../part.ts";

const CLIENTS = 2;
const MAX_CLIENTS = 2000;

let lasting: Manager | undefined;
let collector: Remote<Collector> | undefined;

/** Lives in the manager: what was let go there is not to wait for a garbage collection of its own until it is counted. */
class Collector {
  collect(): Promise<void> {
    return collectGarbage();
  }
}

interface Shared {
  readonly counts: DictProxy<string, number>;
  readonly items: ListProxy<string>;
  readonly lock: LockProxy;
  readonly noted: SharedArray<"uint32">;
  readonly stop: Value<"int32">;
}

/** One unit of work in each turn: an addition, an item, both under the manager's lock; then it is noted. */
async function client({ counts, items, lock, noted, stop }: Shared, me: number): Promise<void> {
  for (let n = 0; stop.value === 0; n++) {
    await lock.use(async () => {
      await Promise.all([counts.compute("sum", (sum) => (sum ?? 0) + 1), items.push(`${me}:${n}`)]);
    });
    counts.sync["last"] = me;
    noted.add(me, 1);
  }
}

async function clients(lap: Lap, running: Set<number | undefined>, manager: Manager): Promise<void> {
  const shared: Shared = {
    counts: await manager.dict<string, number>(),
    items: await manager.list<string>(),
    lock: await manager.lock(),
    noted: new SharedArray("uint32", MAX_CLIENTS),
    stop: new Value("int32", 0),
  };
  let made = 0;
  let killed = 0;
  const keepCalling = async (): Promise<void> => {
    while (!lap.over && made < MAX_CLIENTS) {
      const child = new Process(client, shared, made++).start();
      running.add(child.pid);
      while (!lap.over && (await child.join({ timeout: 50 })) === null);
      if (lap.over) shared.stop.value = 1;
      const code = await child.join();
      running.delete(child.pid);
      if (code !== 0) assert.ok(lap.wasKilled(child.pid), `a client ended with ${code}`);
      if (code === -9) killed += 1;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, keepCalling));
  const sum = (await shared.counts.get("sum")) ?? 0;
  const items = await shared.items.toArray();
  const noted = shared.noted.toArray().reduce((a, b) => a + b, 0);
  for (const [what, got] of [
    ["additions", sum],
    ["items", items.length],
  ] as const) {
    assert.ok(got >= noted && got <= noted + killed, `${got} ${what}, ${noted} noted, ${killed} clients killed`);
  }
  assert.equal(new Set(items).size, items.length);
  lap.count("turns of clients", noted);
  // A dead client's lock is passed on.
  assert.equal(await shared.lock.acquire(), true);
  await shared.lock.release();
  for (const proxy of [shared.counts, shared.items, shared.lock]) proxy[Symbol.dispose]();
}

/** Every call to a manager that is killed ends, by its result or with ManagerDiedError. */
async function shortLived(lap: Lap, running: Set<number | undefined>): Promise<void> {
  const manager = await Manager.start();
  running.add(manager.pid);
  try {
    const dict = await manager.dict<string, number>();
    for (let n = 0; !lap.over; n++) {
      const calls = Array.from({ length: 20 }, (_, i) => dict.set(`k${i}`, n));
      const outcomes = await Promise.allSettled([...calls, dict.get("k0")]);
      const failed = outcomes.filter((each) => each.status === "rejected");
      if (failed.length > 0) throw failed[0]?.reason;
      assert.deepEqual(outcomes.at(-1), { status: "fulfilled", value: n });
      lap.count("calls", outcomes.length);
    }
  } catch (error) {
    if (!(error instanceof ManagerDiedError && lap.wasKilled(manager.pid))) throw error;
    lap.count("managers killed");
  } finally {
    running.delete(manager.pid);
    await manager.shutdown();
  }
}

export const managers: Part = {
  name: "managers",
  guarantee:
    "`compute` and `push` of clients count once each, also under a manager's lock whose holder was killed; of a killed client at most one " +
    "turn was not yet noted. Each call to a manager that is killed ends, with its result or `ManagerDiedError`. Objects that were let go are freed.",
  async lap(lap) {
    const running = new Set<number | undefined>();
    lap.expose(() => [...running]);
    const manager = (lasting ??= await Manager.start());
    collector ??= await manager.create(Collector);
    const objects = await manager.numberOfObjects();
    await Promise.all([
      clients(lap, running, manager),
      (async () => {
        while (!lap.over) await shortLived(lap, running);
      })(),
    ]);
    assert.equal(await manager.numberOfObjects(), objects, "objects that were let go stay in the manager");
    await collector.collect();
  },
  async end() {
    await lasting?.shutdown();
  },
  residents: () => (lasting?.pid === undefined ? [] : [lasting.pid]),
};
