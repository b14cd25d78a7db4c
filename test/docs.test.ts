import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

// Every ```ts block of the README and of docs/ is a program that must run as it stands. "```ts ignore" opts one out.

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
// Inside the project, so that "multiproc" resolves to it as it does for its users.
const folder = join(root, "build", `doc-blocks-${process.pid}`);
const LIMIT_MS = 60_000;

function documents(): string[] {
  const pages = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
  return ["README.md", ...pages.map((name) => join("docs", name))];
}

function blocksOf(document: string): { line: number; code: string }[] {
  const text = readFileSync(join(root, document), "utf8");
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```/gm)].map((match) => ({
    line: text.slice(0, match.index).split("\n").length + 1,
    code: match[1] as string,
  }));
}

mkdirSync(folder, { recursive: true });
after(() => rmSync(folder, { recursive: true, force: true }));

for (const document of documents()) {
  for (const { line, code } of blocksOf(document)) {
    test(`${document}:${line} runs as it stands`, () => {
      const file = join(folder, `${document.replaceAll(/\W/g, "-")}-${line}.ts`);
      // Top-level await needs a module, which a block without import or export would not be.
      writeFileSync(file, `${code}\nexport {};\n`);
      const ran = spawnSync(process.execPath, ["--import", "tsx", file], {
        cwd: root,
        encoding: "utf8",
        timeout: LIMIT_MS,
        killSignal: "SIGKILL",
      });
      assert.equal(ran.status, 0, `${ran.stdout}\n${ran.stderr}`);
      // What a block says it prints, it prints: console.log(…); // 42
      for (const [, said] of code.matchAll(/console\.log\(.*\); \/\/ ([^,\n]+)/g)) {
        assert.ok(ran.stdout.includes((said as string).trim()), `prints "${said}", not:\n${ran.stdout}`);
      }
    });
  }
}
