import assert from "node:assert/strict";
import { test } from "node:test";
import { type Growth, growthOf } from "./flatness.ts";
import type { Sample } from "./sample.ts";

const STEADY: Sample = {
  minutes: 0,
  kills: 0,
  ownMB: 100,
  heapMB: 15,
  residentMB: 14,
  descriptors: 50,
  cells: 10,
  extents: 10,
  arenaMB: 10,
  slots: 7,
  processes: 7,
};

function growing(figure: keyof Sample, at: (i: number) => number): Growth | undefined {
  const samples = Array.from({ length: 30 }, (_, i) => ({ ...STEADY, [figure]: at(i) }));
  return growthOf(samples).find((growth) => growth.figure === figure);
}

test("what grows with every lap is seen, memory, too", () => {
  assert.equal(growing("ownMB", (i) => 100 + 2 * i)?.isFlat, false);
  assert.equal(growing("descriptors", (i) => 50 + i)?.isFlat, false);
  assert.equal(growing("heapMB", (i) => 15 + i / 2)?.isFlat, false);
});

test("memory that is given back at odd times is flat, also when that was in one window only", () => {
  assert.equal(growing("ownMB", (i) => (i > 12 && i < 19 ? 100 : 130))?.isFlat, true);
});

test("what only grows until the program is warm is flat", () => {
  assert.equal(growing("ownMB", (i) => Math.min(130, 40 + 10 * i))?.isFlat, true);
  assert.equal(growing("descriptors", (i) => Math.min(57, 40 + 3 * i))?.isFlat, true);
});

test("a run that is too short has no windows", () => {
  assert.deepEqual(growthOf([STEADY, STEADY]), []);
});
