import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import {
  BrokenPipeError,
  BufferTooShortError,
  Connection,
  EndOfStreamError,
  Pipe,
  Process,
  Queue,
  StateError,
  TimeoutError,
  wait,
  waitSync,
} from "../../src/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";

/** Sends back what it receives, until the other end is closed. */
async function echo(connection: Connection): Promise<void> {
  for await (const message of connection) await connection.send(message);
}

test("objects and bytes are echoed, 16 MB whole, an empty message is a message (66)", async () => {
  const [here, there] = Pipe();
  const child = new Process(async (connection: Connection) => {
    await echo(connection);
  }, there).start();
  for (const value of [1, "text", { deep: [new Date(3), new Map([[1, 2]])] }, null, undefined, []]) {
    await here.send(value);
    assert.deepEqual(await here.recv(), value);
  }
  here.close();
  assert.equal(await child.join(), 0);
  const [bytesHere, bytesThere] = Pipe();
  const other = new Process(async () => {
    for (let i = 0; i < 3; i++) bytesThere.sendBytesSync(bytesThere.recvBytesSync());
  }).start();
  for (const length of [0, 5, 16 * 2 ** 20]) {
    await bytesHere.sendBytes(new Uint8Array(length).fill(7));
    const bytes = await bytesHere.recvBytes();
    assert.equal(bytes.length, length);
    assert.ok(bytes.every((byte) => byte === 7));
  }
  assert.equal(await other.join(), 0);
});

test("the blocking calls do the same", async () => {
  const [here, there] = Pipe<number>();
  const child = new Process(() => {
    for (let i = 0; i < 100; i++) there.sendSync(there.recvSync() + 1);
  }).start();
  for (let i = 0; i < 100; i++) {
    here.sendSync(i);
    assert.equal(here.recvSync(), i + 1);
  }
  assert.equal(await child.join(), 0);
});

test("recvBytesInto writes at the offset; too small a buffer gives the message with the error (67)", async () => {
  const [reader, writer] = Pipe({ duplex: false });
  const buffer = new Uint8Array(10);
  writer.sendBytesSync(Uint8Array.of(1, 2, 3));
  assert.equal(await reader.recvBytesInto(buffer, { offset: 2 }), 3);
  assert.deepEqual([...buffer], [0, 0, 1, 2, 3, 0, 0, 0, 0, 0]);
  writer.sendBytesSync(Uint8Array.of(1, 2, 3));
  assert.throws(
    () => reader.recvBytesIntoSync(buffer, { offset: 8 }),
    (error) => {
      assert.ok(error instanceof BufferTooShortError);
      assert.deepEqual([...(error.value as Uint8Array)], [1, 2, 3]);
      return true;
    },
  );
  await assert.rejects(reader.recvBytesInto(buffer, { offset: 11 }), RangeError);
});

test("poll: false at once, false after the time, true when there is data, and takes nothing (68)", async () => {
  const [reader, writer] = Pipe({ duplex: false });
  assert.equal(await reader.poll(), false);
  assert.equal(reader.pollSync(), false);
  assert.equal(await reader.poll({ timeout: -1 }), false);
  const before = performance.now();
  assert.equal(await reader.poll({ timeout: 20 }), false);
  assert.equal(reader.pollSync({ timeout: 20 }), false);
  assert.ok(performance.now() - before >= 39);
  writer.sendBytesSync(new Uint8Array(0));
  assert.equal(await reader.poll(), true);
  assert.equal(reader.pollSync({ timeout: Infinity }), true);
  assert.equal((await reader.recvBytes()).length, 0);
  assert.equal(await reader.poll(), false);
  const child = new Process(() => writer.sendSync(1)).start();
  assert.equal(await reader.poll({ timeout: 30_000 }), true);
  await child.join();
});

test("closed peer: what was sent, then EndOfStreamError, and BrokenPipeError for who sends; poll is true (69)", async () => {
  const [a, b] = Pipe();
  b.sendSync("last words");
  b.close();
  assert.equal(await a.recv(), "last words");
  assert.equal(await a.poll(), true);
  await assert.rejects(a.recv(), EndOfStreamError);
  assert.throws(() => a.recvSync(), { name: "EndOfStreamError", message: /recvSync/ });
  await assert.rejects(a.recvBytes(), EndOfStreamError);
  await assert.rejects(a.send(1), BrokenPipeError);
  assert.throws(() => a.sendSync(1), { code: "ERR_BROKEN_PIPE" });
});

test("one direction: the wrong one is refused (70)", async () => {
  const [reader, writer] = Pipe({ duplex: false });
  assert.deepEqual([reader.readable, reader.writable, writer.readable, writer.writable], [true, false, false, true]);
  await assert.rejects(reader.send(1), StateError);
  assert.throws(() => reader.sendSync(1), StateError);
  await assert.rejects(writer.recv(), StateError);
  assert.throws(() => writer.recvSync(), StateError);
  await assert.rejects(writer.poll(), StateError);
});

