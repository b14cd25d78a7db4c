import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
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

test("what a child prints of its last error names the source, too, also a child of a child, and when node prints it", () => {
  const folder = mkdtempSync(join(tmpdir(), "multiproc-maps-"));
  try {
    const program = [
      `import { Process } from ${JSON.stringify(new URL("../../src/index.js", import.meta.url).href)};`,
      `function boom() { throw new TypeError("boom", { cause: new Error("why") }); }`,
      `await new Process(boom).start().join();`,
      `await new Process(() => void setTimeout(() => boom(), 1)).start().join();`,
      `await new Process(() => new Process(boom).start().join()).start().join();`,
      `new Process(boom).start().joinSync();`,
      `//# sourceMappingURL=program.mjs.map`,
    ];
    const map = { version: 3, sources: ["program.mts"], names: [], mappings: "AAUA;AACA;AACA;AACA;AACA;AACA" };
    writeFileSync(join(folder, "program.mjs"), program.join("\n"));
    writeFileSync(join(folder, "program.mjs.map"), JSON.stringify(map));
    const { stderr } = spawnSync(process.execPath, ["--enable-source-maps", join(folder, "program.mjs")], {
      encoding: "utf8",
      timeout: 30_000,
    });
    const places = stderr.match(/at boom \(.*/g) ?? [];
    assert.equal(places.length, 8, stderr);
    for (const place of places) assert.match(place, /program\.mts:12:/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a child does not wait for a parent that is busy to say where in the source an error is", () => {
  const folder = mkdtempSync(join(tmpdir(), "multiproc-maps-"));
  try {
    const program = [
      `import { Process } from ${JSON.stringify(new URL("../../src/index.js", import.meta.url).href)};`,
      `import { existsSync, readFileSync } from "node:fs";`,
      `const child = new Process({ target: () => { throw new TypeError("boom"); }, stdio: ["ignore", "ignore", "inherit"] }).start();`,
      `const isGone = () => !existsSync(\`/proc/\${child.pid}\`) || /^State:\\s*Z/m.test(readFileSync(\`/proc/\${child.pid}/status\`, "utf8"));`,
      `while (!isGone());`,
      `console.log(await child.join());`,
      `//# sourceMappingURL=program.mjs.map`,
    ];
    writeFileSync(join(folder, "program.mjs"), program.join("\n"));
    writeFileSync(
      join(folder, "program.mjs.map"),
      JSON.stringify({ version: 3, sources: ["program.mts"], names: [], mappings: "AAUA;AACA;AACA;AACA;AACA;AACA" }),
    );
    const { stdout, stderr } = spawnSync(process.execPath, ["--enable-source-maps", join(folder, "program.mjs")], {
      encoding: "utf8",
      timeout: 30_000,
    });
    assert.equal(stdout, "1\n");
    assert.match(stderr, /TypeError: boom\n\s+at .*program\.mjs:3:/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
