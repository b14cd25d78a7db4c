/** Cases in which other pools for Node die, hang or give something else, as far as other files do not have them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Pool, SerializationError, WorkerDiedError } from "../../src/index.ts";

const double = (n: number): number => n * 2;

class Refused extends Error {
  override readonly name = "Refused";
  readonly code = "E_REFUSED";
  readonly extra = { deep: [1, 2] };
}

test("a task that exits or is killed: it rejects with pid, code and signal; the one behind it and the next call run", async () => {
  await using pool = new Pool(1);
  const deaths = [
    { die: () => process.exit(3), exitCode: 3, signal: null },
    { die: () => process.exit(0), exitCode: 0, signal: null },
    { die: () => void process.kill(process.pid, "SIGKILL"), exitCode: -9, signal: "SIGKILL" },
    { die: () => process.abort(), exitCode: -6, signal: "SIGABRT" },
  ];
  for (const { die, exitCode, signal } of deaths) {
    const pid = await pool.apply(() => process.pid);
    const dying = pool.apply(die as () => unknown);
    const behind = pool.apply(double, [2]);
    const mapped = pool.map(double, [1, 2, 3]);
    await assert.rejects(dying, (error) => {
      assert.ok(error instanceof WorkerDiedError);
      assert.deepEqual([error.pid, error.exitCode, error.signal], [pid, exitCode, signal]);
      return true;
    });
    assert.equal(await behind, 4);
    assert.deepEqual(await mapped, [2, 4, 6]);
    assert.equal(await pool.apply(double, [4]), 8);
  }
});

test("an error of the user's class is one of that class here, with name, code, properties and cause", async () => {
  await using pool = new Pool(1);
  const refuse = (): never => {
    throw new Refused("not today", { cause: new RangeError("inner") });
  };
  const error = await pool.apply(refuse).catch((caught: unknown) => caught);
  assert.ok(error instanceof Refused);
  assert.deepEqual([error.name, error.message, error.code], ["Refused", "not today", "E_REFUSED"]);
  assert.deepEqual(error.extra, { deep: [1, 2] });
  assert.ok(error.cause instanceof RangeError);
});

test("what is thrown and is no error arrives as it was", async () => {
  await using pool = new Pool(1);
  for (const thrown of [undefined, null, 0, "text", { code: 1 }, 5n]) {
    const back = await pool
      .apply(
        (what) => {
          throw what;
        },
        [thrown],
      )
      .then(
        () => "it resolved",
        (error: unknown) => error,
      );
    assert.deepEqual(back, thrown);
  }
});

test("a result that is a function works here; one that cannot travel rejects, saying what it is", async () => {
  await using pool = new Pool(1);
  const triple = await pool.apply(() => (n: number) => n * 3);
  assert.equal(triple(4), 12);
  await assert.rejects(
    pool.apply(() => ({ inner: { map: new WeakMap() } })),
    (error) => {
      assert.ok(error instanceof SerializationError);
      assert.match(error.message, /result\.inner\.map/);
      return true;
    },
  );
  assert.equal(await pool.apply(double, [1]), 2);
});

test("after arguments that cannot travel the worker is as free as before, whatever comes next", async () => {
  await using pool = new Pool(1);
  const { pid } = process;
  for (let i = 0; i < 3; i++) {
    await assert.rejects(
      pool.apply((x) => x, [{ deep: new WeakSet() }]),
      SerializationError,
    );
    assert.equal(await pool.apply(double, [i]), 2 * i);
    assert.equal(await pool.apply((n) => n + 1n, [2n ** 70n]), 2n ** 70n + 1n);
  }
  assert.equal(process.pid, pid);
  assert.equal(pool.stats().restarts, 0);
});

test("values keep their types: errors, cycles, Buffers, holes, -0, NaN, invalid dates, undefined", async () => {
  await using pool = new Pool(1);
  const cycle: { self?: unknown; list: unknown[] } = { list: [] };
  cycle.self = cycle;
  cycle.list.push(cycle);
  const values = {
    bytes: new Uint8Array([1, 2]),
    buffer: Buffer.from("abc"),
    floats: new Float64Array([Number.NaN, -0, 1.5]),
    map: new Map<unknown, unknown>([[{ key: 1 }, new Set([1n])]]),
    date: new Date(12),
    pattern: /a(b)/giu,
    error: new RangeError("inner", { cause: "why" }),
    nothing: undefined,
    numbers: [Number.NaN, -0, Infinity],
    // oxlint-disable-next-line no-sparse-arrays -- A hole is what is tested.
    holes: [1, , 3],
  };
  const back = await pool.apply((x) => x, [values]);
  assert.deepEqual(back, values);
  assert.ok(Buffer.isBuffer(back.buffer));
  assert.ok(Object.is(back.numbers[1], -0));
  assert.ok("nothing" in back);
  assert.ok(!(1 in back.holes));
  assert.ok(back.error instanceof RangeError);
  const round = await pool.apply((x) => x, [cycle]);
  assert.equal(round.self, round);
  assert.equal(round.list[0], round);
  const invalid = await pool.apply((x) => x, [new Date(Number.NaN)]);
  assert.ok(invalid instanceof Date && Number.isNaN(invalid.getTime()));
  assert.equal(await pool.apply((...args: unknown[]) => args.length, [undefined, undefined]), 2);
  assert.equal(await pool.apply((a: unknown) => a === undefined, [undefined]), true);
});

test("the first task of a worker whose start is slow is not lost", async () => {
  await using pool = new Pool(2, {
    method: "spawn",
    initializer: () => new Promise((resolve) => setTimeout(resolve, 100)),
  });
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map((n) => pool.apply(double, [n]))), [2, 4, 6, 8]);
});