test("use after close is refused; a block closes both (71)", async () => {
  const [a, b] = Pipe();
  {
    using first = a;
    using second = b;
    first.sendSync(1);
    assert.equal(second.recvSync(), 1);
  }
  for (const connection of [a, b]) {
    assert.deepEqual([connection.closed, connection.readable, connection.writable], [true, false, false]);
    connection.close();
    await assert.rejects(connection.send(1), StateError);
    await assert.rejects(connection.recv(), StateError);
    await assert.rejects(connection.poll(), StateError);
    assert.throws(() => connection.sendBytesSync(new Uint8Array(1)), StateError);
  }
});

test("sendBytes with offset and size; out of range is refused (72)", async () => {
  const [a, b] = Pipe();
  const message = new TextEncoder().encode("abcdefghijklmnopqrstuvwxyz");
  const text = async (): Promise<string> => new TextDecoder().decode(await b.recvBytes());
  await a.sendBytes(message, { offset: 5 });
  assert.equal(await text(), "fghijklmnopqrstuvwxyz");
  await a.sendBytes(message, { offset: 7, size: 8 });
  assert.equal(await text(), "hijklmno");
  await a.sendBytes(message, { offset: 26 });
  assert.equal(await text(), "");
  for (const options of [
    { offset: 27 },
    { offset: 22, size: 5 },
    { size: 27 },
    { offset: -1 },
    { offset: 4, size: -1 },
  ]) {
    await assert.rejects(a.sendBytes(message, options), RangeError);
  }
  await assert.rejects(a.sendBytes("text" as never), TypeError);
  await a.sendBytes(new Float64Array([1.5]).buffer);
  assert.equal(new Float64Array((await b.recvBytes()).slice().buffer)[0], 1.5);
});

test("a message over maxLength is dropped, and the connection stays usable (72)", async () => {
  const [a, b] = Pipe();
  for (const length of [10, 3, 10, 4]) a.sendBytesSync(new Uint8Array(length));
  await assert.rejects(b.recvBytes({ maxLength: 5 }), BufferTooShortError);
  assert.equal((await b.recvBytes({ maxLength: 5 })).length, 3);
  assert.throws(() => b.recvBytesSync({ maxLength: 9 }), { message: /10 bytes.*maxLength is 9/ });
  assert.equal(b.recvBytesSync({ maxLength: 4 }).length, 4);
  await assert.rejects(b.recvBytes({ maxLength: -1 }), RangeError);
});

test("the parent need not close its copy of the child's end (73)", async () => {
  const [reader, writer] = Pipe<number>({ duplex: false });
  const child = new Process(() => {
    for (let i = 0; i < 3; i++) writer.sendSync(i);
  }).start();
  const got: number[] = [];
  for await (const n of reader) got.push(n);
  assert.deepEqual(got, [0, 1, 2]);
  await child.join();
  assert.equal(writer.closed, false);
});

for (const how of ["recv", "recvSync"] as const) {
  test(`a child that is killed: ${how} in the parent gives what was sent, then the end`, async () => {
    const [here, there] = Pipe<string>();
    const child = new Process((connection: Connection<string>) => {
      connection.sendSync("hello");
      for (;;);
    }, there).start();
    assert.equal(await here[how](), "hello");
    const kill = setTimeout(() => child.kill(), 20);
    if (how === "recvSync") {
      clearTimeout(kill);
      child.kill();
    }
    await assert.rejects(async () => here[how](), EndOfStreamError);
    await assert.rejects(here.send("x"), BrokenPipeError);
    await child.join();
  });
}

test("a child reads the end when its sibling is killed", async () => {
  const [left, right] = Pipe<number>();
  const said = new Queue<number>();
  const reader = new Process(async () => {
    said.putSync(1);
    try {
      return await left.recv();
    } catch (error) {
      return (error as Error).name;
    }
  }).start();
  const victim = new Process(async () => {
    said.putSync(2);
    await right.recv();
  }).start();
  await said.get();
  await said.get();
  victim.kill();
  assert.equal(await reader.result(), "EndOfStreamError");
  await Promise.all([victim.join(), reader.join()]);
});

