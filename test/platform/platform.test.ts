import assert from "node:assert/strict";
import { closeSync, readSync, writeSync } from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SystemError, UnsupportedPlatformError } from "../../src/core/errors.ts";
import * as platform from "../../src/platform/index.ts";

const MIB = 1 << 20;

test("createMemoryFile() and mapFile() share memory between two mappings", () => {
  const fd = platform.createMemoryFile("test", MIB);
  const a = platform.mapFile(fd, 0, MIB);
  const b = platform.mapFile(fd, 0, MIB);
  new Int32Array(a.buffer)[7] = 42;
  assert.equal(new Int32Array(b.buffer)[7], 42);
  platform.punchHole(fd, 0, MIB);
  assert.equal(new Int32Array(b.buffer)[7], 0);
  closeSync(fd);
});

test("mapFileMirrored() continues at its start", () => {
  const fd = platform.createMemoryFile("test", 65536);
  const { buffer } = platform.mapFileMirrored(fd, 0, 65536);
  const bytes = new Uint8Array(buffer);
  assert.equal(bytes.length, 131072);
  bytes[65536 + 5] = 9;
  assert.equal(bytes[5], 9);
  closeSync(fd);
});

test("retireMapping() detaches: stale views are empty", () => {
  const fd = platform.createMemoryFile("test", 65536);
  const mapping = platform.mapFile(fd, 0, 65536);
  const view = new Uint8Array(mapping.buffer);
  view[0] = 7;
  assert.ok(platform.retireMapping(mapping));
  assert.equal(view[0], undefined);
  assert.equal(view.length, 0);
  closeSync(fd);
});

test("a failing call names itself and the error", () => {
  assert.throws(
    () => platform.mapFile(9999, 0, 4096),
    (error: unknown) => error instanceof SystemError && error.syscall === "mmap" && error.errname === "EBADF",
  );
});

test("futexWait() returns at once when the word differs, and false when time runs out", () => {
  const fd = platform.createMemoryFile("test", 4096);
  const mapping = platform.mapFile(fd, 0, 4096);
  const address = Number(mapping.address);
  assert.equal(platform.futexWait(address, 1, 1000), true);
  assert.equal(platform.futexWait(address, 0, 5), false);
  assert.equal(platform.futexWake(address, 1), 0);
  closeSync(fd);
});

test("watchReadable() calls back when the pipe is written, and pollReadable() sees it too", async () => {
  const [reader, writer] = platform.createPipe({ nonBlocking: true });
  assert.deepEqual(platform.pollReadable([reader], 0), []);
  await new Promise<void>((resolve) => {
    const watch = platform.watchReadable(reader, () => {
      assert.deepEqual(platform.pollReadable([reader], 0), [reader]);
      assert.equal(readSync(reader, Buffer.alloc(8)), 1);
      watch.close();
      watch.unref();
      resolve();
    });
    writeSync(writer, "x");
  });
  closeSync(reader);
  closeSync(writer);
});

test("openPidFd() becomes readable when the process ends, and startTimeOf() knows the living", async () => {
  const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
  await once(child, "spawn");
  const pid = child.pid as number;
  const fd = platform.openPidFd(pid);
  assert.equal(typeof platform.startTimeOf(pid), "bigint");
  assert.deepEqual(platform.pollReadable([fd], 0), []);
  child.kill("SIGKILL");
  assert.deepEqual(platform.pollReadable([fd], 60_000), [fd]);
  await once(child, "exit");
  assert.equal(platform.startTimeOf(pid), undefined);
  closeSync(fd);
});

test("assertSupported() says what is supported", () => {
  platform.assertSupported();
  assert.throws(() => platform.assertSupported("win32", "x64", "20.20.0"), UnsupportedPlatformError);
  assert.throws(() => platform.assertSupported("linux", "ia32", "20.20.0"), /x64 and arm64/);
  assert.throws(() => platform.assertSupported("linux", "x64", "20.19.9"), /20\.20/);
});

test("a process is not taken for dead because this one has too many files open", () => {
  const file = fileURLToPath(new URL("../fixtures/no-descriptors.js", import.meta.url));
  const { status, stdout } = spawnSync("sh", ["-c", `ulimit -n 64; exec "${process.execPath}" "${file}"`], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.equal(status, 0);
  assert.equal(stdout, "EMFILE true undefined\n");
});

test("a process that ends while a watched descriptor has something to read ends with its own code", () => {
  const file = fileURLToPath(new URL("../fixtures/watched-at-exit.js", import.meta.url));
  assert.equal(spawnSync(process.execPath, [file], { stdio: ["ignore", "inherit", "ignore"] }).status, 3);
});
