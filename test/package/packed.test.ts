import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

// The packed package, installed in an empty project, as a newcomer has it.

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
let tarball = "";
const project = mkdtempSync(join(tmpdir(), "multiproc-packed-"));

function run(file: string, ...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...flags, file], { cwd: project, encoding: "utf8", timeout: 60_000 });
}

function program(name: string, code: string): string {
  writeFileSync(join(project, name), code);
  return name;
}

/** What such a program prints; it ends well, and complains of nothing. */
function outputOf(name: string, code: string): string {
  const { status, stdout, stderr } = run(program(name, code));
  assert.equal(stderr, "");
  assert.equal(status, 0);
  return stdout;
}

/** What the compiler says to a file, with strict settings and the package's own types checked, too. */
function typeErrors(file: string, module: string, resolution: string = module): string {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const flags = ["--noEmit", "--strict", "--target", "es2022", "--types", "node", "--skipLibCheck", "false"];
  const how = ["--module", module, "--moduleResolution", resolution];
  return spawnSync(process.execPath, [tsc, ...flags, ...how, file], { cwd: project, encoding: "utf8" }).stdout;
}

before(() => {
  const packed = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  tarball = join(project, filename);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "newcomer", private: true, type: "module" }));
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", `./${filename}`], {
    cwd: project,
    stdio: "ignore",
  });
  // Tools of the newcomer's that are installed here already.
  for (const tool of [
    "typescript",
    "tsx",
    "@types",
    "undici-types",
    "esbuild",
    "get-tsconfig",
    "resolve-pkg-maps",
    "@esbuild",
    "@typescript",
  ]) {
    if (!readdirSync(join(root, "node_modules")).includes(tool)) continue;
    symlinkSync(join(root, "node_modules", tool), join(project, "node_modules", tool));
  }
});

after(() => rmSync(project, { recursive: true, force: true }));

test("an ES module imports it, and a closure runs in another process", () => {
  const output = outputOf(
    "esm.mjs",
    `import { Process } from "multiproc";
     const factor = 3;
     const child = new Process((n) => n * factor, 14).start();
     console.log(await child.result(), await child.join());`,
  );
  assert.equal(output, "42 0\n");
});

test("a CommonJS module requires it, without a warning", () => {
  const output = outputOf(
    "cjs.cjs",
    `const { Process } = require("multiproc");
     const factor = 3;
     new Process((n) => n * factor, 14).start().result().then(console.log);`,
  );
  assert.equal(output, "42\n");
});

/** Gives what a child has inherited of compiled code: its length, and whether this V8 takes it. Needs `require`. */
const KEPT = `const { readSync } = require("node:fs");
  const { Script } = require("node:vm");
  const inspectKept = () => {
    const head = new Float64Array(3);
    readSync(7, head, 0, 24, 0);
    const [length, urlLength, sourceLength] = head;
    if (length === 0) return "none";
    const bytes = Buffer.alloc(length + urlLength + sourceLength);
    readSync(7, bytes, 0, bytes.length, 24);
    const cachedData = bytes.subarray(0, length);
    return new Script(bytes.toString("latin1", length + urlLength), { cachedData }).cachedDataRejected ? "other" : "kept";
  };`;

test("fresh processes take over compiled code from the second one, its own children do, too, and others do without", () => {
  const output = outputOf(
    "kept.cjs",
    `const { Lock, Process } = require("multiproc");
     ${KEPT}
     const lock = new Lock();
     const locked = (inner) => lock.useSync(() => inner());
     const run = async (target, options) => {
       const child = new Process({ target, method: "spawn", ...options }).start();
       console.log(await child.result(), await child.join());
     };
     (async () => {
       await run(inspectKept);
       await run(inspectKept);
       await run(() => locked(inspectKept));
       await run(() => new Process({ target: inspectKept, method: "spawn" }).start().result());
       await run(inspectKept, { execArgv: ["--expose-gc"] });
       await run(() => [typeof gc, new Lock() instanceof Lock], { execArgv: ["--expose-gc"] });
       await run(() => new Process({ target: () => { throw new TypeError("inner") }, method: "spawn", stdio: "ignore" })
         .start().result().catch((error) => error.name));
     })();`,
  );
  assert.equal(output, "none 0\nkept 0\nkept 0\nkept 0\nother 0\n[ 'function', true ] 0\nTypeError 0\n");
});