test("two processes hold an end: it is at its end when both are gone", async () => {
  const [reader, writer] = Pipe<number>({ duplex: false });
  const said = new Queue<number>();
  const hold = async (n: number): Promise<void> => {
    writer.sendSync(n);
    said.putSync(n);
    await new Promise(() => setInterval(() => {}, 1000));
  };
  const children = [1, 2].map((n) => new Process(hold, n).start());
  await said.get();
  await said.get();
  assert.deepEqual(
    [await reader.recv(), await reader.recv()].sort((a, b) => Number(a) - Number(b)),
    [1, 2],
  );
  children[0]?.kill();
  await children[0]?.join();
  await assert.rejects(reader.recv({ timeout: 20 }), TimeoutError);
  children[1]?.kill();
  await assert.rejects(reader.recv({ timeout: 30_000 }), EndOfStreamError);
  await children[1]?.join();
});

test("an end that was given away is used again by who uses it", async () => {
  const [reader, writer] = Pipe<string>({ duplex: false });
  const child = new Process(() => writer.sendSync("child")).start();
  await child.join();
  assert.equal(await reader.recv(), "child");
  await assert.rejects(reader.recv(), EndOfStreamError);
  writer.sendSync("parent");
  assert.equal(await reader.recv(), "parent");
  await assert.rejects(reader.recv({ timeout: 5 }), TimeoutError);
});

test("a start that fails gives nothing away", async () => {
  const [reader, writer] = Pipe<string>({ duplex: false });
  const bad = new WeakMap();
  assert.throws(() => new Process((...all: unknown[]) => void all, writer, bad).start(), { code: "ERR_SERIALIZATION" });
  await assert.rejects(reader.recv({ timeout: 5 }), TimeoutError);
  writer.sendSync("still here");
  assert.equal(await reader.recv(), "still here");
});

test("an end that is not reachable any more is closed", async () => {
  const [reader] = Pipe({ duplex: false });
  const reading = assert.rejects(reader.recv({ timeout: 30_000 }), EndOfStreamError);
  await collectGarbage();
  await reading;
});

test("message boundaries are kept, and polling eats nothing of another's message (74)", async () => {
  const [a, b] = Pipe();
  for (const text of ["a", "b", "cd"]) a.sendBytesSync(new TextEncoder().encode(text));
  const child = new Process(async () => {
    const polled = await b.poll();
    return [polled, new TextDecoder().decode(await b.recvBytes())];
  }).start();
  assert.deepEqual(await child.result(), [true, "a"]);
  await child.join();
  assert.equal(new TextDecoder().decode(b.recvBytesSync()), "b");
  assert.equal(new TextDecoder().decode(await b.recvBytes()), "cd");
});

test("connections travel over connections, both ways (75)", async () => {
  const [here, there] = Pipe<Connection<string>>();
  const [inner, other] = Pipe<string>();
  const child = new Process(async () => {
    const connection = await there.recv();
    await connection.send("through the inner one");
    const [mine, yours] = Pipe<string>();
    await there.send(yours);
    await mine.send("through a pipe of the child");
    // Until it is read.
    await mine.recv().catch(() => {});
  }).start();
  await here.send(inner);
  assert.equal(await other.recv(), "through the inner one");
  const theirs = await here.recv();
  assert.equal(await theirs.recv(), "through a pipe of the child");
  theirs.close();
  await child.join();
  // What comes back is what was sent.
  const [a, b] = Pipe<Connection>();
  const [c] = Pipe();
  a.sendSync(c);
  assert.equal(b.recvSync(), c);
});

test("wait() tells what is ready: readers, those at their end, sentinels (76)", async () => {
  const [a, b] = Pipe();
  const [c, d] = Pipe();
  const child = new Process(async () => {
    await d.recv();
    await b.send(1);
    await d.recv();
  }).start();
  const all = [child.sentinel, a, c] as const;
  assert.deepEqual(await wait(all, { timeout: 0 }), []);
  assert.deepEqual(await wait(all, { timeout: -1 }), []);
  assert.deepEqual(waitSync(all, { timeout: 10 }), []);
  c.sendSync(1);
  assert.deepEqual(await wait(all), [a]);
  assert.deepEqual(waitSync(all), [a]);
  c.sendSync(2);
  await child.join();
  const ready = await wait(all);
  assert.deepEqual([ready[0] === child.sentinel, ready[1] === a, ready[2] === c], [true, true, true]);
  assert.throws(() => waitSync([a, {} as never]), TypeError);
});

test("waitSync wakes for a process that ends and for what it sends", async () => {
  const [a, b] = Pipe<number>();
  const child = new Process(() => b.sendSync(1)).start();
  const waiting: unknown[] = [a, child];
  while (waiting.length > 0) {
    for (const ready of waitSync(waiting, { timeout: 30_000 })) {
      if (ready === a && a.recvSync({ timeout: 0 }) === 1) waiting.splice(waiting.indexOf(a), 1);
      else waiting.splice(waiting.indexOf(ready), 1);
    }
  }
  assert.equal(child.exitCode, 0);
});

