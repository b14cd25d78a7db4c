/** Makes the folders of the matrix: the same program for every way of running it, with packages of its own. */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync, transformSync } from "esbuild";

const build = fileURLToPath(new URL("../../", import.meta.url));
const root = join(build, "..");
const fixtures = join(root, "test/fixtures/matrix");

type Format = "esm" | "cjs";

/** A folder with a package.json of its own, in which the packages can be imported. */
export class Workspace {
  readonly folder: string;
  readonly format: Format;

  constructor(name: string, format: Format) {
    this.folder = join(build, "matrix", name);
    this.format = format;
    rmSync(this.folder, { recursive: true, force: true });
    mkdirSync(this.folder, { recursive: true });
    this.write("package.json", JSON.stringify({ type: format === "esm" ? "module" : "commonjs" }));
    this.#packages();
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), text);
  }

  /** The program in TypeScript: main file and helper. `last` is what runs the cases. */
  typescript(main = "main.ts", last = START): void {
    this.write(main, source(this.format) + last);
    this.write("helper.ts", fixture("helper.ts"));
  }

  /** The program in JavaScript as a person would write it. `last` is what runs the cases. */
  plain(extension: "mjs" | "cjs", last = START): void {
    for (const [file, text] of [
      ["main", source(this.format) + last],
      ["helper", fixture("helper.ts")],
    ] as const) {
      const { code } = transformSync(text.replaceAll("helper.ts", `helper.${extension}`), {
        loader: "ts",
        target: "esnext",
        format: "esm",
      });
      this.write(`${file}.${extension}`, extension === "mjs" ? code : toCommonJs(code));
    }
  }

  /** What tsc makes of the TypeScript. */
  compile(): void {
    const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
    const options = [
      "--module",
      "nodenext",
      "--target",
      "es2022",
      "--noCheck",
      "--ignoreConfig",
      "--rewriteRelativeImportExtensions",
    ];
    const { status, stdout } = spawnSync(
      process.execPath,
      [tsc, ...options, "--types", "node", "--outDir", this.path("out"), this.path("main.ts"), this.path("helper.ts")],
      { cwd: this.folder, encoding: "utf8" },
    );
    if (status !== 0) throw new Error(stdout);
    // The compiler rewrites imports, but no require() that a person wrote.
    const main = this.path("out/main.js");
    writeFileSync(main, readFileSync(main, "utf8").replaceAll("./helper.ts", "./helper.js"));
  }

  /** What esbuild makes of it, packages left outside. */
  bundle(outfile: string, minify: boolean): void {
    buildSync({
      entryPoints: [this.path("main.ts")],
      outfile: this.path(outfile),
      bundle: true,
      packages: "external",
      platform: "node",
      target: "node20",
      format: this.format,
      minify,
      sourcemap: true,
      logLevel: "error",
    });
  }

  #packages(): void {
    // The package as it is built: what a bundler made of it is what people run.
    const library = this.path("node_modules/multiproc");
    cpSync(join(root, "dist"), join(library, "dist"), { recursive: true });
    cpSync(join(root, "package.json"), join(library, "package.json"));
    const harness = readFileSync(join(build, "test/matrix/harness.js"), "utf8");
    this.write("node_modules/harness/index.js", harness.replace("../../src/index.js", "multiproc"));
    this.write(
      "node_modules/harness/package.json",
      JSON.stringify({ name: "harness", type: "module", exports: "./index.js" }),
    );
    for (const name of ["cjs-package", "esm-package"]) {
      cpSync(join(fixtures, name), this.path(`node_modules/${name}`), { recursive: true });
    }
    for (const name of ["acorn", "koffi"]) {
      symlinkSync(join(root, "node_modules", name), this.path(`node_modules/${name}`), "dir");
    }
  }
}

const START = "\nvoid runCases();\n";

function fixture(file: string): string {
  return readFileSync(join(fixtures, file), "utf8");
}

/** The main file: the common cases, and those of the module system. */
function source(format: Format): string {
  const text = fixture("cases.ts").replace(
    "import { check, refused, send }",
    "import { check, refused, runCases, send }",
  );
  return text + fixture(`tail-${format}.ts`);
}

/** Import and export statements, one to a line as esbuild prints them, in CommonJS. */
function toCommonJs(code: string): string {
  const names: string[] = [];
  const body = code
    .replace(/^import \* as (\w+) from (".*?");$/gm, "const $1 = require($2);")
    .replace(/^import (\w+), \{([^}]*)\} from (".*?");$/gm, (_all, name: string, list: string, from: string) => {
      const isOwn = from.includes("helper");
      return `const ${name} = require(${from})${isOwn ? ".default" : ""};\nconst {${list.replaceAll(" as ", ": ")}} = require(${from});`;
    })
    .replace(/^import \{([^}]*)\} from (".*?");$/gm, (_all, list: string, from: string) => {
      return `const {${list.replaceAll(" as ", ": ")}} = require(${from});`;
    })
    .replace(/^import (\w+) from (".*?");$/gm, "const $1 = require($2);")
    .replace(/^export \{([^}]*)\};$/gm, (_all, list: string) => {
      names.push(...list.split(",").map((part) => part.trim().replace(/^(\w+) as (\w+)$/, "$2: $1")));
      return "";
    });
  return `"use strict";\n${body}\n${names.length > 0 ? `module.exports = { ${names.filter(Boolean).join(", ")} };\n` : ""}`;
}
