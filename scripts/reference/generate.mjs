// Makes the API reference from the doc comments: node scripts/reference/generate.mjs [folder]
// Fails if an exported name, or a member of one, has no doc comment, or stands on no page.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Application, Comment, ReflectionKind } from "typedoc";
import { commentOf, membersOf, Page, summaryOf } from "./render.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");

/** A page each, in the order of the documents. */
const PARTS = ["processes", "pools", "queues-and-pipes", "synchronization", "shared-memory", "managers", "errors"];

/** What one calls, then what describes it; in each of these as the sources have them. */
const KINDS = [ReflectionKind.Class, ReflectionKind.Function, ReflectionKind.Interface, ReflectionKind.TypeAlias];

const app = await Application.bootstrap({
  entryPoints: [...PARTS.map((part) => join(here, "parts", `${part}.ts`)), join(root, "src/index.ts")],
  tsconfig: join(here, "tsconfig.json"),
  sort: ["source-order"],
  disableSources: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeProtected: true,
  preservedTypeAnnotationTags: ["@throws"],
  logLevel: "Warn",
});
const project = await app.convert();
if (project === undefined || app.logger.hasWarnings()) process.exit(1);

const facade = project.children.find(({ name }) => name === "src");
const parts = PARTS.map((part) => {
  const { comment, children } = project.children.find(({ name }) => basename(name) === part);
  return { name: part, comment, children: children.map(declarationOf).sort(byKind) };
});
const pages = new Map(parts.flatMap(({ name, children }) => children.map((child) => [child.name, name])));
const faults = [...withoutPage(), ...parts.flatMap(({ children }) => children.flatMap(undocumented))];
for (const fault of faults) console.error(fault);
if (faults.length > 0) process.exit(1);
write(process.argv[2] ?? join(root, "docs/reference"));

/** What another file declares stands there, and a part refers to it. */
function declarationOf(child) {
  return child.isReference() ? child.getTargetReflectionDeep() : child;
}

function byKind(a, b) {
  return KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind);
}

function withoutPage() {
  return facade.children
    .filter(({ name }) => !pages.has(name))
    .map(({ name }) => `${name} is exported and stands on no page: add it to a file of scripts/reference/parts`);
}

function undocumented(declaration) {
  const isMissing = (each) => summaryOf(each, Comment.combineDisplayParts) === "";
  const nameless = isMissing(declaration) ? [`${declaration.name} has no doc comment`] : [];
  const members = membersOf(declaration, pages).filter(isMissing);
  const isShown = declaration.kind === ReflectionKind.Class || declaration.kind === ReflectionKind.Function;
  const wantsExample =
    isShown && !declaration.name.endsWith("Error") && commentOf(declaration)?.getTag("@example") === undefined;
  return [
    ...nameless,
    ...members.map(({ name }) => `${declaration.name}.${name} has no doc comment`),
    ...(wantsExample ? [`${declaration.name} has no example`] : []),
  ];
}

function write(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const part of parts) writeFileSync(join(folder, `${part.name}.md`), new Page(part, pages).toString());
  writeFileSync(join(folder, "README.md"), indexOf(parts));
}

function indexOf(parts) {
  const lines = parts.map(({ name, comment, children }) => {
    const [title] = Comment.combineDisplayParts(comment.summary).split("\n");
    const links = children.map((child) => `[\`${child.name}\`](${name}.md#${child.name.toLowerCase()})`);
    return `## [${title}](${name}.md)\n\n${links.join(", ")}`;
  });
  return `# API reference

Made from the doc comments by \`npm run docs\`. All names come from \`"multiproc"\`. What is the same everywhere:

- What can wait returns a promise. Its twin that ends in \`Sync\` blocks this thread; one that begins with \`try\` never waits.
- Waits take [\`WaitOptions\`](processes.md#waitoptions): \`timeout\` in milliseconds (0: ask once), and \`signal\`. An aborted wait rejects with \`signal.reason\`.
- Handles can be disposed of: \`using\` and \`await using\` call \`close()\`, or what ends them.
- Arguments that make no sense are a \`TypeError\` or a \`RangeError\` with a \`code\`, which names the argument and what was expected.

${lines.join("\n\n")}
`;
}
