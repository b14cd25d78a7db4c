import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { allocateCell, arena, CellHeader, cellWord, type Cell } from "../../src/memory/index.ts";
import { MAX_INLINE_BYTES, NOTHING, registerRings, Ring, RING_BYTES, Written } from "../../src/ring/index.ts";
import { RingWord } from "../../src/ring/ring-words.ts";
import { segmentSlot, SegmentSlot } from "../../src/ring/ring-words.ts";

const TEST_CELL = 90;
registerRings(TEST_CELL, [0]);

function makeRing(maxRecords: number, maxBytes: number): { ring: Ring; cell: Cell } {
  const cell = allocateCell(RING_BYTES, TEST_CELL);
  Ring.format(cell.word, { maxRecords, maxBytes });
  return { ring: new Ring(cell.word), cell };
}

/** Starts positions just below where 32 bits wrap. */
function nearWrap({ word }: Cell): void {
  const { words } = arena();
  words[word + RingWord.tail] = words[word + RingWord.head] = -4096;
  words[word + RingWord.put] = words[word + RingWord.taken] = 0x7fff_fff0;
}

interface Record {
  readonly kind: number;
  readonly aux: number;
  readonly bytes: Uint8Array;
}

function bytesOf(length: number, first: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) & 255);
}

function take(ring: Ring): Record | typeof NOTHING {
  return ring.reader.read(({ kind, aux, bytes, position, limit }) => ({
    kind,
    aux,
    bytes: bytes.slice(position, limit),
  }));
}

/** The model: a plain array, and the limits. */
interface Model {
  readonly records: Record[];
  readonly maxRecords: number;
  closed: boolean;
}

class Put implements fc.Command<Model, Ring> {
  readonly length: number;
  readonly aux: number;

  constructor(length: number, aux: number) {
    this.length = length;
    this.aux = aux;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, ring: Ring): void {
    const bytes = bytesOf(this.length, this.aux);
    // A length that is no multiple of 8, with and without words beside it.
    const padded = new ArrayBuffer((this.length + 7) & ~7);
    new Uint8Array(padded).set(bytes);
    const words = this.aux % 2 === 0 ? new Int32Array(padded) : undefined;
    const result = ring.writer.write(5, this.aux, new Uint8Array(padded), this.length, words);
    if (model.closed) assert.equal(result, Written.closed);
    else if (model.maxRecords > 0 && model.records.length >= model.maxRecords) assert.equal(result, Written.full);
    else if (result === Written.noMemory) assert.ok(model.records.length > 0);
    else {
      assert.equal(result, Written.done);
      model.records.push({ kind: 5, aux: this.aux, bytes });
    }
    assert.equal(ring.size, model.records.length);
  }
  toString(): string {
    return `put(${this.length}, ${this.aux})`;
  }
}

class Take implements fc.Command<Model, Ring> {
  check(): boolean {
    return true;
  }
  run(model: Model, ring: Ring): void {
    const expected = model.records.shift();
    const got = take(ring);
    if (expected === undefined) assert.equal(got, NOTHING);
    else assert.deepEqual(got, expected);
    assert.equal(ring.size, model.records.length);
    assert.equal(ring.reader.isEmpty, model.records.length === 0);
  }
  toString(): string {
    return "take()";
  }
}

class Close implements fc.Command<Model, Ring> {
  check({ closed }: Model): boolean {
    return !closed;
  }
  run(model: Model, ring: Ring): void {
    model.closed = true;
    assert.equal(ring.writer.close(), true);
    assert.equal(ring.writer.close(), false);
    assert.equal(ring.closed, true);
  }
  toString(): string {
    return "close()";
  }
}

for (const [name, maxRecords, maxBytes, wrap] of [
  ["with room", 0, 2 ** 30, false],
  ["of at most 3 records", 3, 2 ** 30, false],
  ["of at most 128 KiB", 0, 128 * 1024, false],
  ["whose positions wrap around", 0, 2 ** 30, true],
] as const) {
  test(`a ring ${name} does what a plain array does`, () => {
    const length = fc.oneof(
      { weight: 8, arbitrary: fc.nat(300) },
      { weight: 3, arbitrary: fc.nat(40_000) },
      { weight: 1, arbitrary: fc.nat(400_000) },
    );
    const put = fc.tuple(length, fc.integer({ min: -1000, max: 1000 })).map(([l, a]) => new Put(l, a));
    const commands = fc.commands(
      [
        put,
        put,
        fc.constant(new Take()),
        fc.constant(new Take()),
        fc.record({ n: fc.nat(60) }).map(({ n }) => (n === 0 ? new Close() : new Take())),
      ],
      { maxCommands: 150 },
    );
    fc.assert(
      fc.property(commands, (cmds) => {
        const { ring, cell } = makeRing(maxRecords, maxBytes);
        if (wrap) nearWrap(cell);
        fc.modelRun(() => ({ model: { records: [], maxRecords, closed: false }, real: ring }), cmds);
        ring.release();
        cell.release();
      }),
      { numRuns: 60 },
    );
  });
}