test("in a row of starts without a pause compiled code is kept, too", () => {
  const output = outputOf(
    "row-kept.cjs",
    `const { Process } = require("multiproc");
     ${KEPT}
     (async () => {
       const found = [];
       for (let i = 0; i < 8; i++) found.push(await new Process(inspectKept).start().result());
       console.log(found[0], found[7]);
     })();`,
  );
  assert.equal(output, "none kept\n");
});

test("a spare that waits keeps its compiled code for the processes after it", () => {
  const output = outputOf(
    "spare-kept.cjs",
    `const { Process } = require("multiproc");
     ${KEPT}
     (async () => {
       await new Process(() => {}).start().join();
       const { setTimeout: sleep } = require("node:timers/promises");
       let found = "none";
       for (let tries = 0; found === "none" && tries < 100; tries++) {
         await sleep(100);
         found = await new Process(inspectKept).start().result();
       }
       console.log(found);
     })();`,
  );
  assert.equal(output, "kept\n");
});

test("what a process imports of the package is imported again in processes that it starts, not copied", () => {
  const output = outputOf(
    "nested.mjs",
    `import { currentProcess, Process, TimeoutError } from "multiproc";
     const innermost = () => [currentProcess().name, new TimeoutError("x") instanceof TimeoutError];
     for (let i = 0; i < 3; i++) {
       const middle = async () => {
         const target = () => { currentProcess(); throw new TimeoutError("inner"); };
         const child = new Process({ target, stdio: "ignore" });
         const error = await child.start().result().catch((each) => each);
         const inner = new Process({ target: () => [...innermost(), currentProcess().name], method: "spawn" });
         return [error instanceof TimeoutError, ...(await inner.start().result())];
       };
       console.log((await new Process({ target: middle, method: "spawn" }).start().result()).join());
     }`,
  );
  assert.equal(output, [1, 2, 3].map((n) => `true,Process-${n}:2,true,Process-${n}:2\n`).join(""));
});

test("a TypeScript program type-checks against it and runs under tsx", () => {
  const file = program(
    "typed.ts",
    `import { Process } from "multiproc";
     const child = new Process((a: number, b: string) => b.repeat(a), 2, "ab").start();
     const result: string = await child.result();
     console.log(result);
     // @ts-expect-error: result() gives what the target returns
     const wrong: number = await child.result();
     void wrong;`,
  );
  assert.equal(typeErrors(file, "nodenext"), "");
  const { status, stdout, stderr } = run(file, "--import", "tsx");
  assert.equal(stderr, "");
  assert.equal(stdout, "abab\n");
  assert.equal(status, 0);
});

/** What a program uses of the package, with nothing left out of the bundle. */
const WHOLE = `
  import { Lock, Manager, Pool, Process, Queue, QueueEmptyError } from "multiproc";
  class NothingLeft extends QueueEmptyError {}
  class Job extends Process {
    constructor(n) { super(); this.n = n; }
    run() { return this.n * 2; }
  }
  async function main() {
    const queue = new Queue();
    const nothing = () => {
      if (queue.tryGet() === undefined) throw new NothingLeft("none");
    };
    const error = await new Process({ target: nothing, stdio: "ignore" }).start().result().catch((reason) => reason);
    const pool = new Pool(1);
    const nested = await pool.map((n) => new Process((m) => m + 1, n).start().result(), [1, 2]);
    await pool.close();
    const made = await new Process(() => new Lock()).start().result();
    const manager = await Manager.start();
    const list = await manager.list([1]);
    await new Process(() => list.push(2)).start().join();
    console.log(JSON.stringify([
      error instanceof NothingLeft, nested, await made.acquire(), await new Job(4).start().result(), await list.toArray(),
    ]));
    await manager[Symbol.asyncDispose]();
  }
  main();`;

