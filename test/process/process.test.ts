import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import { fileURLToPath } from "node:url";
import {
  activeChildren,
  currentProcess,
  parentProcess,
  Process,
  ProcessDiedError,
  StateError,
  TimeoutError,
} from "../../src/index.ts";
import { calls, connect, connection } from "../fixtures/late.ts";
import { collectGarbage } from "../helpers/collect-garbage.ts";

/** Runs until it is ended from outside. */
function forever(): Promise<never> {
  return new Promise(() => setInterval(() => {}, 1000));
}

test("a process that was not started is not alive and has neither pid nor exit code", async () => {
  const process = new Process(() => {});
  assert.equal(process.isAlive(), false);
  assert.equal(process.pid, undefined);
  assert.equal(process.exitCode, null);
  assert.ok(!activeChildren().includes(process));
  assert.throws(() => process.sentinel, StateError);
  await assert.rejects(process.join(), StateError);
  await assert.rejects(process.result(), StateError);
  assert.throws(() => process.joinSync(), StateError);
  assert.throws(() => process.terminate(), StateError);
});

test("start makes it alive and active; after join it is neither, with exit code 0", async () => {
  const child = new Process(forever);
  assert.equal(child.start(), child);
  assert.equal(child.isAlive(), true);
  assert.ok(activeChildren().includes(child));
  assert.equal(child.exitCode, null);
  child.terminate();
  await child.join();
  assert.equal(child.isAlive(), false);
  assert.ok(!activeChildren().includes(child));

  const short = new Process(() => {}).start();
  assert.equal(await short.join(), 0);
  assert.equal(short.exitCode, 0);
});

test("the target runs in another process, with its arguments exactly and what it captures", async () => {
  const captured = { list: [1, 2], when: new Date(5) };
  const child = new Process((...args: unknown[]) => ({ args, captured, pid: process.pid }), [1], "a", undefined, {
    deep: new Map([[1, new Set(["x"])]]),
  }).start();
  const { args, captured: there, pid } = await child.result();
  assert.deepEqual(args, [[1], "a", undefined, { deep: new Map([[1, new Set(["x"])]]) }]);
  assert.deepEqual(there, captured);
  assert.equal(pid, child.pid);
  assert.notEqual(pid, process.pid);
});

test("captures are taken at start, as they are then", async () => {
  let value = "made";
  const child = new Process(() => value);
  value = "started";
  child.start();
  value = "later";
  assert.equal(await child.result(), "started");
});

test("it is started once only", async () => {
  const child = new Process(() => {}).start();
  assert.throws(() => child.start(), StateError);
  await child.join();
  assert.throws(() => child.start(), StateError);
});

test("join gives null when the time runs out, at once for 0 and less", async () => {
  const child = new Process(forever).start();
  assert.equal(await child.join({ timeout: 0 }), null);
  assert.equal(await child.join({ timeout: -1 }), null);
  assert.equal(await child.join({ timeout: 20 }), null);
  assert.equal(child.joinSync({ timeout: 20 }), null);
  assert.equal(child.isAlive(), true);
  await assert.rejects(child.result({ timeout: 20 }), TimeoutError);
  assert.throws(() => child.resultSync({ timeout: 20 }), TimeoutError);
  child.kill();
  assert.equal(await child.join(), -9);
});

test("terminate, kill and any signal give their negative number as the exit code", async () => {
  const [terminated, killed, signalled] = [forever, forever, forever].map((target) => new Process(target).start());
  assert.ok(terminated && killed && signalled);
  terminated.terminate();
  killed.kill();
  // Not SIGUSR2: the test runners of newer Nodes give files a flag that makes it write a report.
  process.kill(signalled.pid as number, "SIGALRM");
  assert.equal(await terminated.join(), -15);
  assert.equal(await killed.join(), -9);
  assert.equal(await signalled.join(), -14);
});

test("what died without a result rejects with who it was and how it ended", async () => {
  const child = new Process(forever).start();
  child.kill();
  await assert.rejects(child.result(), (error) => {
    assert.ok(error instanceof ProcessDiedError);
    assert.deepEqual([error.pid, error.exitCode, error.signal], [child.pid, -9, "SIGKILL"]);
    assert.match(error.message, /Process-\d+ \(process \d+\) gave no result: it was ended by SIGKILL/);
    return true;
  });
});

