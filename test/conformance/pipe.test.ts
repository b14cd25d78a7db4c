/** The contract of pipes, connections and listeners. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthenticationError,
  BrokenPipeError,
  BufferTooShortError,
  connect,
  type Connection,
  EndOfStreamError,
  Listener,
  Pipe,
  SerializationError,
  StateError,
  TimeoutError,
} from "multiproc";
import { eachMethod } from "./each-method.ts";

eachMethod("a pipe is duplex: what one end sends the other receives, in order", async ({ Pipe: P, Process }) => {
  const [here, there] = P<number>();
  const child = new Process(async () => {
    for await (const n of there) await there.send(n * 2);
  }).start();
  for (const n of [1, 2, 3]) await here.send(n);
  for (const n of [2, 4, 6]) assert.equal(await here.recv(), n);
  here.close();
  assert.equal(await child.join(), 0);
});

eachMethod(
  "what a child has sent is read after its death, then EndOfStreamError; no copy need be closed",
  async ({ Process }) => {
    const [here, there] = Pipe<number>();
    const child = new Process(() => {
      there.sendSync(1);
      there.sendSync(2);
      process.kill(process.pid, "SIGKILL");
    }).start();
    assert.equal(await here.recv(), 1);
    assert.equal(here.recvSync(), 2);
    await assert.rejects(here.recv(), EndOfStreamError);
    assert.equal(await here.poll(), true);
    await child.join();
    await assert.rejects(here.send(3), BrokenPipeError);
  },
);

test("one direction: the first end reads, the second writes", async () => {
  const [reader, writer] = Pipe<string>({ duplex: false });
  assert.deepEqual([reader.readable, reader.writable, writer.readable, writer.writable], [true, false, false, true]);
  await writer.send("x");
  assert.equal(await reader.recv(), "x");
  await assert.rejects(async () => reader.send("y"), StateError);
  await assert.rejects(async () => writer.recv(), StateError);
});

test("recv() out of time: TimeoutError; poll() says whether there is something", async () => {
  const [a, b] = Pipe<number>();
  await assert.rejects(a.recv({ timeout: 1 }), TimeoutError);
  assert.throws(() => a.recvSync({ timeout: 0 }), TimeoutError);
  assert.equal(await a.poll(), false);
  b.sendSync(1);
  assert.equal(a.pollSync({ timeout: 1000 }), true);
  await assert.rejects(b.recv({ signal: AbortSignal.abort(new Error("no more")) }), /no more/);
});

test("bytes travel as they are; what is over maxLength is dropped and the connection stays usable", async () => {
  const [a, b] = Pipe();
  await a.sendBytes(new Uint8Array([1, 2, 3, 4]), { offset: 1, size: 2 });
  assert.deepEqual(await b.recvBytes(), new Uint8Array([2, 3]));
  await a.sendBytes(new Uint8Array(10));
  await assert.rejects(b.recvBytes({ maxLength: 9 }), BufferTooShortError);
  a.sendBytesSync(new Uint8Array([7]));
  const buffer = new Uint8Array(4);
  assert.equal(b.recvBytesIntoSync(buffer, { offset: 2 }), 1);
  assert.deepEqual([...buffer], [0, 0, 7, 0]);
  await a.sendBytes(new Uint8Array([8]));
  assert.deepEqual(b.recvBytesSync(), new Uint8Array([8]));
  await a.sendBytes(new Uint8Array([9, 9]));
  assert.equal(await b.recvBytesInto(buffer), 2);
});

test("a message may be larger than the pipe", async () => {
  const [a, b] = Pipe<Uint8Array>();
  const sent = a.send(new Uint8Array(20 * 2 ** 20).fill(9));
  const got = await b.recv();
  await sent;
  assert.equal(got.length, 20 * 2 ** 20);
  assert.ok(got.every((byte) => byte === 9));
});

test("toDuplex() is a stream of messages, both ways", async () => {
  const [a, b] = Pipe<number>();
  const stream = a.toDuplex();
  stream.write(1);
  assert.equal(await b.recv(), 1);
  await b.send(2);
  b.close();
  assert.deepEqual(await stream.toArray(), [2]);
});

test("a closed connection: StateError", async () => {
  const [a] = Pipe();
  a.close();
  assert.equal(a.closed, true);
  await assert.rejects(async () => a.recv(), StateError);
  await assert.rejects(async () => a.send(1), StateError);
});

test("Listener and connect: the same connection, for who knows the key", async () => {
  using listener = new Listener({ host: "127.0.0.1", port: 0 }, { authkey: "secret" });
  const [far, near] = await Promise.all([connect<string>(listener.address, { authkey: "secret" }), listener.accept()]);
  await far.send("hello");
  assert.equal(await (near as Connection<string>).recv(), "hello");
  near.close();
  await assert.rejects(far.recv(), EndOfStreamError);
});

test("a wrong key: AuthenticationError on both sides", async () => {
  using listener = new Listener({ host: "127.0.0.1", port: 0 }, { authkey: "secret" });
  const accepted = listener.accept();
  await Promise.all([
    assert.rejects(connect(listener.address, { authkey: "guess" }), AuthenticationError),
    assert.rejects(accepted, AuthenticationError),
  ]);
});

test("a key is required", async () => {
  assert.throws(() => new Listener({ host: "127.0.0.1", port: 0 }, {} as never), TypeError);
  await assert.rejects(async () => connect({ host: "127.0.0.1", port: 1 }, {} as never), TypeError);
});

test("limits: who does not prove the key in time is dropped, messages have a greatest length, functions are taken if allowed", async () => {
  const secret = { authkey: "secret", handshakeTimeout: 5000, maxMessageBytes: 1000 };
  using listener = new Listener({ host: "127.0.0.1", port: 0 }, { ...secret, backlog: 1, functions: true });
  const connected = connect<unknown>(listener.address, { ...secret, functions: true });
  const [far, near] = await Promise.all([connected, listener.accept()]);
  await far.send((n: number) => n + 1);
  assert.equal(((await near.recv()) as (n: number) => number)(1), 2);
  await assert.rejects(far.send("x".repeat(2000)));
  near.close();
  const [strict, other] = await Promise.all([connect<unknown>(listener.address, secret), listener.accept()]);
  await assert.rejects(
    strict.send(() => 1),
    SerializationError,
  );
  other.close();
});
