/** The contract of processes. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import {
  activeChildren,
  cpuCount,
  currentProcess,
  getAllStartMethods,
  getContext,
  getStartMethod,
  parentProcess,
  Pipe,
  Process,
  ProcessDiedError,
  setStartMethod,
  StateError,
  wait,
  waitSync,
} from "multiproc";
import { eachMethod } from "./each-method.ts";

const forever = (): unknown => setInterval(() => {}, 1000);

eachMethod("a target's value arrives", async ({ Process: P }) => {
  assert.equal(await new P((a: number, b: number) => a + b, 20, 22).start().result(), 42);
});

eachMethod("the short form and the form with options are the same thing", async ({ Process: P }) => {
  const repeat = (n: number, text: string): string => text.repeat(n);
  const [short, long] = [new P(repeat, 2, "ab"), new P({ target: repeat, args: [2, "ab"] })];
  assert.deepEqual(await Promise.all([short.start().result(), long.start().result()]), ["abab", "abab"]);
});

eachMethod("a subclass says what to do in run()", async ({ Process: P }) => {
  class Job extends P<number> {
    readonly n: number;
    constructor(n: number) {
      super();
      this.n = n;
    }
    override run(): number {
      return this.n * 2;
    }
  }
  assert.equal(await new Job(21).start().result(), 42);
});

eachMethod("join() gives the exit code, 0 when all went well", async ({ Process: P }) => {
  assert.equal(await new P(() => {}).start().join(), 0);
});

eachMethod("process.exit(n) gives exit code n, and result() rejects with ProcessDiedError", async ({ Process: P }) => {
  const child = new P(() => process.exit(7)).start();
  await assert.rejects(child.result(), (error: unknown) => error instanceof ProcessDiedError && error.exitCode === 7);
  assert.equal(await child.join(), 7);
});

eachMethod(
  "an error arrives with class, message, own properties and cause; the exit code is 1",
  async ({ Process: P }) => {
    class Refusal extends RangeError {
      readonly n: number;
      constructor(n: number, options: ErrorOptions) {
        super(`Cannot do ${n}`, options);
        this.n = n;
      }
    }
    const target = (): never => {
      throw new Refusal(3, { cause: new TypeError("deep") });
    };
    const child = new P({ target, stdio: "ignore" }).start();
    const error = await child.result().catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Refusal && error.cause instanceof TypeError);
    assert.deepEqual([error.message, error.n], ["Cannot do 3", 3]);
    assert.match(error.stack as string, /target/);
    assert.equal(await child.join(), 1);
  },
);

eachMethod("what was thrown and is no Error arrives as it was", async ({ Process: P }) => {
  const target = (): never => {
    // oxlint-disable-next-line no-throw-literal
    throw { code: 5 };
  };
  await assert.rejects(new P({ target, stdio: "ignore" }).start().result(), (thrown) => {
    assert.deepEqual(thrown, { code: 5 });
    return true;
  });
});

eachMethod("kill() ends it by SIGKILL: exit code -9, and the error says pid and signal", async ({ Process: P }) => {
  const child = new P(forever).start();
  child.kill();
  const error = await child.result().catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ProcessDiedError);
  assert.deepEqual([error.pid, error.signal], [child.pid, "SIGKILL"]);
  assert.equal(await child.join(), -9);
  assert.equal(child.exitCode, -9);
});

eachMethod("terminate() ends it by SIGTERM: exit code -15", async ({ Process: P }) => {
  const child = new P(forever).start();
  child.terminate();
  assert.equal(await child.join(), -15);
});

eachMethod("the blocking twins give the same", ({ Process: P }) => {
  const child = new P((n: number) => n + 1, 1).start();
  assert.equal(child.resultSync(), 2);
  assert.equal(child.joinSync(), 0);
});

test("join() gives null when the time runs out; the process goes on", async () => {
  const child = new Process(forever).start();
  assert.equal(await child.join({ timeout: 1 }), null);
  assert.equal(await child.join({ timeout: 0 }), null);
  assert.ok(child.isAlive());
  assert.equal(child.exitCode, null);
  child.kill();
  await child.join();
  assert.ok(!child.isAlive());
});

test("an aborted wait rejects with the signal's reason", async () => {
  await using child = new Process(forever).start();
  const reason = new Error("enough");
  await assert.rejects(child.join({ signal: AbortSignal.abort(reason) }), reason);
  child.kill();
});

test("aborting the signal of a process ends it, and its result rejects with the reason", async () => {
  const abort = new AbortController();
  const child = new Process({ target: forever, signal: abort.signal }).start();
  abort.abort(new Error("not needed"));
  await assert.rejects(child.result(), /not needed/);
});

test("before the start there is no pid; joining then, starting twice, closing while it runs are StateErrors", async () => {
  const child = new Process(forever);
  assert.equal(child.pid, undefined);
  await assert.rejects(async () => child.join(), StateError);
  child.start();
  assert.throws(() => child.start(), StateError);
  assert.throws(() => child.close(), StateError);
  child.kill();
  await child.join();
  child.close();
  assert.throws(() => child.exitCode, StateError);
});

test("a process has a name, and says who it is and who its parent is", async () => {
  const who = (): unknown[] => [currentProcess().name, currentProcess().pid === process.pid, parentProcess()?.pid];
  assert.deepEqual(await new Process({ target: who, name: "worker" }).start().result(), ["worker", true, process.pid]);
  assert.equal(parentProcess(), null);
  const nested = new Process(() => new Process(() => currentProcess().name).start().result()).start();
  assert.equal(await nested.result(), `${nested.name}:1`);
});

test("a daemon may have children, and none keeps its parent alive", async () => {
  const target = (): Promise<number> => new Process(() => 5).start().result();
  assert.equal(await new Process({ target, daemon: true }).start().result(), 5);
});

test("activeChildren() are those that run", async () => {
  const child = new Process(forever).start();
  assert.ok(activeChildren().includes(child));
  child.kill();
  await child.join();
  assert.ok(!activeChildren().includes(child));
});

test("options say where it works, in which environment, with which flags and streams", async () => {
  const child = new Process({
    target: () => console.log(process.cwd(), process.env["COLOUR"], process.execArgv.includes("--no-deprecation")),
    cwd: "/",
    env: { ...process.env, COLOUR: "red" },
    execArgv: ["--no-deprecation"],
    stdio: ["ignore", "pipe", "inherit"],
  }).start();
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  assert.equal(String(line), "/ red true\n");
  await child.join();
});

test("streams of a child can be pipes", async () => {
  const target = (): void => void process.stdin.pipe(process.stderr);
  const child = new Process({ target, stdio: "pipe" }).start();
  (child.stdin as NodeJS.WritableStream).end("there and back");
  assert.equal(await text(child.stderr as NodeJS.ReadableStream), "there and back");
  assert.equal(await child.join(), 0);
});

test("a child sees process.env as it was at start()", async () => {
  process.env["SEASON"] = "summer";
  const child = new Process(() => process.env["SEASON"]).start();
  process.env["SEASON"] = "winter";
  assert.equal(await child.result(), "summer");
  delete process.env["SEASON"];
});

test("pending timers keep a child alive after its target has returned", async () => {
  const [here, there] = Pipe<string>();
  const child = new Process(() => void setTimeout(() => there.sendSync("later"), 20)).start();
  assert.equal(await here.recv(), "later");
  assert.equal(await child.join(), 0);
});

test("wait() gives the very objects that are ready, [] when the time ran out", async () => {
  const [here, there] = Pipe<number>();
  const child = new Process(forever).start();
  assert.deepEqual(await wait([here, child], { timeout: 1 }), []);
  await there.send(1);
  assert.deepEqual(await wait([here, child.sentinel]), [here]);
  await here.recv();
  child.kill();
  assert.deepEqual(await wait([here, child]), [child]);
  assert.deepEqual(waitSync([child.sentinel]), [child.sentinel]);
  await child.join();
});

test("cpuCount() is a whole number of processors", () => {
  assert.ok(Number.isInteger(cpuCount()) && cpuCount() >= 1);
});

test("start methods: spare is the default, forkserver its alias, and there is no fork", () => {
  assert.equal(getStartMethod(), "spare");
  assert.deepEqual([...getAllStartMethods()].sort(), ["forkserver", "spare", "spawn"]);
  assert.throws(() => setStartMethod("fork" as never), /fork/);
  assert.equal(getContext("spawn").getStartMethod(), "spawn");
  assert.throws(() => getContext("thread" as never), RangeError);
});

test("bad arguments are refused at once, with a code", () => {
  for (const wrong of [
    { target: 5 },
    { args: 5 },
    { name: 5 },
    { daemon: "yes" },
    { cwd: 5 },
    { maxMemory: -1 },
    { unknown: 1 },
  ]) {
    assert.throws(
      () => new Process({ target: () => {}, ...wrong } as never),
      (error: unknown) => (error instanceof TypeError || error instanceof RangeError) && "code" in error,
      JSON.stringify(wrong),
    );
  }
  assert.throws(() => new Process({ target: () => {}, cwd: "/there/is/no/such/folder" }).start());
});