test("process.exit in a child gives its code, and no result", async () => {
  const child = new Process(() => process.exit(7)).start();
  assert.equal(await child.join(), 7);
  await assert.rejects(child.result(), { code: "ERR_PROCESS_DIED", exitCode: 7, signal: null });
});

test("process.exitCode in a child is its exit code, and the result stands", async () => {
  const child = new Process(() => {
    process.exitCode = 3;
    return "done";
  }).start();
  assert.equal(await child.result(), "done");
  assert.equal(await child.join(), 3);
});

test("the result stands though the child is killed afterwards", async () => {
  const child = new Process(() => {
    setInterval(() => {}, 1000);
    return "delivered";
  }).start();
  assert.equal(await child.result(), "delivered");
  child.kill();
  assert.equal(await child.join(), -9);
  assert.equal(await child.result(), "delivered");
});

test("a result that cannot travel is told to who asks for it, and hurts nobody else", async () => {
  const child = new Process(() => new WeakMap()).start();
  await assert.rejects(child.result(), { code: "ERR_SERIALIZATION", message: /result.*WeakMap/ });
  assert.equal(await child.join(), 0);
});

test("async functions, generators and classes are targets", async () => {
  const awaited = new Process(async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return n + 1;
  }, 1).start();
  const generated = new Process(function* (n: number) {
    let sum = 0;
    for (let i = 0; i <= n; i++) sum += (yield i) === undefined ? i : 0;
    return sum;
  }, 4).start();
  const streamed = new Process(async function* () {
    yield await Promise.resolve(1);
    return "end";
  }).start();
  class Point {
    readonly x: number;
    constructor(x: number) {
      this.x = x;
    }
    double(): number {
      return this.x * 2;
    }
  }
  const constructed = new Process(Point, 4).start();
  assert.equal(await awaited.result(), 2);
  assert.equal(await generated.result(), 10);
  assert.equal(await streamed.result(), "end");
  const point = await constructed.result();
  assert.ok(point instanceof Point);
  assert.equal(point.double(), 8);
});

test("a started process does not keep its target and arguments", async () => {
  const collected: string[] = [];
  const registry = new FinalizationRegistry<string>((name) => collected.push(name));
  const make = (): Process => {
    const captured = { n: 1 };
    const argument = { n: 2 };
    registry.register(captured, "captured");
    registry.register(argument, "argument");
    return new Process((given: { n: number }) => given.n + captured.n, argument);
  };
  const child = make().start();
  assert.equal(await child.result(), 3);
  for (let i = 0; i < 20 && collected.length < 2; i++) await collectGarbage();
  assert.deepEqual(collected.sort(), ["argument", "captured"]);
  assert.equal(await child.join(), 0);
});

