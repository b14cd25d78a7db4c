/** The suite is complete: each exported name, and each public member of what is exported, stands in it. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as multiproc from "multiproc";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "../../../test/conformance");
const suite = readdirSync(sources)
  .filter((file) => file.endsWith(".test.ts") && file !== basename(import.meta.url).replace(/js$/, "ts"))
  .map((file) => readFileSync(join(sources, file), "utf8"))
  .join("\n");

const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(suite);
const isUsedAsMember = (name: string): boolean => new RegExp(`[.{,]\\s*${name}\\b`).test(suite);

/** What an object of a class has by its own name: methods and accessors, without what is inherited from another export. */
function membersOf(type: { readonly prototype: object }): string[] {
  const names = Object.getOwnPropertyNames(type.prototype);
  const statics = Object.getOwnPropertyNames(type).filter((name) => typeof Reflect.get(type, name) === "function");
  return [...names, ...statics].filter((name) => name !== "constructor" && !name.startsWith("_"));
}

for (const [name, value] of Object.entries(multiproc)) {
  test(`${name} is part of the suite`, () => assert.ok(isUsed(name), `nothing in test/conformance uses ${name}`));
  if (typeof value !== "function" || value.prototype === undefined) continue;
  test(`so are the members of ${name}`, () => {
    const unused = membersOf(value as unknown as { readonly prototype: object }).filter((m) => !isUsedAsMember(m));
    assert.deepEqual(unused, []);
  });
}
