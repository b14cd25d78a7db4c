import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, fstatSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { StateError, SystemError } from "../../src/core/errors.ts";
import { arenaFd, sweepProcess } from "../../src/memory/index.ts";
import { Process } from "../../src/index.ts";
import { SharedArray, SharedMemory } from "../../src/shared/index.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";
import { handleFromText, handleToText } from "../helpers/handle-text.ts";
import { startProgram } from "../helpers/program.ts";
import { startPeer } from "../helpers/shared-peer.ts";

let names = 0;
/** A name in the system that no other test has. */
function freshName(): string {
  return `multiproc_test_${process.pid}_${names++}`;
}

function residentBytes(): number {
  return fstatSync(arenaFd()).blocks * 512;
}

const exists = (error: unknown): boolean => error instanceof SystemError && error.errname === "EEXIST";
const notFound = (error: unknown): boolean => error instanceof SystemError && error.errname === "ENOENT";

test("94: memory is created, zeroed, by a name; opened by it, it shows the same bytes", () => {
  const name = freshName();
  const made = new SharedMemory({ name, create: true, size: 5000 });
  assert.equal(made.name, name);
  assert.equal(made.size, 5000);
  assert.equal(made.buffer.length, 5000);
  assert.ok(made.buffer.every((byte) => byte === 0));
  made.buffer[4999] = 9;
  const opened = new SharedMemory({ name });
  assert.equal(opened.size, 5000);
  assert.equal(opened.buffer[4999], 9);
  const sized = new SharedMemory({ name, size: 3 });
  assert.equal(sized.size, 5000, "the size is ignored when opening");
  opened.buffer[0] = 1;
  assert.equal(made.buffer[0], 1);
  for (const memory of [made, opened, sized]) memory.close();
  assert.ok(existsSync(`/dev/shm/${name}`), "it lives until it is unlinked");
  const again = new SharedMemory({ name: `/${name}` });
  assert.equal(again.buffer[0], 1);
  assert.equal(again.name, name);
  again.close();
  again.unlink();
  assert.ok(!existsSync(`/dev/shm/${name}`));
});

test("94: a name that is taken, and one that does not exist, are refused", () => {
  const name = freshName();
  assert.throws(() => new SharedMemory({ name }), notFound);
  assert.throws(() => new SharedMemory({ name }), { code: "ERR_SYSTEM", message: /there is no shared memory/ });
  using made = new SharedMemory({ name, create: true, size: 10 });
  assert.throws(() => new SharedMemory({ name, create: true, size: 10 }), exists);
  made.unlink();
});

test("94: sizes and names that make no sense are refused", () => {
  for (const size of [0, -1, 1.5, NaN]) assert.throws(() => new SharedMemory({ create: true, size }), RangeError);
  assert.throws(() => new SharedMemory({ create: true }), TypeError);
  assert.throws(() => new SharedMemory({ name: freshName(), create: true }), TypeError);
  assert.throws(() => new SharedMemory({ create: true, size: "10" as never }), TypeError);
  assert.throws(() => new SharedMemory({}), TypeError);
  assert.throws(() => new SharedMemory({ size: 10 }), TypeError);
  assert.throws(() => new SharedMemory(undefined as never), TypeError);
  assert.throws(() => new SharedMemory({ nam: "x" } as never), TypeError);
  for (const name of ["", "/", "a\0b", "a/b", ".", "..", "x".repeat(256)]) {
    assert.throws(() => new SharedMemory({ name }), RangeError);
    assert.throws(() => new SharedMemory({ name, create: true, size: 10 }), RangeError);
  }
});

test("94: memory that does not fit in the system is refused at once", () => {
  const name = freshName();
  assert.throws(() => new SharedMemory({ name, create: true, size: 2 ** 50 }), { errname: "ENOSPC" });
  assert.ok(!existsSync(`/dev/shm/${name}`));
});

