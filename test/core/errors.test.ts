import assert from "node:assert/strict";
import { test } from "node:test";
import * as errors from "../../src/core/errors.ts";
import { Deadline } from "../../src/core/deadline.ts";

test("every error class has its own code and its class name as name", () => {
  const codes = new Set<string>();
  const classes = Object.values(errors).filter((value) => typeof value === "function");
  for (const cls of classes) {
    assert.ok(!codes.has(cls.code), `${cls.name} shares its code`);
    codes.add(cls.code);
    const error = new (cls as new (message: string) => errors.MultiprocError)("text");
    assert.equal(error.name, cls.name);
    assert.equal(error.code, cls.code);
    assert.ok(error instanceof errors.MultiprocError);
    assert.ok(error instanceof cls);
  }
  assert.ok(!(new errors.QueueFullError("x") instanceof errors.QueueEmptyError));
  assert.ok(!(new Error("x") instanceof errors.MultiprocError));
});

test("a class derived by a user is told from its base", () => {
  class Mine extends errors.StateError {}
  assert.ok(new Mine("x") instanceof Mine);
  assert.ok(new Mine("x") instanceof errors.StateError);
  assert.ok(!(new errors.StateError("x") instanceof Mine));
});

test("Deadline.from() refuses what is no time-out and no signal", () => {
  assert.throws(() => Deadline.from({ timeout: "5" as never }), { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => Deadline.from({ timeout: Number.NaN }), { name: "RangeError" });
  assert.throws(() => Deadline.from({ signal: {} as never }), /options.signal/);
  assert.equal(Deadline.from({ timeout: -1 }).expired, true);
  assert.equal(Deadline.from(undefined), Deadline.never);
});
