import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  type Address,
  AuthenticationError,
  connect,
  Connection,
  EndOfStreamError,
  Listener,
  Lock,
  Process,
  SerializationError,
  StateError,
  TimeoutError,
  wait,
  waitSync,
} from "../../src/index.ts";

const authkey = "a key that both know";
const folder = mkdtempSync(join(tmpdir(), "listener-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const local = { host: "127.0.0.1", port: 0 };

async function pair(address: Address = local, options = {}): Promise<[Connection, Connection, Listener]> {
  const listener = new Listener(address, { authkey, ...options });
  const connecting = connect(listener.address, { authkey, ...options });
  return [await listener.accept(), await connecting, listener];
}

function closeAll(...closables: { close(): void }[]): void {
  for (const each of closables) each.close();
}

for (const [name, address] of [
  ["IPv4", local],
  ["IPv6", { host: "::1", port: 0 }],
  ["a path", join(folder, "socket")],
  ["an abstract name", `\0multiproc-test-${process.pid}`],
] as const) {
  test(`${name}: accept and connect give connections that carry values and bytes (78)`, async () => {
    const [server, client, listener] = await pair(address);
    if (typeof address !== "string") assert.notEqual((listener.address as { port: number }).port, 0);
    const value = { text: "hello", list: [1, 2n, new Date(5)], map: new Map([["a", new Set([1])]]) };
    await client.send(value);
    assert.deepEqual(await server.recv(), value);
    await server.send(7);
    assert.equal(await client.recv(), 7);
    const big = new Uint8Array(5_000_000).map((_, i) => i);
    const [received] = await Promise.all([server.recvBytes(), client.sendBytes(big)]);
    assert.deepEqual(Buffer.compare(received, big), 0);
    closeAll(server, client, listener);
  });
}

test("the blocking calls work over sockets, too", async () => {
  const listener = new Listener(join(folder, "blocking"), { authkey });
  const child = new Process(
    async (address: string, key: string) => {
      const connection = await connect<number>(address, { authkey: key });
      for (let i = 0; i < 50; i++) connection.sendSync(connection.recvSync() * 2);
      connection.close();
    },
    listener.address as string,
    authkey,
  ).start();
  const connection = await listener.accept();
  for (let i = 0; i < 50; i++) {
    connection.sendSync(i);
    assert.equal(connection.recvSync({ timeout: 30_000 }), 2 * i);
  }
  assert.throws(() => connection.recvSync(), EndOfStreamError);
  assert.equal(await child.join(), 0);
  closeAll(connection, listener);
});

test("a used address, an address that nobody listens at, and use after close are refused (78)", async () => {
  const listener = new Listener(local, { authkey });
  assert.throws(() => new Listener(listener.address, { authkey }), { errname: "EADDRINUSE" });
  const accepting = assert.rejects(listener.accept(), StateError);
  await assert.rejects(listener.accept({ timeout: 5 }), TimeoutError);
  const controller = new AbortController();
  const aborted = assert.rejects(listener.accept({ signal: controller.signal }), /enough/);
  controller.abort(new Error("enough"));
  await aborted;
  listener.close();
  listener.close();
  await accepting;
  await assert.rejects(listener.accept(), StateError);
  // Not where the listener was: another program may have got its port.
  await assert.rejects(connect({ host: "127.0.0.1", port: 1 }, { authkey }), { errname: "ECONNREFUSED" });
  await assert.rejects(connect(join(folder, "nobody"), { authkey }), { errname: "ENOENT" });
  const again = new Listener(join(folder, "again"), { authkey });
  again.close();
  new Listener(join(folder, "again"), { authkey }).close();
});

test("one may connect, send and close before the other looks (78)", async () => {
  const [server, client, listener] = await pair();
  for (let i = 0; i < 3; i++) client.sendSync(i);
  client.close();
  assert.equal(await server.poll({ timeout: 30_000 }), true);
  const got = [];
  for await (const n of server) got.push(n);
  assert.deepEqual(got, [0, 1, 2]);
  closeAll(server, listener);
});

test("a wrong key: AuthenticationError on both sides, and the listener goes on (79)", async () => {
  const listener = new Listener(local, { authkey });
  const wrong = assert.rejects(connect(listener.address, { authkey: "another" }), AuthenticationError);
  await assert.rejects(listener.accept(), { name: "AuthenticationError", code: "ERR_AUTHENTICATION" });
  await wrong;
  const right = connect(listener.address, { authkey: Buffer.from(authkey) });
  const server = await listener.accept();
  closeAll(server, await right, listener);
});

test("a key is required", async () => {
  for (const bad of [undefined, "", new Uint8Array(0), 5]) {
    assert.throws(() => new Listener(local, { authkey: bad as never }), TypeError);
    await assert.rejects(connect({ port: 1 }, { authkey: bad as never }), TypeError);
  }
});

/** A stranger that speaks to the listener by itself. */
async function stranger(listener: Listener): Promise<Socket> {
  const { host, port } = listener.address as { host: string; port: number };
  const socket = createConnection({ host, port });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

const GREETING = "multiproc connection 1\n";

test("rubbish, silence and a hang-up in the handshake are refused (79)", async () => {
  const listener = new Listener(local, { authkey, handshakeTimeout: 50 });
  for (const said of [
    "GET / HTTP/1.1\r\n\r\n",
    "\0".repeat(500),
    `${GREETING}${"n".repeat(32)}${"p".repeat(32)}`,
    GREETING,
  ]) {
    const socket = await stranger(listener);
    socket.write(said);
    await assert.rejects(listener.accept(), AuthenticationError);
    socket.destroy();
  }
  const gone = await stranger(listener);
  gone.end();
  await assert.rejects(listener.accept(), AuthenticationError);
  gone.destroy();
  listener.close();
});

test("a listener that sends the client's own words back is not believed", async () => {
  const server = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await assert.rejects(connect({ host: "127.0.0.1", port }, { authkey }), AuthenticationError);
  server.close();
});

test("the key never goes over the line, and a proof is good for one connection", async () => {
  const listener = new Listener(local, { authkey });
  const said: Buffer[] = [];
  const { port } = listener.address as { port: number };
  const between = createServer((socket) => {
    const onward = createConnection({ host: "127.0.0.1", port });
    socket.on("data", (data) => said.push(data));
    socket.pipe(onward).pipe(socket);
    for (const each of [socket, onward]) each.on("error", () => {});
  });
  between.listen(0, "127.0.0.1");
  await once(between, "listening");
  const connecting = connect(between.address() as AddressInfo as never as { port: number }, { authkey }).catch(
    async () => connect({ host: "127.0.0.1", port: (between.address() as AddressInfo).port }, { authkey }),
  );
  const server = await listener.accept();
  const client = await connecting;
  const words = Buffer.concat(said);
  assert.equal(words.includes(authkey), false);
  const replaying = await stranger(listener);
  replaying.write(words);
  await assert.rejects(listener.accept(), AuthenticationError);
  closeAll(server, client, listener);
  replaying.destroy();
  between.close();
});

test("functions, classes and handles are neither sent nor taken", async () => {
  const [server, client, listener] = await pair();
  await assert.rejects(
    client.send(() => 1),
    SerializationError,
  );
  await assert.rejects(client.send(new (class Odd {})()), SerializationError);
  const lock = new Lock();
  await assert.rejects(client.send({ lock }), SerializationError);
  assert.throws(() => client.sendSync({ server }), SerializationError);
  await client.send("fine");
  assert.equal(await server.recv(), "fine");
  closeAll(server, client, listener);

  // One who sends them all the same.
  const strict = new Listener(local, { authkey });
  const connecting = connect(strict.address, { authkey, functions: true });
  const taking = await strict.accept();
  const sending = await connecting;
  await sending.send(() => 1);
  await sending.send("next");
  await assert.rejects(taking.recv(), SerializationError);
  assert.equal(await taking.recv(), "next");
  closeAll(taking, sending, strict);
});

test("functions travel when both sides allow them", async () => {
  const [server, client, listener] = await pair(local, { functions: true });
  const captured = 40;
  await client.send((n: number) => captured + n);
  assert.equal(((await server.recv()) as (n: number) => number)(2), 42);
  closeAll(server, client, listener);
});

test("a connection over a socket cannot be sent, and says so", () => {
  return pair().then(([server, client, listener]) => {
    assert.throws(() => new Process((end: unknown) => void end, server).start(), {
      code: "ERR_SERIALIZATION",
      message: /socket/,
    });
    closeAll(server, client, listener);
  });
});

test("a message over the limit is not sent; one that comes ends the connection", async () => {
  const listener = new Listener(local, { authkey, maxMessageBytes: 1000 });
  const connecting = connect(listener.address, { authkey });
  const server = await listener.accept();
  const client = await connecting;
  await assert.rejects(server.sendBytes(new Uint8Array(1001)), RangeError);
  await server.sendBytes(new Uint8Array(1000));
  assert.equal((await client.recvBytes()).length, 1000);
  await client.sendBytes(new Uint8Array(1001));
  await assert.rejects(server.recv(), { name: "EndOfStreamError", message: /1001 bytes, and the limit is 1000/ });
  closeAll(server, client, listener);
});

test("a send that the other side does not take in time ends the connection, for half a message is none", async () => {
  const [server, client, listener] = await pair();
  await assert.rejects(client.sendBytes(new Uint8Array(50_000_000), { timeout: 50 }), TimeoutError);
  await assert.rejects(client.send(1));
  await assert.rejects(server.recv(), EndOfStreamError);
  closeAll(server, client, listener);
});

test("the time for the handshake is not one for what follows (80)", async () => {
  const [server, client, listener] = await pair(local, { handshakeTimeout: 250 });
  // Longer than the handshake may take: nothing but this call's own time runs out.
  await assert.rejects(server.recv({ timeout: 400 }), TimeoutError);
  const connecting = listener.accept();
  await client.send("still here");
  assert.equal(await server.recv(), "still here");
  const second = await connect(listener.address, { authkey });
  closeAll(await connecting, second, server, client, listener);
});

test("wait() and poll() know sockets", async () => {
  const [server, client, listener] = await pair();
  assert.equal(await server.poll(), false);
  assert.equal(server.pollSync({ timeout: 5 }), false);
  assert.deepEqual(await wait([server], { timeout: 5 }), []);
  assert.deepEqual(waitSync([server], { timeout: 5 }), []);
  const waiting = wait([server]);
  await client.send("x".repeat(200_000));
  assert.equal((await waiting)[0], server);
  assert.equal(waitSync([server])[0], server);
  assert.equal(await server.recv(), "x".repeat(200_000));
  client.close();
  assert.equal((await wait([server]))[0], server);
  await assert.rejects(server.recv(), EndOfStreamError);
  closeAll(server, listener);
});

test("bad arguments are refused", async () => {
  for (const address of ["", "a\0b", "x".repeat(108)])
    assert.throws(() => new Listener(address, { authkey }), RangeError);
  assert.throws(() => new Listener({ host: "127.0.0.1", port: 70_000 }, { authkey }), RangeError);
  assert.throws(() => new Listener({ host: "a.name.somewhere", port: 0 }, { authkey }), RangeError);
  assert.throws(() => new Listener(5 as never, { authkey }), TypeError);
  assert.throws(() => new Listener(local, { authkey, maxMessageBytes: 0 }), RangeError);
  assert.throws(() => new Listener(local, { authkey, key: 1 } as never), TypeError);
  await assert.rejects(connect(local, { authkey }), RangeError);
});