test("a ring goes round many times in one segment, and keeps its small size", () => {
  const { ring, cell } = makeRing(0, 2 ** 30);
  for (let i = 0; i < 20_000; i++) {
    ring.writer.write(5, i, bytesOf(100, i), 100);
    const got = take(ring) as Record;
    assert.equal(got.aux, i);
    assert.equal(got.bytes[99], (i + 99) & 255);
  }
  assert.equal(arena().words[cell.word + RingWord.tailSerial], 1);
  ring.release();
  cell.release();
});

test("a ring with a limit of bytes that is always full stays in one segment", () => {
  const { ring, cell } = makeRing(0, 8 * 2 ** 20);
  const block = new Uint8Array(2 ** 20);
  const serial = (): number => arena().words[cell.word + RingWord.tailSerial] as number;
  const fill = (): void => {
    while (ring.writer.write(5, 0, block, block.length) === Written.done);
  };
  const exchange = (times: number): void => {
    for (let i = 0; i < times; i++) {
      ring.reader.read(() => {});
      fill();
    }
  };
  fill();
  // Through what it grew by, once.
  exchange(20);
  const before = serial();
  exchange(100);
  assert.equal(serial(), before);
  ring.release();
  cell.release();
});

test("a ring that has grown for a burst becomes small again", () => {
  const { ring, cell } = makeRing(0, 2 ** 30);
  const { words } = arena();
  const capacity = (): number => {
    const slot = segmentSlot(cell.word + RingWord.tailSlots, words[cell.word + RingWord.tailSerial] as number);
    return words[slot + SegmentSlot.capacity] as number;
  };
  const block = new Uint8Array(60_000);
  for (let i = 0; i < 20; i++) ring.writer.write(5, i, block, block.length);
  while (take(ring) !== NOTHING);
  const grown = capacity();
  assert.ok(grown >= 512 * 1024, `${grown}`);
  const small = new Uint8Array(4000);
  for (let i = 0; i < 200 * (grown / 4096); i++) {
    ring.writer.write(5, i, small, small.length);
    ring.reader.read(() => {});
  }
  assert.ok(capacity() < grown, `${capacity()}`);
  ring.release();
  cell.release();
});

test("a record that throws when it is looked at is taken; LEAVE leaves it", async () => {
  const { LEAVE } = await import("../../src/ring/index.ts");
  const { ring, cell } = makeRing(0, 2 ** 30);
  ring.writer.write(5, 1);
  ring.writer.write(5, 2);
  assert.equal(
    ring.reader.read(() => LEAVE),
    LEAVE,
  );
  assert.equal(ring.size, 2);
  assert.throws(() =>
    ring.reader.read(() => {
      throw new Error("cannot");
    }),
  );
  assert.equal(
    ring.reader.read(({ aux }) => aux),
    2,
  );
  cell.release();
});

test("who takes from a ring cannot take from it in the middle of that", () => {
  const { ring, cell } = makeRing(0, 2 ** 30);
  ring.writer.write(5, 1);
  ring.writer.write(5, 2);
  assert.throws(() => ring.reader.read(() => ring.reader.read(() => 0)), { code: "ERR_STATE" });
  assert.equal(
    ring.reader.read(({ aux }) => aux),
    2,
  );
  cell.release();
});

test("a freed ring gives all its memory back", () => {
  const { ring, cell } = makeRing(0, 2 ** 30);
  const block = new Uint8Array(MAX_INLINE_BYTES);
  for (let i = 0; i < 8; i++) assert.equal(ring.writer.write(5, i, block, block.length), Written.done);
  const { words } = arena();
  const first = words[
    segmentSlot(cell.word + RingWord.headSlots, words[cell.word + RingWord.headSerial] as number)
  ] as number;
  const last = words[
    segmentSlot(cell.word + RingWord.tailSlots, words[cell.word + RingWord.tailSerial] as number)
  ] as number;
  assert.notEqual(first, last);
  ring.release();
  cell.release();
  for (const id of [first, last]) assert.equal(words[cellWord(id) + CellHeader.state], 0);
});
