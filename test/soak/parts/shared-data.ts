/** Values and arrays that children change until they are killed, and memory that is made and dropped all the time. */

import assert from "node:assert/strict";
import { Process, ShareableList, SharedArray, SharedMemory, Value } from "../../../src/index.ts";
import type { Lap, Part } from "../part.ts";

const COUNTERS = 2;
const MAX_CHILDREN = 2000;
const LONGEST_ARRAY = 500_000;

function addUp(sum: Value<"int64">, parts: SharedArray<"uint32">, me: number, stop: Value<"int32">): void {
  while (stop.value === 0) {
    sum.add(1n);
    parts.add(me, 1);
  }
}

/** Each addition is in the sum; only the last one of a killed process may not be in its own count yet. */
async function additions(lap: Lap, running: Set<number | undefined>): Promise<void> {
  const sum = new Value("int64", 0n);
  const parts = new SharedArray("uint32", MAX_CHILDREN);
  const stop = new Value("int32", 0);
  let made = 0;
  let killed = 0;
  const keepAdding = async (): Promise<void> => {
    while (!lap.over && made < MAX_CHILDREN) {
      const child = new Process(addUp, sum, parts, made++, stop).start();
      running.add(child.pid);
      while (!lap.over && (await child.join({ timeout: 50 })) === null);
      if (lap.over) stop.value = 1;
      const code = await child.join();
      running.delete(child.pid);
      if (code !== 0) assert.ok(lap.wasKilled(child.pid), `a counting child ended with ${code}`);
      if (code === -9) killed += 1;
    }
  };
  await Promise.all(Array.from({ length: COUNTERS }, keepAdding));
  const counted = parts.toArray().reduce((a, b) => a + b, 0);
  const missing = Number(sum.value) - counted;
  assert.ok(missing >= 0 && missing <= killed, `the sum is ${sum.value}, ${counted} were counted, ${killed} killed`);
  lap.count("additions", counted);
}

function double(array: SharedArray<"float64">, list: ShareableList, name: string): number {
  const { view } = array;
  for (let i = 0; i < view.length; i++) view[i] = (view[i] as number) * 2;
  list[0] = "done";
  using named = new SharedMemory({ name });
  return named.buffer[0] as number;
}

/** An array, a list and named memory that come and go. */
async function comingAndGoing(lap: Lap, running: Set<number | undefined>): Promise<void> {
  let n = 0;
  while (!lap.over) {
    const array = new SharedArray("float64", 1 + lap.random.below(LONGEST_ARRAY));
    array.view.fill(n);
    const list = new ShareableList(["begun", n]);
    const memory = new SharedMemory({ name: `soak-${process.pid}-${n}`, create: true, size: 4096 });
    memory.buffer[0] = n % 256;
    const child = new Process(double, array, list, memory.name).start();
    running.add(child.pid);
    const first = await child.result().catch((error: unknown) => error);
    await child.join();
    running.delete(child.pid);
    if (lap.wasKilled(child.pid)) {
      assert.ok(array.view.every((x) => x === n || x === 2 * n));
    } else {
      assert.equal(first, n % 256);
      assert.ok(array.view.every((x) => x === 2 * n));
      assert.deepEqual(list.toArray(), ["done", n]);
    }
    memory.close();
    memory.unlink();
    // Half of the arrays are only dropped: the collector must free them.
    if (n % 2 === 0) array.close();
    n += 1;
    lap.count("arrays, lists and memories");
  }
}

export const sharedData: Part = {
  name: "shared data",
  guarantee:
    "Each `add` of a `Value` counts once (of a killed process at most one was not yet noted). What a child wrote into a `SharedArray`, " +
    "a `ShareableList` and a named `SharedMemory` is there; elements are whole. Arrays that are closed or dropped give back their memory.",
  async lap(lap) {
    const running = new Set<number | undefined>();
    lap.expose(() => [...running]);
    await Promise.all([additions(lap, running), comingAndGoing(lap, running)]);
  },
};
