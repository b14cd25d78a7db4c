/** What a scope analysis finds: scopes, variables, their occurrences, and where functions stand. Types, and the look-up of names. */

/** A node of acorn's tree, as far as it is looked at here. */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** A declared variable. */
export interface Binding {
  readonly name: string;
  readonly scope: Scope;
  readonly kind: "import" | "var" | "let" | "const" | "function" | "class" | "parameter";
  /** The import declaration, or the initialiser with the path into a destructuring pattern. */
  readonly origin: Origin | undefined;
  /** Assigned by a function other than the one that declares it. */
  written: boolean;
  /** Assigned anywhere after its declaration. */
  assigned: boolean;
}

/** Where a binding gets its value from. */
export type Origin =
  | { readonly from: "import"; readonly specifier: string; readonly exportName: string }
  | { readonly from: "initialiser"; readonly node: Node; readonly path: readonly string[] };

/** One occurrence of a variable's name. */
export interface Occurrence {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly scope: Scope;
  readonly write: boolean;
  /** `{ name }`: replacing it needs the key spelled out. */
  readonly shorthand: boolean;
  /** `name()`: replacing it by a member must not give the call a `this`. */
  readonly callee: boolean;
  /** `x` of `name.x`, where that is all that is used. */
  readonly member: string | undefined;
  /** `name.x = …` and the like. */
  readonly memberWrite: boolean;
  binding: Binding | undefined;
}

/** Something that means the function around it, or the file. */
export interface Mark {
  readonly kind: "this" | "arguments" | "super" | "new.target" | "import.meta" | "import()" | "eval" | "private";
  readonly start: number;
  readonly end: number;
  /** Of a private name; "call" for `super()`. */
  readonly name: string;
  /** The nearest function that is no arrow, the class element or the program. */
  readonly owner: Node;
}

/** A scope of the source text. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly node: Node;
  /** The function whose code this is (an arrow too), or the program. */
  readonly body: Node;
  readonly bindings: Map<string, Binding> = new Map();

  constructor(parent: Scope | undefined, node: Node, body: Node) {
    this.parent = parent;
    this.node = node;
    this.body = body;
  }
}

/** All that is known of a file's text. Occurrences and marks are in the order of the text. */
export interface FileScopes {
  readonly program: Node;
  readonly root: Scope;
  readonly occurrences: readonly Occurrence[];
  readonly marks: readonly Mark[];
  /** Functions and classes by the offset at which their text starts; the outermost first. */
  readonly functions: ReadonlyMap<number, readonly FunctionSite[]>;
  /** Names of exports by the local name. */
  readonly exports: ReadonlyMap<string, string>;
}

/** A function or class in the text: what `toString` shows of it is `start` to `end`. */
export interface FunctionSite {
  readonly node: Node;
  readonly syntax: "arrow" | "function" | "method" | "getter" | "setter" | "class";
  readonly start: number;
  readonly end: number;
  readonly strict: boolean;
  /** The scope in which it stands. */
  readonly scope: Scope;
  /** The `owner` of marks directly around it, for an arrow. */
  readonly owner: Node;
  /** The method or property definition around it, for methods and for values of class fields. */
  readonly element: Node | undefined;
}

/** Finds the variable that a name means, and notes what an assignment tells of it. */
export function resolve(occurrence: Occurrence): void {
  for (let scope: Scope | undefined = occurrence.scope; scope !== undefined; scope = scope.parent) {
    const binding = scope.bindings.get(occurrence.name);
    if (binding === undefined) continue;
    occurrence.binding = binding;
    if (occurrence.write) binding.assigned = true;
    if (occurrence.write && occurrence.scope.body !== binding.scope.body) binding.written = true;
    return;
  }
}

/** The name of a key that is not computed. */
export function keyName(node: Node): string | undefined {
  if (node.type === "Identifier" || node.type === "PrivateIdentifier") return node["name"] as string;
  return literalName(node);
}

/** The text of a literal that is used as a key. */
export function literalName(node: Node): string | undefined {
  if (node.type !== "Literal") return undefined;
  const value = node["value"];
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

/** The order of the text. */
export function byStart(a: { start: number }, b: { start: number }): number {
  return a.start - b.start;
}
