import assert from "node:assert/strict";
import { test } from "node:test";
import { runs, startProgram, until } from "../helpers/program.ts";

test("a worker thread starts processes and pools as the main thread does, and ends by itself", async () => {
  const program = startProgram("thread");
  assert.deepEqual(await program.ended(), { code: 0, signal: null });
  assert.equal(program.stdout(), "[42,7,0,[3,6],true,-9]\n");
  assert.equal(program.stderr(), "");
});

test("a worker thread that is terminated takes its children along, and leaves nothing open", async (t) => {
  const program = startProgram("thread", ["terminate"]);
  t.after(() => program.process.kill());
  await program.printed("left open");
  assert.match(program.stdout(), /left open 0$/m);
  const pids = [...program.stdout().matchAll(/^pids (\d+) (\d+)$/gm)].flatMap(([, a, b]) => [Number(a), Number(b)]);
  assert.equal(pids.length, 6);
  // Nobody is left who could take note of their end: they are zombies until the program ends.
  await until(() => !pids.some(runs));
  program.process.kill();
  await program.ended();
  assert.equal(program.stderr(), "");
});

test("worker threads that are terminated while events come do not end the program", async () => {
  const program = startProgram("thread", ["busy"]);
  assert.deepEqual(await program.ended(), { code: 0, signal: null }, program.stderr());
  assert.equal(program.stdout(), "all ended\n");
});
