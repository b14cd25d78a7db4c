import assert from "node:assert/strict";
import * as facade from "../../src/index.ts";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  activeChildren,
  getContext,
  Process,
  setStartMethod,
  getStartMethod,
  getAllStartMethods,
  wait,
  waitSync,
} from "../../src/index.ts";
import { childrenOf } from "../helpers/program.ts";

type AnyOptions = Record<string, unknown>;

function make(options: AnyOptions): Process {
  return new Process(options as never);
}

const TYPE = { name: "TypeError", code: "ERR_INVALID_ARG_TYPE" };
const RANGE = { name: "RangeError", code: "ERR_OUT_OF_RANGE" };

const REFUSED: readonly [string, AnyOptions, object][] = [
  ["a target that is no function", { target: 42 }, { ...TYPE, message: /^target must be a function, not 42$/ }],
  ["args that are not iterable", { target() {}, args: 5 }, { ...TYPE, message: /^args must be an array/ }],
  ["args that are one text", { target() {}, args: "Bob" }, { ...TYPE, message: /^args must be an array/ }],
  ["a name that is no text", { name: 1 }, { ...TYPE, message: /^name must be a string/ }],
  ["a daemon that is no truth", { daemon: "yes" }, { ...TYPE, message: /^daemon must be/ }],
  [
    "a cwd that does not exist",
    { cwd: "/no/such/folder" },
    { ...RANGE, message: /^cwd must be a directory that exists/ },
  ],
  ["a cwd that is a file", { cwd: process.execPath }, { ...RANGE, message: /^cwd must be a directory/ }],
  ["a cwd that is no path", { cwd: 5 }, { ...TYPE, message: /^cwd must be a path/ }],
  ["a cwd elsewhere", { cwd: new URL("http://localhost/") }, { ...RANGE, message: /^cwd must be a path/ }],
  ["an env that is no object", { env: [] }, { ...TYPE, message: /^env must be an object/ }],
  ["a variable that is no text", { env: { A: 1 } }, { ...TYPE, message: /^env\.A must be a string, not 1$/ }],
  ["an env that is a Map", { env: new Map([["A", "1"]]) }, { ...TYPE, message: /^env must be an object/ }],
  ["a variable that no system can have", { env: { "A=B": "1" } }, { ...RANGE, message: /^a name in env must be/ }],
  ["a variable without a name", { env: { "": "1" } }, { ...RANGE, message: /^a name in env must be not empty/ }],
  ["an unknown stdio", { stdio: "out" }, { ...TYPE, message: /^stdio must be/ }],
  ["an unknown stdio of one stream", { stdio: ["inherit", "ipc"] }, { ...TYPE, message: /^stdio\[1\] must be/ }],
  ["a descriptor that is not open", { stdio: 987 }, { ...RANGE, message: /^stdio must be a descriptor that is open/ }],
  ["too many streams", { stdio: ["pipe", "pipe", "pipe", "pipe"] }, { ...RANGE, message: /^stdio must be/ }],
  ["flags that are no list", { execArgv: "--expose-gc" }, { ...TYPE, message: /^execArgv must be an array/ }],
  ["flags with code to run", { execArgv: ["-e", "1"] }, { ...RANGE, message: /^execArgv must be flags.*'-e'$/ }],
  ["flags with which node says something", { execArgv: ["--version"] }, { ...RANGE, message: /'--version'$/ }],
  ["a memory of nothing", { maxMemory: 0 }, { ...RANGE, message: /^maxMemory must be an integer/ }],
  ["a memory that is no number", { maxMemory: "1g" }, { ...TYPE, message: /^maxMemory must be an integer/ }],
  ["a signal that is none", { signal: "SIGTERM" }, { ...TYPE, message: /^signal must be an AbortSignal/ }],
  ["an unknown start method", { method: "vfork" }, { ...RANGE, message: /^method must be one of/ }],
  ["fork", { method: "fork" }, { ...RANGE, message: /fork.*random numbers/ }],
  ["an unknown option", { targte() {} }, { name: "TypeError", code: "ERR_UNKNOWN_OPTION", message: /"targte"/ }],
];

for (const [what, options, expected] of REFUSED) {
  test(`a process refuses ${what}`, () => {
    assert.throws(() => make(options), expected);
  });
}

test("what is no function and no options is refused", () => {
  for (const wrong of [42, "x", null, true, new Date(), new Map(), Promise.resolve()]) {
    assert.throws(() => new Process(wrong as never), { ...TYPE, message: /^target must be a function, or an object/ });
  }
});

test("a target that turned out undefined is refused when it has arguments", () => {
  const absent = undefined as unknown as (n: number) => void;
  assert.throws(() => new Process(absent, 1), { ...TYPE, message: /^target must be a function/ });
});

