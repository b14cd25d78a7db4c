// Builds the package into dist. tsc makes the types, a file each; rolldown joins the JavaScript to a few files, since every ES
// module costs 0.3 ms and more to load and there are over two hundred: importing the package as single files took 90 ms,
// like this 25. Each module stands in one file only, so no process has a second copy of any state.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** Between these stands the script; entry/child.cts looks for them. */
const SCRIPT_START = "/*script*/";
const SCRIPT_END = "/*end*/";
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const require = createRequire(import.meta.url);
const tsc = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
const { dependencies } = require("../package.json");

/** What is loaded by address (see src/core/own-modules.ts), and what a child loads only when it must. */
const ENTRIES = [
  "entry/run-child",
  "entry/rehearse",
  "codec/encode",
  "codec/index",
  "pool/worker-loop",
  "manager/serve",
];

/**
 * Which file has a module: that of the first of these that needs it. A child loads the first alone, with results the second; a
 * pool's worker the third as well; with functions in results the fourth, and a manager's process the fifth.
 */
const GROUPS = ["entry/run-child", "codec/encode", "pool/worker-loop", "codec/index", "manager/serve", "index"];

/** What a worker and the analysis of functions both need stands where neither has to load the other for it. */
const WITH_ENCODER = ["core/options", "core/open-file"];

/** CommonJS, which loads the others; stays as tsc made it. */
const LAUNCHER = join("entry", "child.cjs");

/** What every child loads: as a script where V8's compiled code of it is kept, as a module by everybody else. */
const CHILD = "entry/run-child.js";

export function compile(project) {
  const { status } = spawnSync(process.execPath, [tsc, "-p", join(root, project)], { stdio: "inherit", cwd: root });
  if (status !== 0) process.exit(status ?? 1);
}

function sourceOf(entry) {
  return join(root, "src", `${entry}.ts`);
}

/** The façade is a file of its own: it must export what it says, while the others may export more to each other. */
const facade = {
  name: "facade",
  buildStart() {
    this.emitFile({ type: "chunk", id: sourceOf("index"), fileName: "index.js", preserveSignature: "strict" });
  },
};

async function bundle() {
  const modules = await rolldown({
    cwd: root,
    input: Object.fromEntries(ENTRIES.map((entry) => [entry, sourceOf(entry)])),
    platform: "node",
    external: [/^node:/, ...Object.keys(dependencies)],
    preserveEntrySignatures: "allow-extension",
    plugins: [facade],
    // The manager imports the pool late, to load it late where a file is a module, as in the tests.
    checks: { ineffectiveDynamicImport: false },
  });
  const { output } = await modules.write({
    dir: dist,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name].js",
    sourcemap: true,
    comments: false,
    codeSplitting: {
      groups: GROUPS.map((entry, i) => ({
        name: entry === "index" ? "main" : entry,
        test: (id) =>
          id === sourceOf(entry) || (entry === "codec/encode" && WITH_ENCODER.some((each) => id === sourceOf(each))),
        priority: GROUPS.length - i,
      })),
    },
  });
  const files = output.map(({ fileName }) => fileName);
  for (const name of files.filter((each) => each.endsWith(".js"))) {
    const file = join(dist, name);
    const code = asciiOnly(loadBuiltinsDirectly(readFileSync(file, "utf8")));
    writeFileSync(file, name === CHILD ? alsoAsScript(code) : code);
  }
  return new Set(files);
}

/**
 * An import of a builtin makes an ES module of it, for 0.3 ms each; asked for directly it costs nothing. What is imported for its
 * effects only was left over by the bundler. Every line stays where it is, so the source maps hold.
 */
function loadBuiltinsDirectly(code) {
  return code
    .replace(/^import "node:\w+";$/gm, ";")
    .replace(/^import (.+) from "(node:[\w/]+)";$/gm, (_line, what, builtin) => declarationOf(what, builtin));
}

/** One other character, which can only stand in a string, and V8 keeps and scans the whole file at two bytes a character. */
function asciiOnly(code) {
  const escaped = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return code.replace(/\P{ASCII}/gu, (character) => character.split("").map(escaped).join(""));
}

/**
 * Makes a module of which all but the last lines are a script, a function that gives what a child starts with and, for who asks,
 * all that is exported: entry/child.cts runs that, with compiled code that a process before has left, which modules cannot have. A
 * module that is imported afterwards finds it.
 */
function alsoAsScript(code) {
  const [, body, exported, rest] = /^([^]*)\nexport \{ (.+) \};\n([^]*)$/.exec(code);
  const pairs = exported.split(", ").map((each) => each.split(" as "));
  const script = body.replaceAll("await import(", "await importModule(").replace("import.meta.url", "moduleUrl");
  checkScript(script, pairs);
  const inside = pairs.map(([local, name = local]) => `${name}: ${local}`).join(", ");
  const names = pairs.map(([local, name = local]) => name).join(", ");
  // Every line stays where it is, for the source map.
  return `export const { ${names} } = (process[Symbol.for("multiproc.script")]?.[import.meta.url] ?? (${SCRIPT_START}(moduleUrl, importModule) => { "use strict"; ${script}
return { runChild, everything: () => ({ ${inside} }) }; }${SCRIPT_END})(import.meta.url, (url) => import(url)).everything)();
${rest}`;
}

/** @throws What cannot be both: another file's values, values that change, and what only modules have. */
function checkScript(script, exported) {
  const variables = new Set(Array.from(script.matchAll(/^let ([\w$]+)/gm), ([, name]) => name));
  const changing = exported.map(([local]) => local).filter((local) => variables.has(local));
  const foreign = script.split("\n").filter((line) => /^import\b|^[^"]*\bimport(\(|\.meta)/.test(line));
  const wrong = [...changing, ...foreign];
  if (wrong.length > 0) throw new Error(`${CHILD} is no script: ${wrong.join(", ")}`);
}

function declarationOf(what, builtin) {
  const [, whole, names] = /^(?:(?:\* as )?([\w$]+))?(?:, )?(?:(\{.+\}))?$/.exec(what);
  const module = `process.getBuiltinModule("${builtin}")`;
  const declarations = [];
  if (whole !== undefined) declarations.push(`${whole} = ${module}`);
  if (names !== undefined) declarations.push(`${names.replaceAll(" as ", ": ")} = ${whole ?? module}`);
  return `const ${declarations.join(", ")};`;
}

/** Takes away what tsc made and the bundle has taken in. */
function removeParts(kept) {
  for (const name of readdirSync(dist, { recursive: true }).map(String)) {
    if (/\.c?js(\.map)?$/.test(name) && !kept.has(name) && !name.startsWith(LAUNCHER)) rmSync(join(dist, name));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  rmSync(dist, { recursive: true, force: true });
  compile("tsconfig.json");
  removeParts(await bundle());
}
