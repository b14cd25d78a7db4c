import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

test("with --enable-source-maps a child's stack names the source of a compiled file", () => {
  const folder = mkdtempSync(join(tmpdir(), "multiproc-maps-"));
  try {
    const program = [
      `import { Process } from ${JSON.stringify(new URL("../../src/index.js", import.meta.url).href)};`,
      `function boom() { throw new TypeError("boom"); }`,
      `const child = new Process({ target: boom, stdio: "ignore" }).start();`,
      `child.result().catch((error) => console.log(error.stack));`,
      `//# sourceMappingURL=program.mjs.map`,
    ];
    // Line n of the program is line n + 10 of the source.
    const map = { version: 3, sources: ["program.mts"], names: [], mappings: "AAUA;AACA;AACA;AACA" };
    writeFileSync(join(folder, "program.mjs"), program.join("\n"));
    writeFileSync(join(folder, "program.mjs.map"), JSON.stringify(map));
    const flags = ["--enable-source-maps", join(folder, "program.mjs")];
    const printed = execFileSync(process.execPath, flags, { encoding: "utf8", timeout: 20_000 });
    assert.match(printed, /at boom \(.*program\.mts:12:/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
