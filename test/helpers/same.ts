/** Compares plain data more closely than `deepStrictEqual`: the order of keys, descriptors, and which objects are one. */

import assert from "node:assert/strict";

export function assertSame(got: unknown, sent: unknown): void {
  compare(got, sent, new Map(), new Set());
}

/** @param met What was sent, with what arrived for it. @param arrived What is two must not become one, either. */
function compare(got: unknown, sent: unknown, met: Map<object, unknown>, arrived: Set<object>): void {
  if (typeof sent !== "object" || sent === null) return assert.ok(Object.is(got, sent), `${String(got)} arrived`);
  if (met.has(sent)) return assert.equal(got, met.get(sent));
  assert.ok(typeof got === "object" && got !== null && !arrived.has(got));
  met.set(sent, got);
  arrived.add(got);
  assert.equal(Object.getPrototypeOf(got), Object.getPrototypeOf(sent));
  assert.equal(Array.isArray(got), Array.isArray(sent));
  assert.equal(Object.isExtensible(got), Object.isExtensible(sent));
  const keys = Reflect.ownKeys(sent);
  assert.deepEqual(Reflect.ownKeys(got), keys);
  for (const key of keys) {
    const { value: there, ...attributes } = Object.getOwnPropertyDescriptor(got, key) as PropertyDescriptor;
    const { value: here, ...wanted } = Object.getOwnPropertyDescriptor(sent, key) as PropertyDescriptor;
    assert.deepEqual(attributes, wanted);
    compare(there, here, met, arrived);
  }
}
