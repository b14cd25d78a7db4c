import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { after, test } from "node:test";
import { connect as connectByTls } from "node:tls";
import { AuthenticationError, type ListProxy, Manager, type QueueProxy, TimeoutError } from "../../src/index.ts";
import {
  authority,
  clientCertificate,
  clientKey,
  otherAuthority,
  serverCertificate,
  serverKey,
} from "../fixtures/certificates.ts";

const authkey = "a key for this test";
const m = await Manager.start();
after(() => m.shutdown());
const list = await m.list([1, 2]);
await m.share("list", list);
const jobs = await m.queue<string>();
await m.share("jobs", jobs);
const server = { key: serverKey, cert: serverCertificate };
const address = await m.listen({ host: "127.0.0.1", port: 0 }, { authkey, tls: server });

test("a stranger uses shared objects and makes its own over TLS", async () => {
  const far = await Manager.connect(address, { authkey, tls: { ca: authority } });
  const seen = await far.get<ListProxy<number>>("list");
  assert.equal(await seen.push(3), 3);
  assert.deepEqual(await list.toArray(), [1, 2, 3]);
  const d = await far.dict<string, unknown>({ big: "ä".repeat(300_000) });
  await d.set("list", seen);
  assert.equal(await d.get("list"), seen);
  assert.equal(((await d.get("big")) as string).length, 300_000);
  const waiting = (await far.get<QueueProxy<string>>("jobs")).get();
  await jobs.put("from here");
  assert.equal(await waiting, "from here");
  await far.shutdown();
});

test("the key and the certificate may be bytes, and the host a name", async () => {
  const bytes = { key: Buffer.from(serverKey), cert: Buffer.from(serverCertificate) };
  const place = await m.listen({ port: 0 }, { authkey: Buffer.from(authkey), tls: bytes });
  const far = await Manager.connect({ host: "localhost", port: place.port }, { authkey, tls: { ca: authority } });
  assert.equal(await (await far.get<ListProxy<number>>("list")).at(0), 1);
  await far.shutdown();
});

test("a certificate that the authorities do not vouch for is refused, also one for another host", async () => {
  await assert.rejects(Manager.connect(address, { authkey, tls: { ca: otherAuthority } }), {
    code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  });
  await assert.rejects(Manager.connect(address, { authkey, tls: {} }), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  await assert.rejects(Manager.connect(address, { authkey, tls: { ca: authority, servername: "another.example" } }), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
});

test("a wrong key is refused over TLS, too", async () => {
  await assert.rejects(
    Manager.connect(address, { authkey: "another key", tls: { ca: authority } }),
    AuthenticationError,
  );
});

test("who speaks TLS to a listener without it is refused, and the other way round it runs out of time", async () => {
  const plain = await m.listen({ port: 0 }, { authkey });
  await assert.rejects(Manager.connect(plain, { authkey, tls: { ca: authority } }), { code: /SSL|EPROTO/ });
  await assert.rejects(Manager.connect(address, { authkey, timeout: 200 }), TimeoutError);
});

test("with requestCert a client must show a certificate of its own", async () => {
  const tls = { ...server, ca: authority, requestCert: true, rejectUnauthorized: true };
  const place = await m.listen({ port: 0 }, { authkey, tls });
  await assert.rejects(Manager.connect(place, { authkey, tls: { ca: authority } }), Error);
  const mine = { ca: authority, key: clientKey, cert: clientCertificate };
  const far = await Manager.connect(place, { authkey, tls: mine });
  assert.equal(await (await far.get<ListProxy<number>>("list")).at(0), 1);
  await far.shutdown();
});

test("a listener that says nothing: connecting runs out of time, or is aborted", async (t) => {
  const silent = createServer((socket) => socket.on("error", () => {}).resume());
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => silent.close());
  const { port } = silent.address() as { port: number };
  for (const tls of [undefined, { ca: authority }]) {
    await assert.rejects(Manager.connect({ port }, { authkey, tls, timeout: 50 }), {
      name: "TimeoutError",
      message: "Cannot connect: nobody answered, and the time ran out",
    });
    const reason = new Error("no more");
    const controller = new AbortController();
    silent.once("connection", () => controller.abort(reason));
    await assert.rejects(
      Manager.connect({ port }, { authkey, tls, signal: controller.signal }),
      (error) => error === reason,
    );
  }
  await assert.rejects(
    Manager.connect({ port }, { authkey, signal: AbortSignal.abort(new Error("before")) }),
    /before/,
  );
});

test("a connection counts before it has finished its TLS handshake", async () => {
  const place = await m.listen({ port: 0 }, { authkey, tls: server, maxConnections: 1 });
  const silent = connect(place.port, place.host);
  await once(silent, "connect");
  const second = connectByTls({ ...place, ca: authority });
  // Refused, not served: the first one has the only place. It may have to wait until the server has seen that one.
  await once(second, "error");
  await assert.rejects(Manager.connect(place, { authkey, tls: { ca: authority } }), {
    name: "StateError",
    message: /^Cannot connect: the other side ended the connection before TLS had begun; .*\(maxConnections\)$/,
  });
  silent.destroy();
  const far = await connectedWhenFree(place);
  assert.equal(await (await far.get<ListProxy<number>>("list")).at(0), 1);
  await far.shutdown();
});

/** The server hears a moment later that a place is free. */
async function connectedWhenFree(place: { readonly host: string; readonly port: number }): Promise<Manager> {
  for (;;) {
    try {
      return await Manager.connect(place, { authkey, tls: { ca: authority } });
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

test("what is wrong with tls is said at once", async () => {
  await assert.rejects(m.listen({ port: 0 }, { authkey, tls: true as never }), {
    name: "TypeError",
    message: /options\.tls must be an object/,
  });
  await assert.rejects(Manager.connect(address, { authkey, tls: "ca" as never }), {
    name: "TypeError",
    message: /options\.tls must be an object/,
  });
  await assert.rejects(m.listen({ port: 0 }, { authkey, tls: { key: "rubbish", cert: serverCertificate } }), Error);
  await assert.rejects(Manager.connect(address, { authkey, timeout: "1" as never }), /options\.timeout must be/);
  assert.equal(await list.at(0), 1);
});
