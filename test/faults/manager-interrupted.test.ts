import assert from "node:assert/strict";
import { test } from "node:test";
import { descendantsOf, runs, startProgram, until } from "../helpers/program.ts";

test("93. after Ctrl-C a manager serves until its owner is done: it, its children and a pool in it go on and end in order", async () => {
  const program = startProgram("managed-program", ["handles"], true);
  await program.printed("ready");
  const family = descendantsOf(program.pid);
  process.kill(-program.pid, "SIGINT");
  assert.deepEqual(await program.ended(), { code: 0, signal: null });
  assert.match(program.stdout(), /the child goes on\nthe pool goes on: \[ 2, 3 \]\n\{ child: true \} 0\n/);
  assert.equal(program.stderr(), "");
  await until(() => !family.some(runs));
});

test("93. Ctrl-C ends a program that does not know of it, with all that belongs to it and without a word", async () => {
  const program = startProgram("managed-program", ["ends"], true);
  await program.printed("ready");
  const family = descendantsOf(program.pid);
  assert.ok(family.length >= 3, String(family));
  process.kill(-program.pid, "SIGINT");
  assert.deepEqual(await program.ended(), { code: null, signal: "SIGINT" });
  assert.equal(program.stdout(), "ready\n");
  assert.equal(program.stderr(), "");
  await until(() => !family.some(runs));
});
