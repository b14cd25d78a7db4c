import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const url = new URL("../../src/index.js", import.meta.url).href;

function run(code: string, ...flags: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [...flags, "--input-type=module", "-e", code], {
    encoding: "utf8",
    timeout: 30_000,
  });
}

const FAKES: readonly [string, string, RegExp][] = [
  ["another system", `Object.defineProperty(process, "platform", { value: "sunos" })`, /Linux.*; this is sunos$/],
  ["another processor", `Object.defineProperty(process, "arch", { value: "mips" })`, /; this processor is mips$/],
  [
    "an old Node",
    `Object.defineProperty(process.versions, "node", { value: "18.20.4" })`,
    /; this is Node\.js 18\.20\.4$/,
  ],
  ["Bun", `Object.defineProperty(process.versions, "bun", { value: "1.3.0" })`, /; this is Bun 1\.3\.0$/],
  ["Deno", `Object.defineProperty(process.versions, "deno", { value: "2.5.0" })`, /; this is Deno 2\.5\.0$/],
];

for (const [what, fake, expected] of FAKES) {
  test(`importing it on ${what} gives one clear error`, () => {
    const { stdout, status } = run(
      `${fake}; await import(${JSON.stringify(url)}).catch((error) => console.log(error.name, error.code, error.message))`,
    );
    assert.equal(status, 0);
    assert.match(stdout.trim(), /^UnsupportedPlatformError ERR_UNSUPPORTED_PLATFORM multiproc supports/);
    assert.match(stdout.trim(), expected);
  });
}

test("importing it starts nothing and keeps nothing alive", () => {
  const { stdout, stderr, status } = run(
    `import { readdirSync } from "node:fs";
     await import(${JSON.stringify(url)});
     console.log(process.getActiveResourcesInfo().filter((name) => /Process|Timeout|Poll/.test(name)).length);`,
  );
  assert.equal(stderr, "");
  assert.equal(stdout, "0\n");
  assert.equal(status, 0);
});

test("a program without a main guard does not multiply itself", () => {
  const { stdout, status, stderr } = run(
    `import { Process } from ${JSON.stringify(url)};
     console.log("main runs");
     console.log(await new Process((n) => n + 1, 41).start().result());`,
  );
  assert.equal(stderr, "");
  assert.equal(stdout, "main runs\n42\n");
  assert.equal(status, 0);
});

test("a module that starts a process while it is imported does not multiply itself", () => {
  const module = new URL("../fixtures/starts-on-import.js", import.meta.url).href;
  const { stdout, status } = run(
    `const { child } = await import(${JSON.stringify(module)});
     console.log(await child.result().catch((error) => [error.code, error.message].join(" ")));
     console.log(await child.join());`,
  );
  assert.match(stdout, /^ERR_STATE Cannot start a process while a module that the target needs is being imported/);
  assert.equal(status, 0);
});

test("a module that imports the main file, which starts a process, is told what to do", () => {
  const folder = mkdtempSync(join(tmpdir(), "multiproc-circle-"));
  try {
    writeFileSync(join(folder, "used.mjs"), `import { k } from "./main.mjs"; export const use = (n) => n + k;`);
    writeFileSync(
      join(folder, "main.mjs"),
      `import { Process } from ${JSON.stringify(url)};
       import { use } from "./used.mjs";
       export const k = 1;
       const child = new Process({ target: () => use(1), stdio: "ignore" }).start();
       console.log(await child.result().catch((error) => error.message));`,
    );
    const { stdout } = spawnSync(process.execPath, [join(folder, "main.mjs")], { encoding: "utf8", timeout: 30_000 });
    assert.match(
      stdout,
      /being imported: it imports the main file, which .*; move what both need to a file of its own\n$/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a process that has very many ancestors starts none", () => {
  const { stdout, status } = run(
    `import { Process } from ${JSON.stringify(url)};
     Object.assign(process[Symbol.for("multiproc.inheritance")], { identity: Array(64).fill(1) });
     try { new Process(() => 1).start() } catch (error) { console.log(error.code, error.message) }`,
  );
  assert.match(stdout, /^ERR_STATE Cannot start a process: this one has 64 ancestors/);
  assert.equal(status, 0);
});

test("where addons are not allowed the first use says what is missing", () => {
  const { stdout } = run(
    `const { Process } = await import(${JSON.stringify(url)});
     try { new Process(() => 1).start() } catch (error) { console.log(error.code, error.message) }`,
    "--no-addons",
  );
  assert.match(stdout, /^ERR_UNSUPPORTED_PLATFORM .*--allow-addons.*--no-addons/);
});

for (const flag of ["--no-experimental-require-module", "--frozen-intrinsics"]) {
  test(`children work under ${flag}`, () => {
    const { stdout } = run(
      `const { Process } = await import(${JSON.stringify(url)});
       const factor = 6;
       class Named { get() { return factor; } }
       const child = new Process((n) => n * new Named().get(), 7).start();
       console.log(await child.result(), await child.join());`,
      flag,
    );
    assert.equal(stdout, "42 0\n");
  });
}

test("nothing shows on `process` when it is printed", () => {
  const { stdout } = run(
    `await import(${JSON.stringify(url)});
     const shown = Reflect.ownKeys(process).filter((key) => Object.prototype.propertyIsEnumerable.call(process, key));
     console.log(shown.filter((key) => String(key).includes("multiproc")).length);`,
  );
  assert.equal(stdout, "0\n");
});
