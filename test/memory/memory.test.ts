import assert from "node:assert/strict";
import { fstatSync } from "node:fs";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { StateError } from "../../src/core/errors.ts";
import * as memory from "../../src/memory/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { countBlocks } from "../helpers/count-blocks.ts";
import { Random } from "../helpers/random.ts";
import { startArenaChild } from "../helpers/arena-child.ts";

function residentBytes(): number {
  return fstatSync(memory.arenaFd()).blocks * 512;
}

test("a cell is zeroed, aligned, and zeroed again when its memory is reused", () => {
  const cell = memory.allocateCell(100);
  const { words } = memory.arena();
  assert.equal(cell.offset % 64, 0);
  for (let i = 0; i < 25; i++) assert.equal(words[cell.word + i], 0);
  words.fill(-1, cell.word, cell.word + 25);
  const { id } = cell;
  cell.release();
  cell.release();
  const again = memory.allocateCell(100);
  assert.equal(again.id, id);
  for (let i = 0; i < 25; i++) assert.equal(words[again.word + i], 0);
  again.release();
});

test("cells of many sizes never overlap", () => {
  const sizes = [1, 64, 65, 200, 500, 1000, 5000, memory.MAX_CELL_PAYLOAD];
  const cells = Array.from({ length: 400 }, (_, i) => memory.allocateCell(sizes[i % sizes.length] as number));
  const { words } = memory.arena();
  cells.forEach((cell, i) =>
    words.fill(i + 1, cell.word, cell.word + Math.floor((sizes[i % sizes.length] as number) / 4)),
  );
  cells.forEach((cell, i) => {
    const length = Math.floor((sizes[i % sizes.length] as number) / 4);
    for (let w = 0; w < length; w++) assert.equal(words[cell.word + w], i + 1);
  });
  for (const cell of cells) cell.release();
  assert.throws(() => memory.allocateCell(memory.MAX_CELL_PAYLOAD + 1), RangeError);
});

test("cells and extents made, released and dropped at random keep what is in them, and all come back (65)", async () => {
  const random = new Random();
  await collectGarbage();
  const before = countBlocks();
  const kept: { block: memory.Cell | memory.Extent; bytes: Uint8Array; mark: number }[] = [];
  const make = (mark: number): void => {
    const length = 1 + random.below(random.pick([64, 1000, memory.MAX_CELL_PAYLOAD]));
    const extent = random.below(2) === 0 ? memory.allocateExtent(length * 8) : undefined;
    const block = extent ?? memory.allocateCell(length);
    const bytes =
      extent === undefined
        ? new Uint8Array(memory.arena().words.buffer, (block as memory.Cell).offset, length)
        : new Uint8Array(extent.map(), 0, length * 8);
    assert.ok(
      bytes.every((byte) => byte === 0),
      `not zeroed, seed ${random.seed}`,
    );
    bytes.fill(mark);
    kept.push({ block, bytes, mark });
  };
  const letGo = (): void => {
    const [{ block, bytes, mark }] = kept.splice(random.below(kept.length), 1) as [(typeof kept)[0]];
    assert.ok(
      bytes.every((byte) => byte === mark),
      `somebody wrote into it, seed ${random.seed}`,
    );
    if (random.below(4) > 0) block.release();
  };
  for (let i = 0; i < 3000; i++) {
    if (kept.length < 100 || random.below(2) === 0) make(1 + (i % 255));
    else letGo();
    if (i % 500 === 499) await collectGarbage();
  }
  while (kept.length > 0) letGo();
  for (let i = 0; i < 20 && !isDeepStrictEqual(countBlocks(), before); i++) await collectGarbage();
  assert.deepEqual(countBlocks(), before, `seed ${random.seed}`);
});

test("an extent is zeroed, also when its pages are reused", () => {
  const first = memory.allocateExtent(200_000);
  const bytes = new Uint8Array(first.map(), 0, 200_000);
  assert.ok(bytes.every((byte) => byte === 0));
  bytes.fill(255);
  first.release();
  assert.ok(bytes.length === 0 || bytes[0] === 0, "a view after release reads nothing of it");
  const second = memory.allocateExtent(150_000);
  assert.ok(new Uint8Array(second.map(), 0, 150_000).every((byte) => byte === 0));
  second.release();
});

test("an extent of no bytes is zeroed for its next owner, too", () => {
  const first = memory.allocateExtent(0);
  new Uint8Array(first.map()).fill(255);
  first.release();
  const second = memory.allocateExtent(1000);
  assert.ok(new Uint8Array(second.map(), 0, 1000).every((byte) => byte === 0));
  second.release();
});

test("a released block can neither be sent nor mapped: it may be somebody else's by now", () => {
  const extent = memory.allocateExtent(1000);
  extent.release();
  assert.throws(() => extent.map(), StateError);
  assert.throws(() => extent.refer(), StateError);
  const cell = memory.allocateCell(8);
  cell.release();
  assert.throws(() => cell.refer(), StateError);
});

test("a mirrored extent goes on at its start", () => {
  const extent = memory.allocateExtent(65536);
  const bytes = new Uint8Array(extent.map({ mirrored: true }));
  bytes[65536 + 3] = 5;
  assert.equal(bytes[3], 5);
  extent.release();
});

