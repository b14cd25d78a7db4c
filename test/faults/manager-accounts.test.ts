import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Event, Manager, Process, SharedArray } from "../../src/index.ts";
import { Random } from "../helpers/random.ts";

const ITEMS_EACH = 100_000;

test("random clients are killed under load: what each was told is done is there, once, and nothing that it never asked for", async (t) => {
  const random = new Random();
  t.diagnostic(`MULTIPROC_SEED=${random.seed}`);
  const m = await Manager.start();
  t.after(() => m.shutdown());
  const counts = await m.dict<string, number>({ all: 0 });
  const queue = await m.queue<number>(50);
  // In shared memory, so that it is known of the dead as well.
  const asked = new SharedArray("int32", 6);
  const told = new SharedArray("int32", 6);
  const taken = new SharedArray("uint8", 4 * ITEMS_EACH);
  const stop = new Event();
  const count = async (me: number): Promise<void> => {
    const name = `client ${me}`;
    while (!stop.isSet) {
      asked.view[me]! += 1;
      await counts.use((map) => {
        map.set(name, (map.get(name) ?? 0) + 1);
        map.set("all", (map.get("all") as number) + 1);
      });
      told.view[me]! += 1;
    }
  };
  const put = async (me: number): Promise<void> => {
    for (let n = 0; n < ITEMS_EACH && !stop.isSet; n++) {
      asked.view[me]! += 1;
      await queue.put(me * ITEMS_EACH + n);
      told.view[me]! += 1;
    }
  };
  const take = (): void => {
    for (let item = queue.getSync(); item >= 0; item = queue.getSync()) taken.view[item]! += 1;
  };
  const start = (role: (me: number) => unknown, me: number): Process =>
    new Process({ target: role, args: [me], stdio: ["ignore", "ignore", "inherit"] }).start();
  const clients = [count, count, put, put, take, take].map(start);
  while (![0, 1, 2, 3].every((me) => told.view[me]! > 20)) await turn();

  const alive = new Set(clients);
  for (let i = 0; i < 3; i++) {
    const victim = random.pick([...alive]);
    alive.delete(victim);
    victim.kill();
    assert.equal(await victim.join({ timeout: 20_000 }), -9);
    // The others go on meanwhile.
    for (let n = 0; n < 200; n++) await counts.get("all");
  }
  stop.set();
  // Both takers may be dead: then those that put wait for this one.
  const last = start(take, 0);
  for (const client of clients.slice(0, 4)) if (alive.has(client)) await client.result({ timeout: 20_000 });
  const takers = clients.slice(4).filter((client) => alive.has(client));
  for (let i = 0; i <= takers.length; i++) await queue.put(-1);
  for (const taker of [...takers, last]) await taker.result({ timeout: 20_000 });

  for (const me of [0, 1]) {
    const counted = (await counts.get(`client ${me}`)) ?? 0;
    assert.ok(told.view[me]! <= counted && counted <= asked.view[me]!, `${me}: ${counted} counted`);
  }
  assert.equal(await counts.get("all"), (await counts.get("client 0"))! + (await counts.get("client 1"))!);
  let missing = 0;
  for (const me of [2, 3]) {
    const items = taken.view.subarray(me * ITEMS_EACH, (me + 1) * ITEMS_EACH);
    assert.ok(
      items.every((times) => times <= 1),
      "an item was taken twice",
    );
    missing += items.subarray(0, told.view[me]).filter((times) => times === 0).length;
    assert.ok(items.subarray(asked.view[me]).every((times) => times === 0));
  }
  // One that is killed may have an item in its hands.
  assert.ok(missing <= 2 - takers.length, `${missing} items are missing`);
  assert.equal(await queue.size(), 0);
});
