import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

// What the main file defines is copied, exported or not: importing it in a child would run the program again.

const url = new URL("../../src/index.js", import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "multiproc-main-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const PROGRAM = `
  console.log("main runs");
  const one = 1;
  const own = (n) => n + one;
  exports.own = own;
  import(${JSON.stringify(url)}).then(async ({ Process }) => console.log(await new Process(own, 41).start().result()));
`;

writeFileSync(join(folder, "app.js"), PROGRAM);
mkdirSync(join(folder, "parts"));
writeFileSync(join(folder, "parts", "index.js"), PROGRAM);
symlinkSync(join(folder, "app.js"), join(folder, "link.js"));
symlinkSync(folder, join(folder, "twin"));

for (const entry of ["app.js", "./parts/../app.js", "app", "parts", "link.js", "twin/app.js"]) {
  test(`the main file is known when it is named ${entry}`, () => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [entry], {
      cwd: folder,
      encoding: "utf8",
      timeout: 30_000,
    });
    assert.equal(stderr, "");
    assert.equal(stdout, "main runs\n42\n");
    assert.equal(status, 0);
  });
}