for (const format of ["esm", "cjs"] as const) {
  test(`a bundle in ${format} that has the package in it works where the package is installed, and says so where it is not`, (t) => {
    const outfile = join(project, `bundle.${format === "esm" ? "mjs" : "cjs"}`);
    const stdin = { contents: WHOLE, resolveDir: project };
    for (const minify of [true, false]) {
      buildSync({
        stdin,
        outfile,
        bundle: true,
        platform: "node",
        target: "node20",
        format,
        minify,
        logLevel: "error",
      });
      const { stdout, stderr } = run(outfile);
      assert.equal(stderr, "");
      assert.equal(stdout, "[true,[2,3],true,8,[1,2]]\n");
    }
    const elsewhere = mkdtempSync(join(tmpdir(), "multiproc-bundle-"));
    t.after(() => rmSync(elsewhere, { recursive: true, force: true }));
    const moved = join(elsewhere, basename(outfile));
    copyFileSync(outfile, moved);
    const { status, stderr } = run(moved);
    assert.equal(status, 1);
    assert.match(stderr, /StateError: Cannot run multiproc from the bundle .*--external:multiproc/);
  });
}

for (const [module, resolution] of [
  ["node16", "node16"],
  ["nodenext", "nodenext"],
  ["esnext", "bundler"],
] as const) {
  test(`an ES module finds the types under moduleResolution ${resolution}`, () => {
    const code = `import { Pool } from "multiproc"; export const doubled: Promise<number[]> = new Pool().map((n: number) => 2 * n, [1]);`;
    assert.equal(typeErrors(program(`resolved-${resolution}.mts`, code), module, resolution), "");
  });
}

test("a CommonJS module finds the types", () => {
  const code = `import multiproc = require("multiproc");
    export const result: Promise<number> = new multiproc.Process((n: number) => 2 * n, 1).start().result();`;
  assert.equal(typeErrors(program("required.cts", code), "nodenext"), "");
});

test("publint finds nothing to complain of", async () => {
  const { publint } = await tool<{ publint(options: object): Promise<{ messages: unknown[] }> }>("publint");
  const { messages } = await publint({ pkgDir: join(project, "node_modules", "multiproc"), strict: true, pack: false });
  assert.deepEqual(messages, []);
});

test("the types are not wrong, in any way of resolving that the supported Nodes have", async () => {
  const attw = await tool<{
    createPackageFromTarballData(data: Uint8Array): unknown;
    checkPackage(checked: unknown): Promise<{ problems: { kind: string; resolutionKind?: string }[] }>;
  }>("@arethetypeswrong/core");
  const { problems } = await attw.checkPackage(attw.createPackageFromTarballData(readFileSync(tarball)));
  // An ES module only, which all supported Nodes can require.
  const counted = problems.filter(({ kind }) => kind !== "CJSResolvesToESM");
  assert.deepEqual(counted, []);
});

/** A tool that checks packages; its types are not needed for this. */
async function tool<T>(name: string): Promise<T> {
  return (await import(name)) as T;
}

test("it ships its types, its licence, the pages that its README leads to, and nothing else", () => {
  const installed = join(project, "node_modules", "multiproc");
  const top = readdirSync(installed).sort();
  const expected = ["CHANGELOG.md", "LICENSE", "README.md", "bench", "dist", "docs", "package.json", "src"];
  assert.deepEqual(top, expected);
  const { version } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { version: string };
  assert.match(version, /^\d+\.\d+\.\d+$/);
});
