import assert from "node:assert/strict";
import { test } from "node:test";
import { Process, SerializationError } from "../../src/index.ts";
import { childrenOf, exists, startProgram, until } from "../helpers/program.ts";

const born = (): number => Date.now() - process.uptime() * 1000;

/** The spares that there are, at least one; which of them is taken next is not said. */
async function spares(): Promise<number[]> {
  let found: number[] = [];
  await until(() => (found = sparesNow()).length > 0);
  return found;
}

function sparesNow(): number[] {
  return childrenOf(process.pid)
    .filter(({ isZombie }) => !isZombie)
    .map(({ pid }) => pid);
}

test("after the first start a spare is kept, and the next start takes it", async () => {
  const first = new Process(() => {}).start();
  await first.join();
  const kept = await spares();
  const child = new Process(born).start();
  assert.ok(kept.includes(child.pid as number));
  await child.join();
});

test("a spare is used once", async () => {
  const kept = await spares();
  const globals = (): unknown => ((globalThis as { used?: boolean }).used ??= true) && process.pid;
  const user = new Process(globals).start();
  const pid = user.pid as number;
  assert.ok(kept.includes(pid));
  assert.equal(await user.result(), pid);
  await user.join();
  const again = new Process(() => (globalThis as { used?: boolean }).used).start();
  assert.notEqual(again.pid, pid);
  assert.equal(await again.result(), undefined);
  await again.join();
});

test("a spare that somebody killed is noticed, and replaced by a process that works", async () => {
  for (const pid of await spares()) {
    process.kill(pid, "SIGKILL");
    // Gone with all its threads: until then its socket takes what is written to it.
    await until(() => !exists(pid));
  }
  const child = new Process(() => "works").start();
  assert.equal(await child.result(), "works");
  await child.join();
});

test("a spare that is woken for what cannot be sent is taken by the next start, as good as new", async () => {
  await spares();
  const promise = Promise.resolve();
  // More often than it has prepared for.
  for (let i = 0; i < 8; i++) assert.throws(() => new Process({ target: () => promise }).start(), SerializationError);
  const kept = sparesNow();
  const child = new Process(() => [process.pid, process.argv]).start();
  assert.ok(kept.includes(child.pid as number));
  assert.deepEqual(await child.result(), [child.pid, process.argv]);
  await child.join();
});

test("flags that a spare does not have give a process of its own", async () => {
  const kept = await spares();
  const child = new Process({ target: () => process.execArgv, execArgv: ["--no-deprecation"] }).start();
  assert.ok(!kept.includes(child.pid as number));
  assert.deepEqual(await child.result(), ["--no-deprecation"]);
  await child.join();
});

test("variables that node reads at its start give a process of its own", async () => {
  const kept = await spares();
  const target = (): string => new Date(0).toString();
  const child = new Process({ target, env: { ...process.env, TZ: "Asia/Tokyo" } }).start();
  assert.ok(!kept.includes(child.pid as number));
  assert.match(await child.result(), /09:00:00/);
  await child.join();
});

test("a spare sees nothing of what the program was when the spare was started", async () => {
  await spares();
  process.env["MULTIPROC_NEW"] = "1";
  const here = process.cwd();
  process.chdir("/");
  try {
    const child = new Process(() => [process.cwd(), process.env["MULTIPROC_NEW"], process.argv.length]).start();
    assert.deepEqual(await child.result(), ["/", "1", process.argv.length]);
    await child.join();
  } finally {
    delete process.env["MULTIPROC_NEW"];
    process.chdir(here);
  }
});

test("many starts at once are all served, and all right", async () => {
  const children = Array.from({ length: 24 }, (_, i) => new Process((n: number) => n * n, i).start());
  assert.deepEqual(
    await Promise.all(children.map((child) => child.result())),
    children.map((_, i) => i * i),
  );
  assert.ok((await Promise.all(children.map((child) => child.join()))).every((code) => code === 0));
  assert.equal(new Set(children.map((child) => child.pid)).size, children.length);
});

test("spares keep no program alive, and end with it", async () => {
  const program = startProgram("with-spare");
  assert.deepEqual(await program.ended(), { code: 0, signal: null });
  assert.match(program.stdout(), /^done \d+\n$/);
  assert.equal(program.stderr(), "");
  const pid = Number(program.stdout().split(" ")[1]);
  await until(() => childrenOf(program.pid).length === 0 && childrenOf(pid).length === 0);
});