test("what cannot travel is refused by name and path at start, and nothing is left behind", () => {
  const context = { deep: { map: new WeakMap() } };
  const child = new Process(() => context);
  const before = childrenOf(process.pid).length;
  assert.throws(() => child.start(), { code: "ERR_SERIALIZATION", message: /context\.deep\.map.*WeakMap/ });
  assert.throws(() => new Process((value: unknown) => value, { socket: new WeakSet() }).start(), {
    code: "ERR_SERIALIZATION",
    message: /args\[0\]\.socket/,
  });
  assert.equal(child.isAlive(), false);
  assert.equal(child.pid, undefined);
  assert.deepEqual(activeChildren(), []);
  assert.ok(childrenOf(process.pid).length <= before);
});

test("an environment with a null byte is refused by every start method", () => {
  assert.throws(() => new Process({ target: () => 1, env: { A: "a\0b" } }), { ...TYPE, message: /env\.A/ });
});

test("an array in place of a target is refused", () => {
  assert.throws(() => new Process([] as never), TYPE);
});

test("a subclass whose private members cannot be read is refused", () => {
  class Secret extends Process {
    #hidden = 1;
    override run(): number {
      return this.#hidden;
    }
  }
  assert.throws(() => new Secret().start(), { code: "ERR_SERIALIZATION", message: /private/ });
});

test("start methods: the default, its alias, and a refusal with the reason", () => {
  assert.equal(getStartMethod(), "spare");
  assert.deepEqual(getAllStartMethods(), ["spare", "spawn", "forkserver"]);
  assert.throws(() => setStartMethod("fork" as never), { ...RANGE, message: /random numbers/ });
  assert.throws(() => getContext("nonsense" as never), RANGE);
  assert.throws(() => getContext(5 as never), TYPE);
});

test("every start method gives the same, and children start as they were started", async () => {
  for (const method of getAllStartMethods()) {
    const { Process: Bound, getStartMethod: methodOf } = getContext(method);
    assert.equal(methodOf(), method);
    const captured = { method };
    const child = new Bound((n: number) => [captured.method, n, getStartMethod()], 2).start();
    assert.match(child.name, /^Process-\d+$/);
    assert.ok(child instanceof Process);
    assert.deepEqual(await child.result(), [method, 2, method]);
    assert.equal(await child.join(), 0);
  }
});

test("a context has all names of the façade, and its Pool and Manager start by its method", async () => {
  const context = getContext("spawn");
  const apart = ["getContext", "setStartMethod"];
  assert.deepEqual(
    Object.keys(facade).filter((name) => !(name in context)),
    apart,
  );
  await using pool = new context.Pool(1);
  assert.ok(pool instanceof facade.Pool);
  assert.equal(await pool.apply(() => getStartMethod()), "spawn");
  await using manager = await context.Manager.start();
  assert.ok(manager instanceof facade.Manager);
  class Asked {
    method(): string {
      return getStartMethod();
    }
  }
  assert.equal(await (await manager.create(Asked)).method(), "spawn");
  assert.equal(new context.Lock() instanceof facade.Lock, true);
});

test("maxMemory is for the process alone: its children have the flags that were given to the program", async () => {
  const limits = await new Process({
    target: async () => {
      const limit = (): string | undefined => process.execArgv.find((flag) => flag.startsWith("--max-old-space-size"));
      return [limit(), await new Process(limit).start().result()];
    },
    maxMemory: 200 * 2 ** 20,
  })
    .start()
    .result();
  assert.deepEqual(limits, ["--max-old-space-size=200", undefined]);
});

test("a subclass of a context's Process is started by that method", async () => {
  const context = getContext("spawn");
  class Job extends context.Process<string> {
    override run(): string {
      return `${this.name} ${getStartMethod()}`;
    }
  }
  assert.match(await new Job().start().result(), /^Job-\d+ spawn$/);
});

test("cwd: a path or a URL, checked again at start", async () => {
  const here = process.cwd();
  for (const cwd of ["/", pathToFileURL("/")]) {
    for (const method of ["spawn", "spare"] as const) {
      assert.equal(await new Process({ target: () => process.cwd(), cwd, method }).start().result(), "/");
    }
  }
  assert.equal(await new Process(() => process.cwd()).start().result(), here);
  process.chdir("/");
  try {
    assert.equal(await new Process(() => process.cwd()).start().result(), "/");
  } finally {
    process.chdir(here);
  }
});

test("env replaces the environment; without it a child sees it as it is at start", async () => {
  const all = (): NodeJS.ProcessEnv => ({ ...process.env });
  for (const method of ["spawn", "spare"] as const) {
    const child = new Process({ target: all, env: { ONLY: "this", UNSET: undefined }, method }).start();
    assert.deepEqual(await child.result(), { ONLY: "this" });
    process.env["MULTIPROC_LATE"] = method;
    const late = new Process({ target: all, method }).start();
    delete process.env["MULTIPROC_LATE"];
    assert.deepEqual(await late.result(), { ...process.env, MULTIPROC_LATE: method });
    assert.equal((await new Process({ target: all, method }).start().result())["MULTIPROC_LATE"], undefined);
  }
});