test("memory of a large extent returns to the system when it is released", () => {
  const before = residentBytes();
  const extent = memory.allocateExtent(64 << 20);
  new Uint8Array(extent.map()).fill(1);
  assert.ok(residentBytes() - before >= 64 << 20);
  extent.release();
  assert.ok(residentBytes() - before < 8 << 20);
});

test("10,000 extents of 1 MB, made and released, leave memory flat", () => {
  const before = residentBytes();
  for (let i = 0; i < 10_000; i++) {
    const extent = memory.allocateExtent(1_000_000);
    new Uint8Array(extent.map())[i] = 1;
    extent.release();
  }
  assert.ok(residentBytes() - before < 80 << 20);
});

test("extents that are only dropped are freed by the collector", async () => {
  const before = residentBytes();
  for (let i = 0; i < 200; i++) {
    const extent = memory.allocateExtent(8 << 20);
    new Uint8Array(extent.map()).fill(1, 0, 4 << 20);
    if (i % 20 === 19) await collectGarbage();
  }
  await collectGarbage();
  assert.ok(residentBytes() - before < 300 << 20, `${(residentBytes() - before) >> 20} MiB are left`);
});

test("a block lives while a reference is under way, and a stale reference is refused", () => {
  const cell = memory.allocateCell(8);
  const ref = cell.refer();
  memory.arena().words[cell.word] = 99;
  cell.release();
  const opened = memory.openCell(ref);
  assert.equal(memory.arena().words[opened.word], 99);
  opened.release();
  assert.throws(() => memory.openCell(ref), StateError);
});

test("a retracted reference frees the block", () => {
  const extent = memory.allocateExtent(8);
  const ref = extent.refer();
  extent.release();
  memory.retractRef(ref);
  assert.throws(() => memory.openExtent(ref), StateError);
});

test("a child that is killed gives up what it held when it is swept", async () => {
  for (const kind of ["cell", "extent"]) {
    const block = kind === "cell" ? memory.allocateCell(64) : memory.allocateExtent(1000);
    const ref = block.refer();
    const child = await startArenaChild("block-holder", ref.id, ref.generation, kind);
    assert.equal(await child.line(), "holding");
    if (block instanceof memory.Extent) assert.equal(new Uint8Array(block.map())[1], 77);
    block.release();
    const slot = memory.slotsInUse().find((each) => memory.slotOwner(each)?.pid === child.pid) as number;
    assert.ok(memory.isSlotAlive(slot));
    assert.ok(memory.isHolder(ref.id, slot));
    await child.kill();
    assert.ok(!memory.isSlotAlive(slot));
    memory.sweepProcess(child.pid);
    assert.equal(memory.slotOwner(slot), undefined);
    assert.ok(!memory.isHolder(ref.id, slot));
    assert.equal(memory.sweep(slot), false, "swept once");
    assert.equal(memory.sweep(slot, memory.slotGeneration(slot) - 1), false);
    assert.throws(() => memory.openCell(ref), StateError);
  }
});

test("nameSlot() is read back, cut at the room there is", () => {
  memory.nameSlot("Ünit-1");
  assert.equal(memory.slotOwner(memory.selfSlot())?.name, "Ünit-1");
  memory.nameSlot("x".repeat(500));
  assert.equal(memory.slotOwner(memory.selfSlot())?.name, "x".repeat(96));
});

test("a sweep in which a cleaner fails can be repeated", async () => {
  const child = await startArenaChild("block-holder", ...Object.values(memory.allocateCell(8).refer()), "cell");
  assert.equal(await child.line(), "holding");
  await child.kill();
  const slot = memory.slotsInUse().find((each) => memory.slotOwner(each)?.pid === child.pid) as number;
  let failing = true;
  memory.onSweep((dead) => {
    if (failing && dead.slot === slot) throw new Error("the cleaner failed");
  });
  assert.throws(() => memory.sweep(slot), /the cleaner failed/);
  failing = false;
  assert.equal(memory.sweep(slot), true);
  assert.equal(memory.slotOwner(slot), undefined);
});

test("who comes late to sweep a slot leaves its new owner alone", async () => {
  const first = await startArenaChild("block-holder", ...Object.values(memory.allocateCell(8).refer()), "cell");
  assert.equal(await first.line(), "holding");
  const slot = memory.slotsInUse().find((each) => memory.slotOwner(each)?.pid === first.pid) as number;
  const seenDead = memory.slotGeneration(slot);
  await first.kill();
  assert.equal(memory.sweep(slot), true);
  // The next process takes the slots in turn, so it is led to this one.
  const { words } = memory.arena();
  words[3] = slot;
  const second = await startArenaChild("block-holder", ...Object.values(memory.allocateCell(8).refer()), "cell");
  assert.equal(await second.line(), "holding");
  assert.equal(memory.slotOwner(slot)?.pid, second.pid);
  assert.equal(memory.sweep(slot, seenDead), false);
  assert.ok(memory.isSlotAlive(slot));
  memory.sweepProcess(second.pid);
  assert.ok(memory.isSlotAlive(slot), "a living process is not swept");
  await second.kill();
  memory.sweepProcess(second.pid);
  assert.equal(memory.slotOwner(slot), undefined);
});