test("a generator is what works like one: also one of a compiler for older targets, not what only bears the name", async () => {
  const lowered = (): object => {
    let left = 3;
    return {
      next: async () => (left-- > 0 ? { done: false, value: left } : { done: true, value: "end" }),
      return: async () => ({ done: true, value: undefined }),
      throw: (error: unknown) => Promise.reject(error),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  };
  assert.equal(await new Process(lowered).start().result(), "end");
  class Named {
    readonly n = 1;
    get [Symbol.toStringTag](): string {
      return "Generator";
    }
  }
  const named = (await new Process(() => new Named()).start().result()) as Named;
  assert.ok(named instanceof Named);
});

test("a subclass travels with its fields and runs its run()", async () => {
  class Greeter extends Process<string[]> {
    readonly words: Map<string, string>;
    readonly shout = (word: string): string => `${word.toUpperCase()}${this.mark}`;
    mark = "!";
    constructor(words: Map<string, string>) {
      super({ name: "greeter" });
      this.words = words;
    }
    override run(): string[] {
      const current = currentProcess();
      assert.equal(current, this);
      return [...this.words].map(([a, b]) => this.shout(`${a} ${b}`)).concat(this.name, String(this.isAlive()));
    }
  }
  const greeter = new Greeter(new Map([["hello", "world"]]));
  greeter.mark = "?";
  assert.deepEqual(await greeter.start().result(), ["HELLO WORLD?", "greeter", "true"]);
  assert.equal(new Greeter(new Map()).name, "greeter");
});

test("super.run() calls the target that the process was made with", async () => {
  class Plus extends Process<number> {
    override run(): number {
      return (super.run() as number) + 1;
    }
  }
  assert.equal(await new Plus({ target: (n: number) => n * 2, args: [4] }).start().result(), 9);
});

test("a target that captures its own process sees itself there", async () => {
  const child: Process<unknown> = new Process(() => [child.name, child.pid === process.pid, child.isAlive()]);
  assert.deepEqual(await child.start().result(), [child.name, true, true]);
});

test("another process cannot be captured", () => {
  const other = new Process(() => {});
  assert.throws(() => new Process(() => other.name).start(), {
    code: "ERR_SERIALIZATION",
    message: /the process Process-/,
  });
});

test("the objects that describe this process and its parent cannot be captured: elsewhere they would describe others", async () => {
  const current = currentProcess();
  assert.throws(() => new Process(() => current.pid).start(), {
    code: "ERR_SERIALIZATION",
    message: /the current process.*send its name or pid/,
  });
  const child = new Process(() => {
    const parent = parentProcess();
    try {
      new Process(() => parent?.pid).start();
      return "nothing";
    } catch (error) {
      return (error as Error).message;
    }
  });
  assert.match(await child.start().result(), /the parent process/);
});

test("what is printed of a process says who it is and how it is", async () => {
  class Job extends Process<string> {
    readonly n = 4;
    override run(): string {
      return inspect(this);
    }
  }
  const job = new Job({ name: "job" });
  assert.equal(inspect(job), "Job { name: 'job', state: 'not started', n: 4 }");
  job.start();
  assert.equal(inspect(job), `Job { name: 'job', pid: ${job.pid}, state: 'running', n: 4 }`);
  assert.equal(await job.result(), `Job { name: 'job', pid: ${job.pid}, state: 'running', n: 4 }`);
  await job.join();
  assert.equal(inspect(job), `Job { name: 'job', pid: ${job.pid}, state: 'ended', exitCode: 0, n: 4 }`);
  job.close();
  assert.match(inspect(job), /state: 'closed', exitCode: 0/);
  assert.match(
    inspect(new Process({ daemon: true })),
    /^Process \{ name: 'Process-\d+', daemon: true, state: 'not started' \}$/,
  );
});

test("an empty name is none", () => {
  assert.match(new Process({ name: "" }).name, /^Process-\d+$/);
});

test("names count, and nested ones tell the way", async () => {
  const child = new Process(async () => {
    const grandchild = new Process(() => [currentProcess().name, parentProcess()?.name, parentProcess()?.isAlive()]);
    return [currentProcess().name, ...((await grandchild.start().result()) as unknown[])];
  });
  assert.match(child.name, /^Process-\d+$/);
  assert.deepEqual(await child.start().result(), [child.name, `${child.name}:1`, child.name, true]);
  assert.equal(new Process({ name: "worker" }).name, "worker");
});

test("current and parent process in the first process and in a child", async () => {
  assert.equal(parentProcess(), null);
  assert.equal(currentProcess().name, "MainProcess");
  assert.equal(currentProcess().pid, process.pid);
  assert.equal(currentProcess().daemon, false);
  const child = new Process({
    name: "inner",
    daemon: true,
    target: () => [currentProcess().name, currentProcess().daemon, parentProcess()?.pid, parentProcess()?.name],
  }).start();
  assert.deepEqual(await child.result(), ["inner", true, process.pid, "MainProcess"]);
});

test("children starting children deliver in order, two deep", async () => {
  async function grow(path: number[]): Promise<number[][]> {
    if (path.length === 2) return [path];
    const children = [0, 1].map((i) => new Process(grow, [...path, i]).start());
    const below = await Promise.all(children.map((child) => child.result()));
    return [path, ...below.flat()];
  }
  assert.deepEqual(await new Process(grow, []).start().result(), [[], [0], [0, 0], [0, 1], [1], [1, 0], [1, 1]]);
});

test("daemon is as the parent is unless said otherwise, and fixed once started", async () => {
  const child = new Process({ target: () => new Process(() => {}).daemon, daemon: true });
  assert.equal(child.daemon, true);
  child.daemon = false;
  child.daemon = true;
  child.start();
  assert.throws(() => (child.daemon = false), StateError);
  assert.equal(await child.result(), true);
  await child.join();
});

test("close: refused while it runs, repeatable, and then nothing works", async () => {
  const child = new Process(forever).start();
  assert.throws(() => child.close(), StateError);
  child.kill();
  await child.join();
  child.close();
  child.close();
  assert.throws(() => child.isAlive(), StateError);
  assert.throws(() => child.exitCode, StateError);
  assert.throws(() => child.terminate(), StateError);
  await assert.rejects(child.join(), StateError);
});

test("disposal ends a process that runs", async () => {
  let outer: Process;
  {
    // oxlint-disable-next-line typescript/await-thenable -- it is an AsyncDisposable
    await using child = new Process(forever).start();
    outer = child;
  }
  assert.throws(() => outer.isAlive(), { message: /closed/ });
  {
    using child = new Process(forever).start();
    outer = child;
  }
  assert.throws(() => outer.isAlive(), { message: /closed/ });
  assert.ok(!activeChildren().includes(outer));
});

test("the blocking twins wait while the event loop is blocked", () => {
  const child = new Process(async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return n * 2;
  }, 4).start();
  assert.equal(child.resultSync(), 8);
  assert.equal(child.joinSync(), 0);
  assert.equal(child.exitCode, 0);
  const failing = new Process(() => Promise.reject(new RangeError("no"))).start();
  assert.throws(() => failing.resultSync(), RangeError);
  assert.equal(failing.joinSync(), 1);
});

