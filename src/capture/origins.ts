/**
 * Which variables are imports: what an `import` declaration, a `require()` or an awaited `import()` bound is not copied but
 * imported again. Knows the forms that compilers make of them.
 */

import { existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { pathToFileURL } from "node:url";
import { toFileUrl } from "./file-values.ts";
import type { ModuleReference, VariableReference } from "./image.ts";
import { mainModule } from "./main-module.ts";
import type { Binding, FileScopes, Node } from "./scope-tree.ts";

/** The file in which a binding stands. */
export interface Site {
  readonly url: string;
  readonly isModule: boolean;
  readonly scopes: FileScopes;
  readonly source: string;
}

/** How to import the variable again; undefined when it is no import. */
export function referenceOf(binding: Binding, site: Site): VariableReference | undefined {
  const { origin } = binding;
  if (origin === undefined || (binding.assigned && binding.kind !== "import")) return undefined;
  if (origin.from === "import") return reference(site, origin.specifier, "import", origin.exportName);
  return fromInitialiser(origin.node, origin.path, site);
}

/** True for a variable that vitest made for an import of a module that it transforms: an object of live exports. */
export function isTransformedImport(binding: Binding): boolean {
  return binding.origin?.from === "initialiser" && viteSpecifier(binding.origin.node) !== undefined;
}

/** True where the variable is this file's `require`, made by `createRequire(import.meta.url)`. */
export function isOwnRequire(binding: Binding): boolean {
  if (binding.assigned || binding.origin?.from !== "initialiser") return false;
  const { node } = binding.origin;
  if (node.type !== "CallExpression" || calleeName(node) !== "createRequire") return false;
  const [argument] = node["arguments"] as Node[];
  const object = argument?.type === "MemberExpression" ? (argument["object"] as Node) : undefined;
  return object?.type === "MetaProperty" || object?.["name"] === "__vite_ssr_import_meta__";
}

function reference(
  site: Site,
  specifier: string,
  how: ModuleReference["how"],
  exportName: string,
  interop?: VariableReference["interop"],
): VariableReference | undefined {
  if (isBuiltin(specifier)) {
    const name = specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    return { module: { importer: undefined, specifier: name, how }, exportName, interop };
  }
  const importer = toFileUrl(site.url);
  // Importing the program's own main file again would run the program again.
  if (/^[./]|^file:/.test(specifier) && URL.canParse(specifier, importer)) {
    if (new URL(specifier, importer).href === mainModule()) return undefined;
  }
  return { module: { importer, specifier, how }, exportName, interop };
}

function fromInitialiser(node: Node, path: readonly string[], site: Site): VariableReference | undefined {
  const exportName = path.length === 0 ? "*" : path.join(".");
  if (node.type === "AwaitExpression") {
    const argument = node["argument"] as Node;
    if (argument.type === "ImportExpression") {
      const specifier = stringOf(argument["source"] as Node);
      return specifier === undefined ? undefined : reference(site, specifier, "import", exportName);
    }
    const vite = viteSpecifier(node);
    return vite === undefined ? undefined : viteReference(vite, exportName);
  }
  if (node.type === "MemberExpression" && node["computed"] !== true) {
    const name = (node["property"] as Node)["name"] as string;
    return fromInitialiser(node["object"] as Node, [name, ...path], site);
  }
  if (node.type !== "CallExpression") return undefined;
  const required = requireSpecifier(node, site);
  if (required !== undefined) return reference(site, required, "require", exportName);
  return fromWrapped(node, exportName, site);
}

/** `__importDefault(require("x"))` and its kin. */
function fromWrapped(node: Node, exportName: string, site: Site): VariableReference | undefined {
  const name = calleeName(node);
  const [inner, mode] = node["arguments"] as Node[];
  if (inner?.type !== "CallExpression" || name === undefined) return undefined;
  const specifier = requireSpecifier(inner, site);
  if (specifier === undefined) return undefined;
  if (/(?:__importDefault|_interopRequireDefault)$/.test(name))
    return reference(site, specifier, "require", exportName, "default");
  if (/(?:__importStar|_interopRequireWildcard)$/.test(name))
    return reference(site, specifier, "require", exportName, "star");
  if (name.endsWith("__toESM") || isToEsm(name, site))
    return reference(site, specifier, "require", exportName, mode?.["value"] === 1 ? "node" : "star");
  return undefined;
}

/** esbuild's helper, whatever a minifier calls it: a function of this file that looks for `__esModule`. */
function isToEsm(name: string, { scopes, source }: Site): boolean {
  const origin = scopes.root.bindings.get(name)?.origin;
  if (origin?.from !== "initialiser" || origin.node.type !== "ArrowFunctionExpression") return false;
  return source.slice(origin.node.start, origin.node.end).includes("__esModule");
}

function requireSpecifier(node: Node, site: Site): string | undefined {
  const callee = node["callee"] as Node;
  if (node.type !== "CallExpression" || callee.type !== "Identifier" || callee["name"] !== "require") return undefined;
  const own = site.scopes.root.bindings.get("require");
  if (own === undefined ? site.isModule : !isOwnRequire(own)) return undefined;
  const [argument] = node["arguments"] as Node[];
  return argument === undefined ? undefined : stringOf(argument);
}

function viteSpecifier(node: Node): string | undefined {
  const call = node.type === "AwaitExpression" ? (node["argument"] as Node) : node;
  if (call.type !== "CallExpression" || !/^__vite_ssr_(?:dynamic_)?import__$/.test(calleeName(call) ?? ""))
    return undefined;
  const [argument] = call["arguments"] as Node[];
  return argument === undefined ? undefined : stringOf(argument);
}

/** vitest runs packages and builtins natively: these are imported again. Files that it transforms are copied. */
function viteReference(specifier: string, exportName: string): VariableReference | undefined {
  if (isBuiltin(specifier)) {
    const name = specifier.startsWith("node:") ? specifier : `node:${specifier}`;
    return { module: { importer: undefined, specifier: name, how: "import" }, exportName };
  }
  if (!specifier.includes("/node_modules/")) return undefined;
  const path = specifier
    .replace(/^\/@fs(?=\/)/, "")
    .replace(/^file:\/\//, "")
    .replace(/[?#].*$/, "");
  const file = existsSync(path) ? path : process.cwd() + path;
  if (!existsSync(file)) return undefined;
  return { module: { importer: undefined, specifier: pathToFileURL(file).href, how: "import" }, exportName };
}

function calleeName(node: Node): string | undefined {
  const callee = node["callee"] as Node;
  if (callee.type === "Identifier") return callee["name"] as string;
  if (callee.type === "MemberExpression" && callee["computed"] !== true)
    return (callee["property"] as Node)["name"] as string;
  // `(0, tslib_1.__importDefault)(…)`
  if (callee.type === "SequenceExpression") {
    const last = (callee["expressions"] as Node[]).at(-1) as Node;
    return calleeName({ ...node, callee: last } as Node);
  }
  return undefined;
}

function stringOf(node: Node): string | undefined {
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : undefined;
  if (node.type !== "TemplateLiteral" || (node["expressions"] as Node[]).length > 0) return undefined;
  return ((node["quasis"] as Node[])[0]?.["value"] as { cooked?: string } | undefined)?.cooked;
}
