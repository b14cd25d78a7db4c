/** A loader such as tsx makes one copy of the package for `import` and one for `require`: a program must not see that there are two. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Workspace } from "./workspace.ts";

const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;

/** What a program prints as JSON under tsx, which runs it in CommonJS. */
function run(name: string, program: string): unknown {
  const workspace = new Workspace(name, "cjs");
  workspace.write("main.ts", program);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ["--import", tsx, "main.ts"];
  const options = { cwd: workspace.folder, env, encoding: "utf8", timeout: 60_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}

test("a child knows who it is, and handles are of the classes that it imports", () => {
  const outcome = run(
    "copies-process",
    `
    import { Process, Queue, currentProcess, parentProcess } from "multiproc";
    class Job extends Process<unknown> {
      override run() { return [currentProcess().name, currentProcess() === this]; }
    }
    async function main() {
      const queue = new Queue<number>();
      const child = new Process(async () => {
        await queue.put(7);
        const inner = new Process(() => currentProcess().name).start();
        return [currentProcess().name, parentProcess()?.name, await inner.result(), queue instanceof Queue];
      });
      const seen = await child.start().result();
      console.log(JSON.stringify({ seen, got: await queue.get(), job: await new Job().start().result() }));
    }
    void main();
    `,
  );
  assert.deepEqual(outcome, {
    seen: ["Process-1", "MainProcess", "Process-1:1", true],
    got: 7,
    job: ["Job-2", true],
  });
});

test("a module that a received function uses is imported again where the function travels on", () => {
  const outcome = run(
    "copies-modules",
    `
    import { Process } from "multiproc";
    import * as all from "cjs-package";
    async function main() {
      const outer = new Process(() => {
        const inner = new Process(() => {
          const own = require("cjs-package");
          return [all.shout === own.shout, Object.keys(own).every((name) => (all as any)[name] === own[name])];
        });
        return inner.start().result();
      });
      console.log(JSON.stringify(await outer.start().result()));
    }
    void main();
    `,
  );
  assert.deepEqual(outcome, [true, true]);
});