test("94: of many creators of one name exactly one wins, and openers see it whole", async () => {
  const name = freshName();
  const script = `
    import { SharedMemory } from ${JSON.stringify(new URL("../../src/shared/index.js", import.meta.url).href)};
    for (let i = 0; i < 50; i++) {
      try { const m = new SharedMemory({ name: ${JSON.stringify(name)} + i, create: true, size: 100 }); console.log("made", i, m.size); }
      catch (e) { if (e.errname !== "EEXIST") throw e;
        const m = new SharedMemory({ name: ${JSON.stringify(name)} + i }); if (m.size !== 100) throw new Error("half made"); }
    }`;
  const { spawn } = await import("node:child_process");
  const outputs = await Promise.all(
    [1, 2, 3].map(async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let text = "";
      child.stdout.on("data", (chunk) => (text += String(chunk)));
      const code = await new Promise((resolve) => child.on("close", resolve));
      assert.equal(code, 0);
      return text;
    }),
  );
  const made = outputs
    .join("")
    .split("\n")
    .filter((line) => line.startsWith("made"));
  assert.equal(made.length, 50);
  for (let i = 0; i < 50; i++) new SharedMemory({ name: name + i }).unlink();
});

test("95: unlink twice is refused; a closed memory throws and its views are detached", () => {
  for (const options of [
    { name: freshName(), create: true, size: 100 },
    { create: true, size: 100 },
  ]) {
    const memory = new SharedMemory(options);
    const { buffer, name } = memory;
    memory.unlink();
    assert.throws(() => memory.unlink(), notFound);
    assert.throws(() => new SharedMemory({ name }), notFound);
    buffer[0] = 1;
    assert.equal(memory.buffer[0], 1, "unlinked memory stays usable");
    memory.close();
    memory.close();
    assert.throws(() => memory.buffer, StateError);
    assert.throws(() => handleToText(memory), StateError);
    assert.equal(buffer.length, 0);
    assert.equal(buffer[0], undefined);
    assert.equal(memory.size, 100);
  }
});

test("95: unlink comes after close, too", () => {
  for (const options of [
    { name: freshName(), create: true, size: 100 },
    { create: true, size: 100 },
  ]) {
    const memory = new SharedMemory(options);
    const { name } = memory;
    memory.close();
    const again = new SharedMemory({ name });
    memory.unlink();
    assert.throws(() => memory.unlink(), notFound);
    assert.throws(() => again.unlink(), notFound);
    again.close();
    assert.throws(() => new SharedMemory({ name }), notFound);
  }
});

test("96: a handle that travels maps the same memory; one that comes back is the same object", async () => {
  const peer = await startPeer();
  for (const options of [
    { name: freshName(), create: true, size: 100 },
    { create: true, size: 100 },
  ]) {
    using memory = new SharedMemory(options);
    assert.equal(handleFromText(handleToText(memory)), memory);
    await peer.ask("writeBytes", handleToText(memory));
    assert.equal(memory.buffer[2], 78);
    assert.equal(await peer.ask("writeByName", "", memory.name), "100");
    assert.equal(memory.buffer[1], 77);
    memory.unlink();
  }
  await peer.end();
});

test("96: a named memory that was unlinked does not arrive, nor does another one under its name", () => {
  const name = freshName();
  const memory = new SharedMemory({ name, create: true, size: 100 });
  const text = handleToText(memory);
  memory.close();
  memory.unlink();
  assert.throws(() => handleFromText(text), notFound);
  using other = new SharedMemory({ name, create: true, size: 100 });
  assert.throws(() => handleFromText(text), notFound);
  other.unlink();
});

test("96: a memory without a name arrives also when it was unlinked", () => {
  const memory = new SharedMemory({ create: true, size: 100 });
  memory.buffer[0] = 5;
  memory.unlink();
  const text = handleToText(memory);
  memory.close();
  using back = handleFromText(text) as SharedMemory;
  assert.equal(back.buffer[0], 5);
});

test("97: a killed creator leaves named memory alone, and nothing of unnamed memory in the system", async () => {
  const name = freshName();
  const before = readdirSync("/dev/shm").length;
  const peer = await startPeer();
  await peer.ask("createByName", "", name);
  await peer.kill();
  sweepProcess(peer.pid);
  using memory = new SharedMemory({ name });
  assert.equal(memory.size, 5000);
  memory.unlink();
  using unnamed = new SharedMemory({ create: true, size: 10 });
  assert.ok(unnamed.name.length > 0);
  assert.ok(readdirSync("/dev/shm").length <= before);
});

