/** Starting programs without node. */

import assert from "node:assert/strict";
import { closeSync, openSync, readSync } from "node:fs";
import { test } from "node:test";
import { SystemError } from "../../src/index.ts";
import { createMemoryFile, reapExit, spawnProgram } from "../../src/platform/index.ts";

const env = ["PATH=/usr/bin:/bin", "GREETING=hé"];

function textOf(fd: number): string {
  const bytes = Buffer.alloc(65536);
  return bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, 0));
}

/** Runs a shell's script with a file in memory as its standard output. */
function outputOf(script: string): string {
  const [input, out] = [openSync("/dev/null", "r"), createMemoryFile("output", 0)];
  const pid = spawnProgram({ path: "/bin/sh", args: ["sh", "-c", script], env, fds: [input, out, 2] });
  assert.deepEqual(reapExit(pid, { wait: true }), { code: 0, signal: null });
  const text = textOf(out);
  for (const fd of [input, out]) closeSync(fd);
  return text;
}

test("a program gets the arguments and the environment that it was started with, and no other", () => {
  assert.equal(outputOf('echo "$0 $GREETING $(/usr/bin/env | grep -c PATH)"'), "sh hé 1\n");
});

test("a program ignores and blocks no signal, though node ignores SIGPIPE, and has no descriptors of ours but those it was given", () => {
  const hidden = createMemoryFile("hidden", 0);
  const [blocked, ignored, ...fds] = outputOf(
    "sed -n 's/^Sig\\(Blk\\|Ign\\):.*\\(.\\{8\\}\\)$/\\2/p' /proc/self/status; ls /proc/self/fd",
  ).split("\n");
  // Signals 1 to 31; the C library has those above.
  const known = (set: string | undefined): number => parseInt(String(set), 16) & 0x7fff_ffff;
  assert.deepEqual([known(blocked), known(ignored)], [0, 0]);
  assert.ok(["0", "1", "2"].every((fd) => fds.includes(fd)) && !fds.includes(String(hidden)));
  closeSync(hidden);
});

test("descriptors arrive where they belong, though their numbers are those of others", () => {
  const files = Array.from({ length: 6 }, (_, i) => createMemoryFile(`file ${i}`, 0));
  const highest = Math.max(...files);
  // Each number of a file here is the number of another one there.
  const fds = Array.from({ length: highest + 1 }, () => 2);
  const numbers = files.toReversed();
  files.forEach((fd, i) => (fds[numbers[i] as number] = fd));
  const program = `for (const fd of ${JSON.stringify(numbers)}) require("fs").writeSync(fd, String(fd))`;
  const pid = spawnProgram({ path: process.execPath, args: ["node", "-e", program], env, fds });
  assert.deepEqual(reapExit(pid, { wait: true }), { code: 0, signal: null });
  assert.deepEqual(files.map(textOf), numbers.map(String));
  for (const fd of files) closeSync(fd);
});

test("a program that does not exist, or a descriptor that is none, is an error, and starts nothing", () => {
  const program = { path: "/nowhere/at/all", args: ["x"], env, fds: [0, 1, 2] };
  assert.throws(() => spawnProgram(program), {
    errname: "ENOENT",
    syscall: "posix_spawn",
  } satisfies Partial<SystemError>);
  assert.throws(() => spawnProgram({ ...program, path: "/bin/true", fds: [0, 1, 9999] }), { errname: "EBADF" });
});
