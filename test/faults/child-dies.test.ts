import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { Process, ProcessDiedError, wait } from "../../src/index.ts";
import { childrenOf, startProgram, until } from "../helpers/program.ts";

function busy(): void {
  for (;;);
}

function blocked(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function idle(): Promise<never> {
  return new Promise(() => setInterval(() => {}, 1000));
}

test("join, result and wait settle when a child is killed, whatever it does", async () => {
  for (const target of [busy, blocked, idle]) {
    const child = new Process(target as () => unknown).start();
    const settled = Promise.allSettled([child.join(), child.result(), wait([child]), wait([child.sentinel])]);
    process.kill(child.pid as number, "SIGKILL");
    const [joined, result, ready, sentinel] = await settled;
    assert.deepEqual(joined, { status: "fulfilled", value: -9 });
    assert.ok(result.status === "rejected" && result.reason instanceof ProcessDiedError);
    assert.deepEqual(ready, { status: "fulfilled", value: [child] });
    assert.deepEqual(sentinel, { status: "fulfilled", value: [child.sentinel] });
  }
});

test("the blocking twins notice a child that is killed", () => {
  const child = new Process(idle).start();
  child.kill();
  assert.throws(() => child.resultSync(), ProcessDiedError);
  assert.equal(child.joinSync(), -9);
});

test("a child that is killed before it was up counts like any other", async () => {
  const children = Array.from({ length: 5 }, () => new Process({ target: idle, method: "spawn" }).start());
  for (const child of children) child.kill();
  assert.deepEqual(await Promise.all(children.map((child) => child.join())), [-9, -9, -9, -9, -9]);
});

test("a child out of memory says so", async () => {
  const child = new Process({
    target: () => {
      const kept: unknown[] = [];
      for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })));
    },
    maxMemory: 64 * 2 ** 20,
    stdio: "ignore",
  }).start();
  await assert.rejects(child.result(), (error) => {
    assert.ok(error instanceof ProcessDiedError);
    assert.equal(error.signal, "SIGABRT");
    assert.match(error.message, /ran out of heap memory \(maxMemory is 67108864 bytes\)/);
    return true;
  });
  assert.equal(await child.join(), -6);
});

test("50 processes leave neither zombies nor descriptors", async () => {
  // The first start opens what stays open: the arena, the lifeline.
  await new Process(() => {}).start().join();
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  // Spares come and go meanwhile, with two descriptors each.
  const before = descriptors();
  const children = Array.from(
    { length: 50 },
    (_, i) => new Process({ target: (n: number) => n, args: [i], method: "spawn" }),
  );
  for (let at = 0; at < children.length; at += 10) {
    const few = children.slice(at, at + 10);
    for (const child of few) child.start();
    await Promise.all(few.map((child) => child.join()));
  }
  assert.deepEqual(
    await Promise.all(children.map((child) => child.result())),
    children.map((_, i) => i),
  );
  await until(
    () => descriptors() <= before + 4,
    () => `${descriptors()} descriptors after ${before}`,
  );
  assert.deepEqual(
    childrenOf(process.pid).filter(({ isZombie }) => isZombie),
    [],
  );
});

test("a parent that just ends waits for a child that is no daemon", async () => {
  const program = startProgram("non-daemon");
  assert.deepEqual(await program.ended(), { code: 0, signal: null });
  assert.equal(program.stdout(), "child has ended\nparent ends\n");
  assert.equal(program.stderr(), "");
});

test("an error that nobody asks for is printed once by the child, and hurts nobody", async () => {
  const program = startProgram("unread-error");
  assert.deepEqual(await program.ended(), { code: 0, signal: null });
  assert.equal(program.stdout(), "exit code 1\n");
  assert.equal(program.stderr().match(/RangeError: nobody asks/g)?.length, 1);
  assert.match(program.stderr(), /Uncaught error in Process-1 \(process \d+\):\n.*\n\s+at .*unread-error\.js:/);
});
