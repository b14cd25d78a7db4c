import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { Frames } from "../../src/manager/frames.ts";
import { MessageSocket } from "../../src/manager/message-socket.ts";

function framed(length: number, fill: number): Buffer {
  const bytes = Buffer.alloc(4 + length, fill);
  bytes.writeUInt32LE(length);
  return bytes;
}

/** All messages that come of these pieces. */
function received(pieces: readonly Buffer[]): string[] {
  const frames = new Frames();
  const messages: string[] = [];
  for (const piece of pieces) {
    frames.add(piece);
    for (let next = frames.next(1000); next !== undefined; next = frames.next(1000)) {
      messages.push(Buffer.from(next).toString());
    }
  }
  return messages;
}

test("messages are the same in whatever pieces they come", () => {
  const stream = Buffer.concat([framed(3, 97), framed(0, 0), framed(300, 98), framed(1, 99)]);
  const expected = ["aaa", "", "b".repeat(300), "c"];
  for (const size of [1, 2, 3, 5, 7, 100, stream.length]) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) pieces.push(stream.subarray(at, at + size));
    assert.deepEqual(received(pieces), expected, `pieces of ${size} bytes`);
  }
});

test("a long message in many pieces is copied a few times at most", () => {
  const frames = new Frames();
  const length = 32 * 2 ** 20;
  const piece = Buffer.alloc(16 * 1024);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(length);
  const before = process.cpuUsage();
  frames.add(header);
  for (let sent = 0; sent < length; sent += piece.length) {
    assert.equal(frames.next(length), undefined);
    frames.add(piece);
  }
  assert.equal(frames.next(length)?.length, length);
  // Copied anew with each piece, it would be 32 GiB: ten seconds at the best.
  assert.ok(process.cpuUsage(before).user < 2e6);
});

test("whoever does not read its answers is not served any more, until it does", async (t) => {
  const server = createServer();
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const accepted = once(server, "connection");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [socket] = (await accepted) as [Socket];
  const answering = new MessageSocket(socket, true);
  const asked = 64;
  let served = 0;
  const allServed = new Promise<void>((resolve) => {
    const serve = (): void => {
      answering.send(Buffer.alloc(2 ** 20));
      if (++served === asked) resolve();
    };
    answering.listen(100, serve, () => {});
  });
  client.pause();
  client.write(Buffer.concat(Array.from({ length: asked }, () => framed(1, 1))));
  // What the system keeps of the answers, and the one that was too many.
  while (!socket.isPaused()) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(served < asked / 2, `${served} of ${asked} were served`);
  assert.ok(socket.writableLength < 4 * 2 ** 20);

  client.resume();
  await allServed;
  client.destroy();
  await new Promise((resolve) => socket.once("close", resolve));
});
