/** The suite is complete: each exported name, and each member that the API reference has, is used in it. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as multiproc from "multiproc";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const THIS_FILE = "every-name.test.ts";

function textOfAll(folder: string, isPart: (name: string) => boolean): string {
  const files = readdirSync(join(root, folder)).filter(isPart);
  return files.map((name) => readFileSync(join(root, folder, name), "utf8")).join("\n");
}

const suite = textOfAll("test/conformance", (name) => name !== THIS_FILE);
const reference = textOfAll("docs/reference", (name) => name !== "README.md");

const isUsed = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(suite);
/** `x.name`, `{ name`, `, name`, `name:` and `override name`. */
const isUsedAsMember = (name: string): boolean =>
  new RegExp(`(?:[.{,]|\\boverride)\\s*${name}\\b|\\b${name}:`).test(suite);

for (const name of Object.keys(multiproc)) {
  test(`${name} is part of the suite`, () => assert.ok(isUsed(name), `nothing in test/conformance uses ${name}`));
}

for (const section of reference.split(/^## /m).slice(1)) {
  const type = section.slice(0, section.indexOf("\n"));
  const members = [...section.matchAll(/^- `(?:static )?(?:readonly )?(\w+)/gm)].map((match) => match[1] as string);
  if (members.length === 0) continue;
  test(`the members of ${type} are part of the suite`, () => {
    const isParameter = (name: string): boolean => section.includes(`\n- \`${name}\`: `);
    assert.deepEqual(
      members.filter((name) => !isParameter(name) && !isUsedAsMember(name)),
      [],
    );
  });
}
