import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { lives } from "../../src/memory/liveness.ts";
import { reapExit, spawnProgram, startTimeOf } from "../../src/platform/index.ts";

const MOST_KEPT = 8;

/** Descriptors of processes that this process has. */
function kept(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes("pidfd");
    } catch {
      return false;
    }
  }).length;
}

async function sleeper(): Promise<{ pid: number; startTime: bigint; end: () => Promise<void> }> {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  await once(child, "spawn");
  const pid = child.pid as number;
  const end = async (): Promise<void> => {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return { pid, startTime: startTimeOf(pid) as bigint, end };
}

test("who is asked about again is known by a descriptor, which is given up with it", async () => {
  const before = kept();
  const { pid, startTime, end } = await sleeper();
  assert.equal(lives(pid, startTime), true);
  assert.equal(kept(), before);
  for (let i = 0; i < 3; i++) assert.equal(lives(pid, startTime), true);
  assert.equal(kept(), before + 1);
  // Another process that had the pid before.
  assert.equal(lives(pid, startTime - 1n), false);
  for (let i = 0; i < 2; i++) assert.equal(lives(pid, startTime), true);
  await end();
  assert.equal(lives(pid, startTime), false);
  assert.equal(lives(pid, startTime), false);
  assert.equal(kept(), before);
});

test("a zombie is dead, also to who has its descriptor", () => {
  const pid = spawnProgram({ path: "/bin/sleep", args: ["sleep", "600"], env: [], fds: [0, 1, 2] });
  const startTime = startTimeOf(pid) as bigint;
  for (let i = 0; i < 3; i++) assert.equal(lives(pid, startTime), true);
  process.kill(pid, "SIGKILL");
  while (startTimeOf(pid) !== undefined);
  assert.equal(lives(pid, startTime), false);
  reapExit(pid, { wait: true });
});

test("descriptors of few processes are kept, however many are asked about", async () => {
  const before = kept();
  const sleepers = await Promise.all(Array.from({ length: MOST_KEPT + 4 }, sleeper));
  for (let i = 0; i < 3; i++) for (const { pid, startTime } of sleepers) assert.equal(lives(pid, startTime), true);
  assert.equal(kept(), before + MOST_KEPT);
  await Promise.all(sleepers.map(({ end }) => end()));
  for (const { pid, startTime } of sleepers) assert.equal(lives(pid, startTime), false);
  assert.equal(kept(), before);
});
