import assert from "node:assert/strict";
import { fstatSync } from "node:fs";
import { test } from "node:test";
import { type Connection, Pipe, Process, Queue } from "../../src/index.ts";
import { arenaFd, releaseCarriers } from "../../src/memory/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { countBlocks } from "../helpers/count-blocks.ts";
import { noise, sizesAround } from "../helpers/noise.ts";
import { Random } from "../helpers/random.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Scratch, the first segments, copies that are prepared, the longest inline payload, what a pipe holds, huge pages. */
const THRESHOLDS = [4 * KIB, 64 * KIB, 128 * KIB, MIB, 1280 * KIB, 8 * MIB, 16 * MIB, 32 * MIB];

function residentBytes(): number {
  return fstatSync(arenaFd()).blocks * 512;
}

function assertSame(got: Uint8Array, expected: Uint8Array, what: string): void {
  assert.ok(Buffer.compare(got, expected) === 0, `${what} of ${expected.length} bytes came as ${got.length} others`);
}

function echo(connection: Connection): void {
  for (let kind = connection.recvSync(); kind !== "end"; kind = connection.recvSync()) {
    if (kind === "bytes") connection.sendBytesSync(connection.recvBytesSync());
    else connection.sendSync(connection.recvSync());
  }
}

test("bytes and values of all sizes come back whole through a pipe", async (t) => {
  const random = new Random();
  t.diagnostic(`MULTIPROC_SEED=${random.seed}`);
  const [here, there] = Pipe();
  const child = new Process(echo, there).start();
  for (const size of sizesAround(THRESHOLDS, random, 30)) {
    const bytes = noise(size, random.below(2 ** 32));
    await Promise.all([here.send("bytes"), here.sendBytes(bytes)]);
    assertSame(await here.recvBytes(), bytes, "a message");
    const text = Buffer.from(bytes.subarray(0, MIB)).toString("latin1");
    await Promise.all([here.send("value"), here.send({ bytes, text })]);
    const got = (await here.recv()) as { bytes: Uint8Array; text: string };
    assertSame(got.bytes, bytes, "a value");
    assert.ok(got.text === text);
  }
  here.sendSync("end");
  assert.equal(await child.join(), 0);
});

test("messages of mixed sizes keep their order and contents while many are under way", async (t) => {
  const random = new Random();
  t.diagnostic(`MULTIPROC_SEED=${random.seed}`);
  const sizes = Array.from({ length: 120 }, () => 1 + Math.floor((3 * MIB) ** random.next()));
  const queue = new Queue<Uint8Array>();
  const child = new Process(
    (queue: Queue<Uint8Array>, sizes: number[], noise: (size: number, seed: number) => Uint8Array) => {
      sizes.forEach((size, i) => queue.putSync(noise(size, i)));
    },
    queue,
    sizes,
    noise,
  ).start();
  for (const [i, size] of sizes.entries()) assertSame(await queue.get(), noise(size, i), `message ${i}`);
  assert.equal(await child.join(), 0);
});

test("what arrives is an ordinary array: its own, of just its length, changed and transferred by nobody else", async () => {
  const queue = new Queue<Uint8Array>();
  for (const size of [100, 200_000, 3 * MIB, 40 * MIB]) {
    const sent = noise(size, size);
    await Promise.all([queue.put(sent), queue.put(sent)]);
    const [first, second] = [await queue.get(), await queue.get()];
    assert.equal(first.byteOffset, 0);
    assert.equal(first.buffer.byteLength, size);
    first.fill(7);
    assertSame(second, sent, "the other copy");
    const moved = structuredClone(second, { transfer: [second.buffer as ArrayBuffer] });
    assert.equal(second.length, 0, "it was transferred, not copied");
    await queue.put(noise(size, 1));
    await queue.get();
    assertSame(moved, sent, "what was transferred");
  }
});

test("1000 large messages leave memory flat, in the arena and here", async () => {
  const [reader, writer] = Pipe({ duplex: false });
  const child = new Process((writer: Connection) => {
    const block = new Uint8Array(2 * 2 ** 20).fill(1);
    for (let i = 0; i < 1000; i++) writer.sendBytesSync(block);
  }, writer).start();
  writer.close();
  let here = 0;
  let arena = 0;
  for (let i = 0; i < 1000; i++) {
    assert.equal((await reader.recvBytes()).length, 2 * MIB);
    if (i === 200) [here, arena] = [process.memoryUsage.rss(), residentBytes()];
  }
  assert.equal(await child.join(), 0);
  await collectGarbage();
  const [moreHere, moreArena] = [process.memoryUsage.rss() - here, residentBytes() - arena];
  assert.ok(moreHere < 100 * MIB, `this process grew by ${moreHere} bytes`);
  assert.ok(moreArena < 20 * MIB, `the arena grew by ${moreArena} bytes`);
});

test("a receiver that is killed with large messages under way leaves nothing behind", async () => {
  // What earlier tests have dropped.
  await collectGarbage();
  releaseCarriers();
  const before = countBlocks().extents;
  for (let round = 0; round < 10; round++) {
    const [here, there] = Pipe();
    const child = new Process((connection: Connection) => {
      connection.recvBytesSync();
      connection.sendSync("reading");
      for (;;) connection.recvBytesSync();
    }, there).start();
    there.close();
    const block = new Uint8Array(2 * MIB);
    here.sendBytesSync(block);
    here.recvSync();
    const sending = (async () => {
      for (;;) await here.sendBytes(block);
    })();
    if (round % 2 === 0) child.kill();
    else setImmediate(() => child.kill());
    await assert.rejects(sending, { name: "BrokenPipeError" });
    await child.join();
    here.close();
  }
  releaseCarriers();
  // Whoever is killed in the middle of taking a message over can lose that one block. Ten kills would show a leak of more.
  const lost = countBlocks().extents - before;
  assert.ok(lost <= 2, `${lost} blocks are left`);
});
