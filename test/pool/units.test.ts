import assert from "node:assert/strict";
import { test } from "node:test";
import { AdaptiveChunk, defaultChunkSize } from "../../src/pool/chunking.ts";
import { AsyncResult, settle } from "../../src/pool/async-result.ts";
import { Imap, type ImapPool } from "../../src/pool/imap.ts";
import { LANE_BYTES, LaneReader, LaneWriter } from "../../src/pool/lane.ts";
import { ProgressReporter } from "../../src/pool/progress.ts";
import type { Task, TaskListener } from "../../src/pool/task.ts";
import { TasksInHand } from "../../src/pool/tasks-in-hand.ts";
import { allocateCell, allocateExtent } from "../../src/memory/index.ts";
import { StateError, TimeoutError } from "../../src/index.ts";

test("the default chunk size is Python's: four chunks for each worker", () => {
  assert.equal(defaultChunkSize(0, 4), 1);
  assert.equal(defaultChunkSize(1, 4), 1);
  assert.equal(defaultChunkSize(1000, 2), 125);
  assert.equal(defaultChunkSize(17, 2), 3);
});

test("an adaptive chunk at most doubles or halves, and stays within its limits", () => {
  const chunk = new AdaptiveChunk();
  for (let i = 0; i < 20; i++) chunk.measured(chunk.size, 1e-4, true);
  assert.equal(chunk.size, 1024);
  chunk.measured(1024, 1e6, false);
  assert.equal(chunk.size, 512);
  for (let i = 0; i < 20; i++) chunk.measured(chunk.size, 1e6, true);
  assert.equal(chunk.size, 1);
  chunk.measured(1, 1e-4, false);
  assert.equal(chunk.size, 1);
});

/** A lane whose both ends are here. */
function makeLane(): { writer: LaneWriter; reader: LaneReader } {
  const { word } = allocateCell(128);
  const extent = allocateExtent(LANE_BYTES);
  return { writer: new LaneWriter(extent, word, word + 16), reader: new LaneReader(extent, word, word + 16) };
}

function put(writer: LaneWriter, kind: number, bytes: Uint8Array): boolean {
  if (!writer.begin(kind)) return false;
  if (writer.limit - writer.position < bytes.length) writer.grow(bytes.length);
  writer.bytes.set(bytes, writer.position);
  writer.position += bytes.length;
  writer.commit().outside?.release();
  return true;
}

test("a lane gives its records in order, over its end many times, and refuses what has no room", () => {
  const { writer, reader } = makeLane();
  let written = 0;
  let read = 0;
  for (let turn = 0; turn < 400; turn++) {
    const bytes = new Uint8Array((turn * 7919) % 50_000).fill(turn % 251);
    while (!put(writer, written % 7, bytes)) {
      assert.equal(reader.next(), true);
      assert.equal(reader.kind, read++ % 7);
      reader.done();
    }
    written += 1;
  }
  while (reader.next()) {
    const contents = reader.bytes.subarray(reader.position, reader.limit);
    const expected = new Uint8Array((read * 7919) % 50_000).fill(read % 251);
    assert.equal(Buffer.compare(contents, expected), 0);
    read += 1;
    reader.done();
  }
  assert.equal(read, written);
});

test("what is larger than a lane travels outside it", () => {
  const { writer, reader } = makeLane();
  const large = new Uint8Array(3 * LANE_BYTES).map((_, i) => i % 253);
  assert.equal(put(writer, 5, large), true);
  assert.equal(reader.next(), true);
  assert.equal(reader.kind, 5);
  assert.equal(Buffer.compare(reader.bytes.subarray(reader.position, reader.limit), large), 0);
  reader.done();
  assert.equal(reader.isEmpty, true);
});

test("tasks in hand are found and taken out wherever they are, around the end of the ring; the others keep their order", () => {
  const tasks = new TasksInHand(8);
  const make = (number: number): Task => ({ number, items: 1, expectedMs: 0, fn: { itemMs: 2 } }) as Task;
  const numbers = (): number[] => [...tasks].map(({ number }) => number);
  for (let number = 0; number < 5; number++) tasks.push(make(number));
  for (let number = 0; number < 5; number++) assert.equal(tasks.take(number)?.number, number);
  assert.equal(tasks.take(4), undefined);
  for (let number = 5; number < 13; number++) tasks.push(make(number));
  assert.equal(tasks.find(4), undefined);
  assert.equal(tasks.take(20), undefined);
  assert.equal(tasks.find(12)?.number, 12);
  assert.equal(tasks.take(9)?.number, 9);
  assert.equal(tasks.take(12)?.number, 12);
  assert.equal(tasks.take(5)?.number, 5);
  assert.deepEqual(numbers(), [6, 7, 8, 10, 11]);
  assert.equal(tasks.expectedMs, 10);
  for (let number = 13; number < 16; number++) tasks.push(make(number));
  assert.equal(tasks.pop()?.number, 15);
  assert.equal(tasks.first?.number, 6);
  assert.equal(tasks.last?.number, 14);
  assert.deepEqual(
    tasks.drain().map(({ number }) => number),
    [6, 7, 8, 10, 11, 13, 14],
  );
});

