import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

// Every ```ts block of the README and of docs/ is a program that must run as it stands. "```ts ignore" opts one out. What ```sh blocks
// run must be there, and links must lead somewhere.

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
// Inside the project, so that "multiproc" resolves to it as it does for its users.
const folder = join(root, "build", `doc-blocks-${process.pid}`);
const LIMIT_MS = 60_000;
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };
/** What npm does without a script of that name. */
const NPM_COMMANDS = new Set(["install", "pack"]);

interface Block {
  readonly line: number;
  readonly code: string;
}

function documents(): string[] {
  const pages = readdirSync(join(root, "docs"), { recursive: true }).map(String);
  return [
    "README.md",
    "CHANGELOG.md",
    ...pages.filter((name) => name.endsWith(".md")).map((name) => join("docs", name)),
  ];
}

const textOf = (document: string): string => readFileSync(join(root, document), "utf8");

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

function blocksOf(document: string, language: string): Block[] {
  const text = textOf(document);
  return [...text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\``, "gm"))].map((match) => ({
    line: lineAt(text, match.index) + 1,
    code: match[2] as string,
  }));
}

function titlesOf(document: string): string[] {
  const titles = [...textOf(document).matchAll(/^#+ (.+)$/gm)].map((match) => match[1] as string);
  // The anchors that GitHub gives them.
  return titles.map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

mkdirSync(folder, { recursive: true });
after(() => rmSync(folder, { recursive: true, force: true }));

for (const document of documents()) {
  for (const { line, code } of blocksOf(document, "ts")) {
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

  for (const { line, code } of blocksOf(document, "sh")) {
    test(`${document}:${line} runs what there is`, () => {
      for (const command of code.split(/\n|&&/).map((each) => each.trim())) {
        if (command === "" || command.startsWith("#")) continue;
        const [program, verb = "", name = ""] = command.split(/\s+/);
        if (program === "npm" && verb === "run") assert.ok(name in scripts, command);
        else if (program === "npm") assert.ok(verb in scripts || NPM_COMMANDS.has(verb), command);
        else if (program === "node") assert.ok(existsSync(join(root, verb)), command);
        else assert.fail(`Cannot check the command: ${command}`);
      }
    });
  }

  test(`the links of ${document} lead somewhere`, () => {
    const prose = textOf(document).replaceAll(/^ *```[\s\S]*?^ *```/gm, "");
    for (const [, target = ""] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? document : join(dirname(document), path);
      assert.ok(existsSync(join(root, file)), target);
      if (anchor !== undefined) assert.ok(titlesOf(file).includes(anchor), target);
    }
  });

  test(`the commands that ${document} mentions are there`, () => {
    for (const [, name = ""] of textOf(document).matchAll(/`npm run ([\w:-]+)/g)) assert.ok(name in scripts, name);
  });
}