test("one wait answers all who ask, before and after", async () => {
  const child = new Process(() => ({ a: 1 })).start();
  const [first, second] = await Promise.all([child.result(), child.result()]);
  assert.equal(first, second);
  assert.equal(await child.result(), first);
  assert.deepEqual(await Promise.all([child.join(), child.join()]), [0, 0]);
});

test("a pending timer keeps the child alive after its result", async () => {
  const child = new Process(() => {
    setTimeout(() => (process.exitCode = 5), 30);
    return "early";
  }).start();
  assert.equal(await child.result(), "early");
  assert.equal(await child.join(), 5);
});

test("big arguments and results arrive, though nobody reads meanwhile", async () => {
  const bytes = new Uint8Array(32 << 20).fill(7);
  const child = new Process((b: Uint8Array) => b.map((x) => x + 1), bytes).start();
  assert.equal(await child.join(), 0);
  const back = await child.result();
  assert.equal(back.length, bytes.length);
  assert.ok(back.every((x) => x === 8));
});

test("aborting its signal ends the process: its result rejects with the reason, join gives the exit code", async () => {
  const controller = new AbortController();
  const child = new Process({ target: forever, signal: controller.signal }).start();
  const waiting = assert.rejects(child.result(), /enough/);
  controller.abort(new Error("enough"));
  await waiting;
  assert.equal(await child.join(), -9);
  assert.equal(child.joinSync(), -9);
  assert.throws(() => new Process({ target: forever, signal: controller.signal }).start(), /enough/);
});

test("aborting a wait ends the wait only", async () => {
  const child = new Process(forever).start();
  await assert.rejects(child.join({ signal: AbortSignal.timeout(10) }), { name: "TimeoutError" });
  await assert.rejects(child.result({ signal: AbortSignal.abort(new Error("no")) }), /no/);
  assert.equal(child.isAlive(), true);
  child.kill();
  await child.join();
});

test("classes that come back are those that were sent: instances, errors, the class itself", async () => {
  class AppError extends Error {
    readonly detail: string;
    constructor(detail: string) {
      super(`failed: ${detail}`);
      this.detail = detail;
    }
  }
  class Base {}
  class Derived extends Base {
    readonly made = new AppError("made");
  }
  const failing = new Process(() => {
    throw new AppError("disk");
  }).start();
  await assert.rejects(failing.result(), (error) => {
    assert.ok(error instanceof AppError);
    assert.equal(error.detail, "disk");
    assert.match(String(error.stack), /failed: disk[^]*process\.test[^]*in process Process-\d+ \(pid \d+\)/);
    return true;
  });
  const [cls, instance] = await new Process((given: typeof Derived) => [given, new Derived()] as const, Derived)
    .start()
    .result();
  assert.equal(cls, Derived);
  assert.ok(instance instanceof Derived && instance instanceof Base && instance.made instanceof AppError);
  const grandchild = await new Process(() => new Process(() => new Derived()).start().result()).start().result();
  assert.ok(grandchild instanceof Derived);
});

