import assert from "node:assert/strict";
import { test } from "node:test";
import { descendantsOf, exists, type Program, runs, startProgram, until } from "../helpers/program.ts";

// Six processes: busy, blocked and idle children, each with a child alike.

async function familyOf(program: Program): Promise<number[]> {
  const pids = (): number[] => [...program.stdout().matchAll(/^up (\d+)$/gm)].map((match) => Number(match[1]));
  await until(() => pids().length >= 6, program.stderr);
  return pids();
}

test("a parent that is killed takes busy, blocked and idle descendants along, spares too", async () => {
  const program = startProgram("family", ["wait"]);
  const family = await familyOf(program);
  await program.printed("ready");
  const all = new Set([...family, ...descendantsOf(program.pid)]);
  process.kill(program.pid, "SIGKILL");
  assert.deepEqual(await program.ended(), { code: null, signal: "SIGKILL" });
  // The output is closed: nobody of them has it any more. (A zombie has not been taken by init yet.)
  await until(() => ![...all].some(runs));
});

test("a child that is killed takes its descendants along, and leaves the rest alone", async () => {
  const program = startProgram("family", ["wait"]);
  await familyOf(program);
  const [child, other] = descendantsOf(program.pid).filter((pid) => descendantsOf(pid).length > 0) as [number, number];
  const below = descendantsOf(child);
  process.kill(child, "SIGKILL");
  await until(() => !below.some(runs));
  assert.ok(runs(other));
  assert.ok(exists(program.pid));
  process.kill(program.pid, "SIGKILL");
  await program.ended();
});

test("process.exit() in a parent ends its children at once and keeps its code", async () => {
  const program = startProgram("family", ["exit"]);
  const family = await familyOf(program);
  process.kill(program.pid, "SIGUSR2");
  assert.deepEqual(await program.ended(), { code: 3, signal: null });
  await until(() => !family.some(runs));
  assert.equal(program.stderr(), "");
});

test("a parent that just ends takes its daemons along", async () => {
  const program = startProgram("family", ["end"]);
  const family = await familyOf(program);
  process.kill(program.pid, "SIGUSR2");
  assert.deepEqual(await program.ended(), { code: 0, signal: null });
  await until(() => !family.some(runs));
  assert.equal(program.stderr(), "");
});

test("Ctrl-C stops everybody without a word", async () => {
  const program = startProgram("family", ["wait"], true);
  const family = await familyOf(program);
  await program.printed("ready");
  process.kill(-program.pid, "SIGINT");
  assert.deepEqual(await program.ended(), { code: null, signal: "SIGINT" });
  await until(() => !family.some(runs));
  assert.equal(program.stderr(), "");
});