test("an AsyncResult settles once, for everybody who waits", async () => {
  const result = new AsyncResult<number>({ cancel: () => false, waitSync: () => {} });
  assert.equal(result.ready(), false);
  assert.throws(() => result.successful(), StateError);
  await assert.rejects(result.get({ timeout: 1 }), TimeoutError);
  await assert.rejects(result.get({ timeout: 0 }), TimeoutError);
  assert.equal(await result.wait({ timeout: 0 }), false);
  const aborted = AbortSignal.abort(new Error("stop"));
  await assert.rejects(result.get({ signal: aborted }), /stop/);
  const both = Promise.all([result, result.get()]);
  settle(result, "fulfilled", 1);
  settle(result, "fulfilled", 2);
  assert.deepEqual(await both, [1, 1]);
  assert.equal(result.successful(), true);
  assert.equal(result.getSync(), 1);
});

/** Runs chunks when it is told to. */
class FakePool implements ImapPool {
  readonly processes = 2;
  readonly sent: { items: unknown[]; index: number; listener: TaskListener }[] = [];
  readonly termination = undefined;
  dropped = 0;

  send(items: unknown[], index: number, listener: TaskListener): Task {
    this.sent.push({ items, index, listener });
    return { index, items: items.length } as Task;
  }

  drop(): void {
    this.dropped += 1;
  }

  setAwaited(): void {}

  cancel(): void {}

  consumed(): void {}

  finish(at: number): void {
    const { items, index, listener } = this.sent[at] as (typeof this.sent)[0];
    const task = { index, items: items.length } as Task;
    listener.value(
      items.map((item) => [true, item]),
      task,
    );
  }
}

function makeImap(pool: ImapPool, items: Iterable<unknown>, ordered = true): Imap {
  return new Imap(pool, items, { ordered, chunkSize: 1, progress: new ProgressReporter(undefined, undefined, "") });
}

function* naturals(taken: number[]): Generator<number> {
  for (let i = 0; ; i++) {
    taken.push(i);
    yield i;
  }
}

test("130, T5: imap takes a small window of inputs ahead of its consumer, no more", async () => {
  const pool = new FakePool();
  const taken: number[] = [];
  const imap = makeImap(pool, naturals(taken));
  assert.equal(taken.length, 0);
  const first = imap.next();
  const window = taken.length;
  assert.ok(window > 0 && window <= 4, `${window} inputs taken`);
  pool.finish(0);
  assert.deepEqual(await first, { done: false, value: 0 });
  await imap.return();
  assert.ok(taken.length <= window + 1);
  assert.equal(pool.dropped, pool.sent.length - 1);
  assert.deepEqual(await imap.next(), { done: true, value: undefined });
});

test("imap keeps the order, imapUnordered gives what comes first", async () => {
  for (const ordered of [true, false]) {
    const pool = new FakePool();
    const imap = makeImap(pool, [10, 11, 12], ordered);
    const all = [imap.next(), imap.next(), imap.next(), imap.next()];
    for (const i of [2, 0, 1]) pool.finish(i);
    const values = (await Promise.all(all)).map(({ value }) => value as number | undefined);
    assert.deepEqual(values, ordered ? [10, 11, 12, undefined] : [12, 10, 11, undefined]);
  }
});

test("progress counts to the total, and a callback that throws is a warning", async () => {
  const seen: unknown[] = [];
  const reporter = new ProgressReporter(({ done, total }) => seen.push([done, total]), 3, "");
  reporter.advance(2);
  reporter.advance(1);
  assert.deepEqual(seen, [
    [2, 3],
    [3, 3],
  ]);
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  new ProgressReporter(
    () => {
      throw new Error("mine");
    },
    1,
    "",
  ).advance(1);
  assert.match((await warned).message, /mine/);
});