test("a class sees the variables that it captures as they are at each start", async () => {
  let factor = 2;
  class Scaled {
    readonly value: number;
    constructor(value: number) {
      this.value = value * factor;
    }
  }
  assert.equal((await new Process(Scaled, 1).start().result()).value, 2);
  factor = 3;
  assert.equal((await new Process(Scaled, 1).start().result()).value, 3);
});

for (const method of ["spawn", "spare"]) {
  test(`a program without a descriptor left is told so at its first start, and can start when it has some again (${method})`, () => {
    const file = fileURLToPath(new URL("../fixtures/few-descriptors.js", import.meta.url));
    const { status, stdout } = spawnSync(
      "sh",
      ["-c", `ulimit -n 400; exec "${process.execPath}" "${file}" ${method}`],
      {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    assert.equal(stdout, "EMFILE true\n");
    assert.equal(status, 0);
  });
}

test("processes that are joined while the event loop is blocked leave no descriptors and no zombies", () => {
  const descriptors = (): number => readdirSync("/proc/self/fd").length;
  const start = (): Process => new Process({ target: () => {}, method: "spawn" }).start();
  start().joinSync();
  const before = descriptors();
  for (let i = 0; i < 3; i++) {
    const child = start();
    const { pid } = child;
    assert.equal(child.joinSync(), 0);
    assert.throws(() => process.kill(pid as number, 0), { code: "ESRCH" });
  }
  // Fewer are those of processes of earlier tests, which are closed some time after their end.
  const after = descriptors();
  assert.ok(after <= before, `${after} descriptors, ${before} before`);
});

test("an error that is noticed elsewhere has the stack of who asked", async () => {
  const stackOf = async (ask: () => unknown): Promise<string> => {
    try {
      await ask();
    } catch (error) {
      return String((error as Error).stack);
    }
    return assert.fail("no error");
  };
  async function asking(): Promise<void> {
    await new Process(() => process.exit(3)).start().result();
  }
  assert.match(await stackOf(asking), /^ProcessDiedError: .*\n[^]*at (?:async )?asking /);
  function askingSync(): void {
    new Process(() => process.exit(3)).start().resultSync();
  }
  assert.match(await stackOf(askingSync), /^ProcessDiedError: .*\n[^]*at askingSync /);
  const deep = { a: { b: { c: { d: { e: { f: { g: { h: { i: { j: new WeakMap() } } } } } } } } } };
  function sending(): void {
    new Process(() => deep).start();
  }
  assert.match(await stackOf(sending), /^SerializationError: .*\n[^]*at sending /);
});

test("what cannot travel is named with all functions on the way to it", () => {
  const secret = new WeakMap();
  const helpers = { deep: [{ run: () => secret }] };
  const caller = (): unknown => helpers.deep[0]?.run();
  assert.throws(() => new Process(() => caller()).start(), {
    name: "SerializationError",
    path: "secret",
    message:
      "Cannot send `target`, which captures `caller`, which captures `helpers.deep[0].run`, which captures `secret`: it is a WeakMap",
  });
  class Box {
    readonly #key = 1;
    open(): () => number {
      return () => this.#key;
    }
  }
  const open = new Box().open();
  assert.throws(() => new Process(() => open()).start(), {
    message: /^Cannot send `target`, which captures `open`: it uses the private name #key outside/,
  });
});

test("an imported variable is seen as its module assigns it", async () => {
  const used = await new Process(() => {
    connect("there");
    connect("here");
    return [calls, connection?.to, { calls }.calls];
  })
    .start()
    .result();
  assert.deepEqual(used, [2, "here", 2]);
  assert.equal(calls, 0);
});