test("signals do not end a wait that blocks (77)", async () => {
  const [here, there] = Pipe<string>();
  const said = new Queue<number>();
  const child = new Process(() => {
    process.on("SIGUSR2", () => {});
    said.putSync(1);
    return there.recvSync();
  }).start();
  await said.get();
  for (let i = 0; i < 3; i++) process.kill(child.pid as number, "SIGUSR2");
  here.sendSync("arrived");
  assert.equal(await child.result(), "arrived");
  await child.join();
});

test("recv: TimeoutError at once and after the time, and the reason when aborted", async () => {
  const [a] = Pipe();
  await assert.rejects(a.recv({ timeout: 0 }), TimeoutError);
  assert.throws(() => a.recvSync({ timeout: 5 }), { code: "ERR_TIMEOUT" });
  const controller = new AbortController();
  const receiving = a.recv({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(receiving, /enough/);
});

test("senders wait while 8 MiB are under way, and go on when they are read", async () => {
  const [reader, writer] = Pipe<string>({ duplex: false });
  const block = "x".repeat(2 ** 20);
  let sent = 0;
  const fill = async (): Promise<void> => {
    for (; sent < 20; sent++) await writer.send(block, { timeout: 20 });
  };
  await assert.rejects(fill, TimeoutError);
  assert.ok(sent >= 7 && sent <= 12, `${sent}`);
  const sending = [writer.send("waits"), writer.send("waits, too")];
  for (let i = 0; i < sent; i++) assert.equal((await reader.recv()).length, block.length);
  assert.deepEqual([await reader.recv(), await reader.recv()], ["waits", "waits, too"]);
  await Promise.all(sending);
});

test("a message larger than all that may be under way goes through", async () => {
  const [reader, writer] = Pipe<Uint8Array>({ duplex: false });
  await writer.send(new Uint8Array(20 * 2 ** 20).fill(9));
  const child = new Process(async () => (await reader.recv()).every((byte) => byte === 9)).start();
  assert.equal(await child.result(), true);
  await child.join();
});

test("recvBytes of what was sent with send is refused", async () => {
  const [a, b] = Pipe();
  a.sendSync({ a: 1 });
  assert.throws(() => b.recvBytesSync(), StateError);
  a.sendBytesSync(Uint8Array.of(1));
  assert.deepEqual(await b.recv(), Uint8Array.of(1));
});

test("toDuplex streams both ways and ends with the connection", async () => {
  const [here, there] = Pipe<number>();
  const child = new Process(async () => {
    for await (const n of there) await there.send(n * 2);
  }).start();
  const stream = here.toDuplex();
  const got: unknown[] = [];
  stream.write(1);
  stream.write(2);
  for await (const n of stream) {
    got.push(n);
    if (got.length === 2) break;
  }
  assert.deepEqual(got, [2, 4]);
  assert.equal(here.closed, true);
  assert.equal(await child.join(), 0);
});

test("toDuplex of a pipe of one direction has one side", async () => {
  const [reader, writer] = Pipe<number>({ duplex: false });
  const [from, to] = [reader.toDuplex(), writer.toDuplex()];
  assert.deepEqual([from.writable, to.writable], [false, true]);
  to.write(5);
  const [chunk] = await once(from, "data");
  assert.equal(chunk, 5);
  to.destroy();
  await once(from, "end");
  from.destroy();
  assert.deepEqual([reader.closed, writer.closed], [true, true]);
});

test("toDuplex ends when the other end is closed, and gives what was sent before", async () => {
  const [here, there] = Pipe<number>();
  const stream = here.toDuplex();
  there.sendSync(1);
  there.sendSync(2);
  there.close();
  assert.deepEqual(await stream.toArray(), [1, 2]);
});

test("toDuplex: who writes to a closed end gets the BrokenPipeError", async () => {
  const [here, there] = Pipe<number>();
  const stream = here.toDuplex();
  there.close();
  stream.write(1);
  const [error] = await once(stream, "error");
  assert.ok(error instanceof BrokenPipeError, String(error));
});

test("bad arguments are refused; connections are not made by hand", () => {
  assert.throws(() => Pipe({ duplex: 1 } as never), TypeError);
  assert.throws(() => Pipe({ duplx: true } as never), TypeError);
  assert.throws(() => new Connection(undefined as never), TypeError);
});

test("a blocking send does not overtake promise sends of its process that wait", async () => {
  const [mine, theirs] = Pipe<string>();
  const sends = ["a", "b"].map((letter) => mine.send(letter.repeat(30_000_000)));
  const child = new Process(() => [0, 1, 2].map(() => theirs.recvSync()[0])).start();
  mine.sendSync("end");
  await Promise.all(sends);
  assert.deepEqual(await child.result(), ["a", "b", "e"]);
});
