import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { onAbort } from "../../src/core/on-abort.ts";

test("all who listen are told once, with one listener on the signal; who has stopped listening is not", () => {
  const controller = new AbortController();
  const told: number[] = [];
  const stops = Array.from({ length: 30 }, (_, i) => onAbort(controller.signal, () => told.push(i)));
  assert.equal(getEventListeners(controller.signal, "abort").length, 1);
  stops.slice(2).forEach((stop) => stop());
  controller.abort();
  assert.deepEqual(told, [0, 1]);
  stops.forEach((stop) => stop());
  assert.deepEqual(told, [0, 1]);
});

test("when nobody listens any more the signal is free of listeners; listening again works", () => {
  const { signal } = new AbortController();
  const stop = onAbort(signal, () => {});
  const other = onAbort(signal, () => {});
  stop();
  stop();
  assert.equal(getEventListeners(signal, "abort").length, 1);
  other();
  assert.equal(getEventListeners(signal, "abort").length, 0);
  onAbort(signal, () => {})();
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
