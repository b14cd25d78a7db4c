/** Functions that capture: what it takes to send a new one with every call, as loops in TypeScript do. */

import assert from "node:assert/strict";
import { Session } from "node:inspector";
import { test, type TestContext } from "node:test";
import { Lock, Pool } from "../../src/index.ts";

/** Counts how often V8 is asked what a function has captured, which is most of what a new closure costs. */
function countReads(t: TestContext): () => number {
  const post = t.mock.method(Session.prototype, "post");
  return () =>
    post.mock.calls.filter(({ arguments: [method] }) => (method as string) === "Runtime.getProperties").length;
}

test("a new closure is looked into once for each call, and so is one that is given again", async (t) => {
  await using pool = new Pool(1);
  await pool.apply(() => 0);
  const reads = countReads(t);
  for (let i = 0; i < 10; i++) assert.equal(await pool.apply(() => i * 2), i * 2);
  assert.equal(reads(), 10);
  let factor = 1;
  const scaled = (n: number): number => n * factor;
  for (; factor < 11; factor++) assert.equal(await pool.apply(scaled, [3]), 3 * factor);
  assert.equal(reads(), 20);
  assert.equal(await pool.apply(scaled, [3]), 33);
});

test("a function that captures nothing is looked into at its first call only", async (t) => {
  await using pool = new Pool(1);
  const plain = (n: number): string => `${n}`;
  await pool.apply(plain, [0]);
  const reads = countReads(t);
  for (let i = 0; i < 10; i++) assert.equal(await pool.apply(plain, [i]), String(i));
  assert.equal(reads(), 0);
});

test("what is hung on a function between two calls travels, and a handle that is captured works each time", async () => {
  await using pool = new Pool(1);
  const counted = function counted(): unknown {
    return (counted as { note?: unknown }).note;
  };
  assert.equal(await pool.apply(counted), undefined);
  Object.assign(counted, { note: 1 });
  assert.equal(await pool.apply(counted), 1);
  Object.assign(counted, { note: 2 });
  assert.equal(await pool.apply(counted), 2);
  const lock = new Lock();
  const locked = async (): Promise<boolean> => lock.use(() => true);
  for (let i = 0; i < 3; i++) assert.equal(await pool.apply(locked), true);
});
