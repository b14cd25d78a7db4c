import assert from "node:assert/strict";
import { fstatSync } from "node:fs";
import { release } from "node:os";
import { test } from "node:test";

// The package keeps the timers that it finds when it is loaded; time passes here when `pass` says so.
const ticks: (() => void)[] = [];
const pass = (): void => ticks.forEach((tick) => tick());
const { setInterval } = globalThis;
const timer = { unref: () => timer };
globalThis.setInterval = ((tick: () => void) => {
  ticks.push(tick);
  return timer;
}) as unknown as typeof setInterval;
const { arenaFd, openCarried, releaseCarriers, retractRef, returnCarrier, takeCarrier } =
  await import("../../src/memory/index.ts");
globalThis.setInterval = setInterval;

const MIB = 2 ** 20;

function residentBytes(): number {
  return fstatSync(arenaFd()).blocks * 512;
}

// First in this file, so that no timer runs yet: whoever keeps something starts one, until nothing is kept.
test("what was not used for a while is given up, on both sides", () => {
  const before = residentBytes();
  const carrier = takeCarrier(4 * MIB);
  carrier.bytes.fill(1, 0, 4 * MIB);
  const ref = carrier.refer();
  returnCarrier(carrier, 4 * MIB);
  const received = openCarried(ref);
  assert.equal(received.bytes[4 * MIB - 1], 1);
  pass();
  pass();
  assert.equal(received.bytes[4 * MIB - 1], 1, "not while it is read");
  received.close();
  pass();
  pass();
  assert.equal(received.bytes.length, 0, "the mapping is gone");
  assert.ok(residentBytes() - before < MIB, "and so are the pages");
});

test("a carrier is used again when its message was read, not while it is under way or being read", () => {
  const carrier = takeCarrier(2 * MIB);
  carrier.bytes[0] = 1;
  const ref = carrier.refer();
  returnCarrier(carrier, MIB);
  const underWay = takeCarrier(2 * MIB);
  assert.notEqual(underWay, carrier);
  const received = openCarried(ref);
  const beingRead = takeCarrier(2 * MIB);
  assert.notEqual(beingRead, carrier);
  received.close();
  received.close();
  const again = takeCarrier(2 * MIB);
  assert.equal(again, carrier);
  for (const each of [underWay, beingRead, again]) returnCarrier(each, 0);
});

test("a message that was never delivered leaves its carrier free", () => {
  const carrier = takeCarrier(2 * MIB);
  retractRef(carrier.refer());
  returnCarrier(carrier, 0);
  assert.ok(carrier.isFree);
});

test("a message takes the smallest carrier that it fits in, and one made for a somewhat shorter message", () => {
  releaseCarriers();
  const large = takeCarrier(100 * MIB);
  const small = takeCarrier(MIB);
  returnCarrier(large, 0);
  returnCarrier(small, 0);
  const forShort = takeCarrier(2 * MIB);
  const forLonger = takeCarrier(110 * MIB);
  assert.equal(forShort, small);
  assert.equal(forLonger, large);
  for (const each of [forShort, forLonger]) returnCarrier(each, 0);
});

test("what a receiver has mapped shows the next message in the same carrier, whatever its length", () => {
  for (const length of [20 * MIB, 3 * MIB, 20 * MIB]) {
    const carrier = takeCarrier(20 * MIB);
    carrier.bytes[length - 1] = length / MIB;
    const received = openCarried(carrier.refer());
    returnCarrier(carrier, length);
    assert.equal(received.bytes[length - 1], length / MIB);
    received.close();
  }
});

test("no more is kept than 256 MiB", () => {
  const before = residentBytes();
  const carriers = Array.from({ length: 8 }, () => takeCarrier(60 * MIB));
  for (const carrier of carriers) for (let at = 0; at < 60 * MIB; at += 4096) carrier.bytes[at] = 1;
  for (const carrier of carriers) returnCarrier(carrier, 60 * MIB);
  assert.ok(residentBytes() - before <= 256 * MIB);
});

/** Linux 5.14 and newer can be asked for pages. */
const [major, minor] = release().split(".").map(Number) as [number, number];
const canPopulate = major > 5 || (major === 5 && minor >= 14);

test("the pages of what will be written are there before, no others, and once only", { skip: !canPopulate }, () => {
  releaseCarriers();
  const carrier = takeCarrier(8 * MIB);
  const before = residentBytes();
  carrier.expect(MIB, 3 * MIB);
  assert.equal(residentBytes() - before, 2 * MIB);
  carrier.bytes.fill(1, MIB, 3 * MIB);
  returnCarrier(carrier, 3 * MIB);
  assert.equal(takeCarrier(8 * MIB), carrier);
  carrier.expect(0, 4 * MIB);
  assert.equal(residentBytes() - before, 3 * MIB);
  assert.equal(carrier.bytes[2 * MIB], 1);
  carrier.release();
});