test("99: what a program and its children made without names is gone with them, without unlink and without a warning", async () => {
  const program = startProgram("unnamed-memory");
  assert.deepEqual(await program.ended(), { code: 0, signal: null });
  assert.equal(program.stderr(), "");
  const made = JSON.parse(program.stdout()) as string[];
  assert.equal(new Set(made).size, 20);
  const left = readdirSync("/dev/shm");
  assert.deepEqual(
    made.filter((name) => left.includes(name)),
    [],
  );
  for (const name of made) assert.throws(() => new SharedMemory({ name }), notFound);
});

test("63: the fields of a record, and text in bytes, are shared with a child; what is too long is refused", async () => {
  using memory = new SharedMemory({ create: true, size: 24 });
  const fields = (): DataView => new DataView(memory.buffer.buffer, memory.buffer.byteOffset, memory.size);
  fields().setInt32(0, 7);
  fields().setFloat64(8, 0.5);
  memory.buffer.set(new TextEncoder().encode("abc\0def"), 16);
  const change = (): string => {
    const text = new TextDecoder().decode(memory.buffer.slice(16));
    fields().setInt32(0, fields().getInt32(0) * 2);
    fields().setFloat64(8, fields().getFloat64(8) + 2 ** 33);
    memory.buffer.set(new TextEncoder().encode("xyz\0"), 16);
    return text;
  };
  assert.equal(await new Process(change).start().result(), "abc\0def\0");
  assert.equal(fields().getInt32(0), 14);
  assert.equal(fields().getFloat64(8), 2 ** 33 + 0.5);
  const raw = new TextDecoder().decode(memory.buffer.slice(16));
  assert.equal(raw, "xyz\0def\0");
  assert.equal(raw.slice(0, raw.indexOf("\0")), "xyz");
  assert.throws(() => memory.buffer.set(new TextEncoder().encode("too long!"), 16), RangeError);
  const letters = new SharedArray("uint8", [1, 2, 3]);
  assert.throws(() => letters.set(new TextEncoder().encode("four")), RangeError);
  assert.deepEqual([...letters], [1, 2, 3]);
});

test("memory without a name is freed with its last handle, or at unlink when its name is known", () => {
  const before = residentBytes();
  const nameless = new SharedMemory({ create: true, size: 16 << 20 });
  nameless.buffer.fill(1);
  nameless.close();
  assert.ok(residentBytes() - before < 1 << 20);

  const named = new SharedMemory({ create: true, size: 16 << 20 });
  const { name } = named;
  named.buffer.fill(1);
  named.close();
  assert.ok(residentBytes() - before >= 16 << 20, "somebody may come and open it by its name");
  const opened = new SharedMemory({ name });
  assert.equal(opened.buffer[0], 1);
  opened.unlink();
  opened.close();
  assert.ok(residentBytes() - before < 1 << 20);
  assert.throws(() => new SharedMemory({ name }), notFound);
});

test("memory without a name that is only dropped is freed by the collector", async () => {
  const before = residentBytes();
  for (let i = 0; i < 20; i++) new SharedMemory({ create: true, size: 8 << 20 }).buffer.fill(1);
  for (let i = 0; i < 10 && residentBytes() - before > 40 << 20; i++) await collectGarbage();
  assert.ok(residentBytes() - before <= 40 << 20);
});

test("Python's SharedMemory and this one open each other's memory", (t) => {
  if (spawnSync("python3", ["--version"]).status !== 0) return t.skip("there is no Python here");
  const name = freshName();
  using made = new SharedMemory({ name, create: true, size: 100 });
  made.buffer[0] = 41;
  const script = `
from multiprocessing import shared_memory, resource_tracker
a = shared_memory.SharedMemory(name="${name}")
a.buf[0] += 1
resource_tracker.unregister(a._name, "shared_memory")
b = shared_memory.SharedMemory(name="${name}_python", create=True, size=200)
b.buf[199] = 5
resource_tracker.unregister(b._name, "shared_memory")
print(a.size)`;
  const { stdout, stderr } = spawnSync("python3", ["-c", script], { encoding: "utf8" });
  assert.equal(stdout, "100\n", stderr);
  assert.equal(made.buffer[0], 42);
  using theirs = new SharedMemory({ name: `${name}_python` });
  assert.equal(theirs.buffer[199], 5);
  theirs.unlink();
  made.unlink();
  return undefined;
});