test("stdio: pipes, files and nothing", async () => {
  const shout = async (): Promise<void> => {
    for await (const chunk of process.stdin) process.stdout.write(String(chunk).toUpperCase());
    process.stderr.write("said");
  };
  const child = new Process({ target: shout, stdio: "pipe" }).start();
  child.stdin?.end("hello");
  const read = async (stream: AsyncIterable<Buffer> | null): Promise<string> => {
    let text = "";
    for await (const chunk of stream ?? []) text += chunk.toString();
    return text;
  };
  assert.deepEqual(await Promise.all([read(child.stdout), read(child.stderr)]), ["HELLO", "said"]);
  assert.equal(await child.join(), 0);

  const silent = new Process({ target: () => console.log("unheard"), stdio: "ignore" }).start();
  assert.equal(silent.stdout, null);
  assert.equal(await silent.join(), 0);
});

test("output is flushed before a child ends, however it ends", async () => {
  for (const end of ["return", "exit", "throw"]) {
    const child = new Process({
      target: (how: string) => {
        process.stdout.write("x".repeat(1 << 20));
        if (how === "exit") process.exit(0);
        if (how === "throw") throw new Error("thrown");
      },
      args: [end],
      stdio: ["ignore", "pipe", "ignore"],
    }).start();
    let bytes = 0;
    for await (const chunk of child.stdout ?? []) bytes += (chunk as Buffer).length;
    assert.equal(bytes, 1 << 20);
    assert.equal(await child.join(), end === "throw" ? 1 : 0);
  }
});

test("execArgv and maxMemory reach the child", async () => {
  const child = new Process({
    target: () => [process.execArgv, typeof (globalThis as { gc?: unknown }).gc],
    execArgv: ["--expose-gc"],
  }).start();
  assert.deepEqual(await child.result(), [["--expose-gc"], "function"]);
  const limited = new Process({
    target: async () => (await import("node:v8")).getHeapStatistics().heap_size_limit,
    maxMemory: 100 * 2 ** 20,
  }).start();
  const limit = await limited.result();
  assert.ok(limit >= 100 * 2 ** 20 && limit < 400 * 2 ** 20, String(limit));
});

test("a child has the arguments of the program", async () => {
  assert.deepEqual(await new Process(() => process.argv).start().result(), process.argv);
});

test("a child may set a long process.title", async () => {
  const title = "a title that is longer than the word node ".repeat(2);
  for (const method of ["spawn", "spare"] as const) {
    const child = new Process({
      target: (text: string) => (process.title = text) && process.title,
      args: [title],
      method,
    });
    assert.equal(await child.start().result(), title);
  }
});

test("wait gives the very objects that are ready, or none when the time runs out", async () => {
  const forever = (): Promise<never> => new Promise(() => setInterval(() => {}, 1000));
  const [slow, quick] = [new Process(forever).start(), new Process(() => {}).start()];
  assert.deepEqual(await wait([slow, quick]), [quick]);
  assert.deepEqual(await wait([slow.sentinel, quick.sentinel]), [quick.sentinel]);
  assert.deepEqual(await wait([slow], { timeout: 0 }), []);
  assert.deepEqual(await wait([slow], { timeout: 10 }), []);
  assert.deepEqual(await wait([]), []);
  await assert.rejects(wait([slow], { signal: AbortSignal.timeout(5) }), { name: "TimeoutError" });
  await assert.rejects(wait([5 as never]), { ...TYPE, message: /^objects\[0\] must be/ });
  await assert.rejects(wait(5 as never), TYPE);
  slow.kill();
  assert.deepEqual(
    await wait([slow, quick]),
    [slow, quick].filter((child) => !child.isAlive()),
  );
  await slow.join();
});

test("waitSync does the same while the event loop is blocked", () => {
  const forever = (): Promise<never> => new Promise(() => setInterval(() => {}, 1000));
  const [slow, quick] = [new Process(forever).start(), new Process(() => {}).start()];
  assert.deepEqual(waitSync([slow, quick]), [quick]);
  assert.deepEqual(waitSync([slow.sentinel], { timeout: 10 }), []);
  assert.deepEqual(waitSync([slow], { timeout: 0 }), []);
  assert.throws(() => waitSync([slow], { signal: AbortSignal.abort(new Error("no")) }), /no/);
  assert.throws(() => waitSync([{} as never]), TYPE);
  slow.kill();
  assert.deepEqual(waitSync([slow]), [slow]);
});
