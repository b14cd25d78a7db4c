/**
 * Which name means which variable, in a whole file: a scope analysis over acorn's tree.
 *
 * V8 tells the values of a function's variables but not where they were declared; the tree tells which names a function takes from
 * outside, which of them are imports, and which are assigned by some function (only those need a shared cell).
 */

import {
  type Binding,
  byStart,
  type FileScopes,
  type FunctionSite,
  isNode,
  keyName,
  literalName,
  type Mark,
  type Node,
  type Occurrence,
  type Origin,
  resolve,
  Scope,
} from "./scope-tree.ts";

/** Analyses a parsed file. */
export function analyseScopes(program: Node, source: string, strict: boolean): FileScopes {
  return new Analysis(program, source, strict || program["sourceType"] === "module").run();
}

interface Context {
  readonly scope: Scope;
  readonly varScope: Scope;
  readonly owner: Node;
  readonly strict: boolean;
}

class Analysis {
  readonly #program: Node;
  readonly #source: string;
  readonly #strict: boolean;
  readonly #occurrences: Occurrence[] = [];
  readonly #marks: Mark[] = [];
  readonly #functions = new Map<number, FunctionSite[]>();
  readonly #exports = new Map<string, string>();

  constructor(program: Node, source: string, strict: boolean) {
    this.#program = program;
    this.#source = source;
    this.#strict = strict || isStrict(program["body"] as Node[]);
  }

  run(): FileScopes {
    const program = this.#program;
    const root = new Scope(undefined, program, program);
    const context = { scope: root, varScope: root, owner: program, strict: this.#strict };
    this.#statements(program["body"] as Node[], context);
    for (const occurrence of this.#occurrences) resolve(occurrence);
    this.#occurrences.sort(byStart);
    this.#marks.sort(byStart);
    return {
      program,
      root,
      occurrences: this.#occurrences,
      marks: this.#marks,
      functions: this.#functions,
      exports: this.#exports,
    };
  }

  // --- declarations

  #declare(scope: Scope, name: string, kind: Binding["kind"], origin?: Origin): void {
    const known = scope.bindings.get(name);
    if (known !== undefined && (kind === "var" || known.kind === "import")) return;
    scope.bindings.set(name, { name, scope, kind, origin, written: false, assigned: false });
  }

  /** Declares the names of a pattern and visits its default values and computed keys. */
  #pattern(
    node: Node | null,
    scope: Scope,
    kind: Binding["kind"],
    context: Context,
    init?: Node | null,
    path: readonly string[] | undefined = [],
  ): void {
    if (node === null) return;
    switch (node.type) {
      case "Identifier":
        this.#declare(
          scope,
          node["name"] as string,
          kind,
          init && path !== undefined ? { from: "initialiser", node: init, path } : undefined,
        );
        return;
      case "ObjectPattern":
        for (const property of node["properties"] as Node[]) {
          if (property.type === "RestElement") {
            this.#pattern(property["argument"] as Node, scope, kind, context, init, undefined);
            continue;
          }
          if (property["computed"] === true) this.#visit(property["key"] as Node, context);
          const key = property["computed"] === true ? undefined : keyName(property["key"] as Node);
          const next = key === undefined || path === undefined ? undefined : [...path, key];
          this.#pattern(property["value"] as Node, scope, kind, context, init, next);
        }
        return;
      case "ArrayPattern":
        for (const element of node["elements"] as (Node | null)[])
          this.#pattern(element, scope, kind, context, init, undefined);
        return;
      case "AssignmentPattern":
        this.#pattern(node["left"] as Node, scope, kind, context, init, undefined);
        this.#visit(node["right"] as Node, context);
        return;
      case "RestElement":
        this.#pattern(node["argument"] as Node, scope, kind, context, init, undefined);
        return;
      default:
        this.#visit(node, context);
    }
  }

  #statements(body: readonly Node[], context: Context): void {
    // A body's functions, classes and imports are known before its first statement is visited: exports look them up.
    for (const statement of body) this.#hoist(statement, context);
    for (const statement of body) this.#visit(statement, context);
  }

  #hoist(statement: Node, context: Context): void {
    const node = exportedDeclaration(statement) ?? statement;
    if (node.type === "FunctionDeclaration" && node["id"] !== null) {
      const name = (node["id"] as Node)["name"] as string;
      this.#declare(context.scope, name, "function");
      if (!context.strict) this.#declare(context.varScope, name, "var");
    } else if (node.type === "ClassDeclaration" && node["id"] !== null) {
      this.#declare(context.scope, (node["id"] as Node)["name"] as string, "class");
    } else if (node.type === "ImportDeclaration") {
      this.#importDeclaration(node, context.scope);
    }
  }

  #importDeclaration(node: Node, scope: Scope): void {
    const specifier = (node["source"] as Node)["value"] as string;
    // With attributes it is data (JSON): a copy is as good.
    const isData = ((node["attributes"] as Node[] | undefined) ?? []).length > 0;
    for (const part of node["specifiers"] as Node[]) {
      const local = (part["local"] as Node)["name"] as string;
      let exportName = "*";
      if (part.type === "ImportDefaultSpecifier") exportName = "default";
      else if (part.type === "ImportSpecifier") exportName = keyName(part["imported"] as Node) as string;
      this.#declare(scope, local, "import", isData ? undefined : { from: "import", specifier, exportName });
    }
  }

  // --- the walk

  #visit(node: Node | null | undefined, context: Context): void {
    if (node === null || node === undefined) return;
    switch (node.type) {
      case "Identifier":
        return this.#use(node, context, {});
      case "ImportDeclaration":
      case "Literal":
      case "TemplateElement":
      case "BreakStatement":
      case "ContinueStatement":
        return;
      case "PrivateIdentifier":
        return this.#mark("private", node, context, node["name"] as string);
      case "ThisExpression":
        return this.#mark("this", node, context);
      case "Super":
        return this.#mark("super", node, context);
      case "MetaProperty":
        return this.#mark((node["meta"] as Node)["name"] === "new" ? "new.target" : "import.meta", node, context);
      case "ImportExpression":
        this.#mark("import()", { ...node, end: node.start + "import".length }, context);
        return this.#children(node, context);
      case "FunctionDeclaration":
      case "FunctionExpression":
        return this.#function(node, context, node, "function");
      case "ArrowFunctionExpression":
        return this.#function(node, context, node, "arrow");
      case "ClassDeclaration":
      case "ClassExpression":
        return this.#class(node, context);
      case "VariableDeclaration":
        return this.#variables(node, context);
      case "BlockStatement":
      case "StaticBlock":
        return this.#statements(node["body"] as Node[], this.#inner(node, context, node.type === "StaticBlock"));
      case "SwitchStatement": {
        this.#visit(node["discriminant"] as Node, context);
        const inner = this.#inner(node, context);
        const cases = node["cases"] as Node[];
        for (const one of cases) for (const statement of one["consequent"] as Node[]) this.#hoist(statement, inner);
        for (const one of cases) {
          this.#visit(one["test"] as Node, inner);
          for (const statement of one["consequent"] as Node[]) this.#visit(statement, inner);
        }
        return;
      }
      case "ForStatement":
      case "ForInStatement":
      case "ForOfStatement":
        return this.#loop(node, this.#inner(node, context));
      case "CatchClause": {
        const inner = this.#inner(node, context);
        this.#pattern(node["param"] as Node | null, inner.scope, "parameter", inner);
        return this.#visit(node["body"] as Node, inner);
      }
      case "LabeledStatement":
        return this.#visit(node["body"] as Node, context);
      case "AssignmentExpression":
        this.#target(node["left"] as Node, context, node["operator"] !== "=");
        return this.#visit(node["right"] as Node, context);
      case "UpdateExpression":
        return this.#target(node["argument"] as Node, context, true);
      case "MemberExpression":
        return this.#member(node, context, false);
      case "CallExpression":
      case "TaggedTemplateExpression":
        return this.#call(node, context);
      case "Property":
        return this.#property(node, context);
      case "ExportNamedDeclaration":
        return this.#exportNamed(node, context);
      case "ExportDefaultDeclaration":
        return this.#exportDefault(node, context);
      case "ExportAllDeclaration":
        return;
      default:
        this.#children(node, context);
    }
  }

  #children(node: Node, context: Context): void {
    for (const key in node) {
      const value = node[key];
      if (Array.isArray(value)) {
        for (const item of value) if (isNode(item)) this.#visit(item, context);
      } else if (isNode(value)) this.#visit(value, context);
    }
  }

  #inner(node: Node, context: Context, isOwner = false): Context {
    const body = isOwner ? node : context.scope.body;
    const scope = new Scope(context.scope, node, body);
    return isOwner ? { scope, varScope: scope, owner: node, strict: true } : { ...context, scope };
  }

  #use(node: Node, context: Context, how: Partial<Occurrence>): void {
    const name = node["name"] as string;
    const { start, end } = node;
    if (name === "arguments") this.#mark("arguments", node, context);
    if (name === "eval" && how.callee === true) this.#mark("eval", node, context);
    this.#occurrences.push({
      name,
      start,
      end,
      scope: context.scope,
      write: false,
      shorthand: false,
      callee: false,
      member: undefined,
      memberWrite: false,
      binding: undefined,
      ...how,
    });
  }

  #mark(kind: Mark["kind"], node: Node, context: Context, name = ""): void {
    this.#marks.push({ kind, start: node.start, end: node.end, name, owner: context.owner });
  }

  #site(
    node: Node,
    outer: Node,
    syntax: FunctionSite["syntax"],
    strict: boolean,
    context: Context,
    element?: Node,
  ): void {
    const site = {
      node,
      syntax,
      start: outer.start,
      end: outer.end,
      strict,
      scope: context.scope,
      owner: context.owner,
      element,
    };
    const others = this.#functions.get(outer.start);
    if (others === undefined) this.#functions.set(outer.start, [site]);
    else others.push(site);
  }

  #function(node: Node, context: Context, outer: Node, syntax: FunctionSite["syntax"], element?: Node): void {
    const body = node["body"] as Node;
    const strict = context.strict || (body.type === "BlockStatement" && isStrict(body["body"] as Node[]));
    this.#site(node, outer, syntax, strict, context, element);
    const scope = new Scope(context.scope, node, node);
    const id = node["id"] as Node | null | undefined;
    if (node.type === "FunctionExpression" && id) this.#declare(scope, id["name"] as string, "const");
    const parameters = new Scope(scope, node, node);
    const owner = syntax === "arrow" ? context.owner : node;
    const inner = { scope: parameters, varScope: parameters, owner, strict };
    for (const parameter of node["params"] as Node[]) this.#pattern(parameter, parameters, "parameter", inner);
    if (body.type === "BlockStatement") this.#statements(body["body"] as Node[], inner);
    else this.#visit(body, inner);
  }

  #class(node: Node, context: Context): void {
    this.#site(node, node, "class", true, context);
    const strict = { ...context, strict: true };
    const scope = new Scope(context.scope, node, context.scope.body);
    const id = node["id"] as Node | null;
    if (id !== null) this.#declare(scope, id["name"] as string, "const");
    const inner = { ...strict, scope };
    this.#visit(node["superClass"] as Node | null, inner);
    for (const element of (node["body"] as Node)["body"] as Node[]) {
      if (element["computed"] === true) this.#visit(element["key"] as Node, inner);
      else if ((element["key"] as Node | undefined)?.type === "PrivateIdentifier") {
        this.#visit(element["key"] as Node, inner);
      }
      if (element.type === "MethodDefinition") this.#method(element, element["value"] as Node, inner);
      else if (element.type === "StaticBlock") this.#visit(element, inner);
      else this.#field(element, inner);
    }
  }

  #method(element: Node, value: Node, context: Context): void {
    // What toString shows of a static method starts after `static`.
    const isStatic = element["static"] === true;
    const outer = isStatic ? { ...element, start: this.#afterStatic(element) } : element;
    (element as { text?: string }).text = this.#source.slice(outer.start, outer.end);
    const kind = element["kind"];
    const syntax = kind === "get" ? "getter" : kind === "set" ? "setter" : "method";
    this.#function(value, context, outer, syntax, element);
  }

  #afterStatic(element: Node): number {
    const match = /^static(?:\s|\/\*[^]*?\*\/|\/\/.*)*/.exec(
      this.#source.slice(element.start, (element["key"] as Node).start),
    );
    return element.start + (match?.[0].length ?? 0);
  }

  #field(element: Node, context: Context): void {
    const value = element["value"] as Node | null;
    if (value === null) return;
    const scope = new Scope(context.scope, element, element);
    const inner = { scope, varScope: scope, owner: element, strict: true };
    if (value.type === "ArrowFunctionExpression") this.#function(value, inner, value, "arrow", element);
    else this.#visit(value, inner);
  }

  #variables(node: Node, context: Context): void {
    const kind = node["kind"] as string;
    const scope = kind === "var" ? context.varScope : context.scope;
    for (const declaration of node["declarations"] as Node[]) {
      const init = declaration["init"] as Node | null;
      const as = kind === "var" || kind === "let" ? kind : "const";
      this.#pattern(declaration["id"] as Node, scope, as, context, init);
      this.#visit(init, context);
    }
  }

  #loop(node: Node, context: Context): void {
    if (node.type === "ForStatement") {
      for (const part of ["init", "test", "update", "body"]) this.#visit(node[part] as Node | null, context);
      return;
    }
    const left = node["left"] as Node;
    if (left.type === "VariableDeclaration") this.#visit(left, context);
    else this.#target(left, context, false);
    this.#visit(node["right"] as Node, context);
    this.#visit(node["body"] as Node, context);
  }

  /** Something that is assigned to. */
  #target(node: Node, context: Context, reads: boolean): void {
    switch (node.type) {
      case "Identifier":
        return this.#use(node, context, { write: true });
      case "MemberExpression":
        return this.#member(node, context, true);
      case "ObjectPattern":
        for (const property of node["properties"] as Node[]) {
          if (property.type === "RestElement") this.#target(property["argument"] as Node, context, reads);
          else if (property["shorthand"] === true) {
            const value = property["value"] as Node;
            const name = value.type === "AssignmentPattern" ? (value["left"] as Node) : value;
            this.#use(name, context, { write: true, shorthand: true });
            if (value.type === "AssignmentPattern") this.#visit(value["right"] as Node, context);
          } else {
            if (property["computed"] === true) this.#visit(property["key"] as Node, context);
            this.#target(property["value"] as Node, context, reads);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of node["elements"] as (Node | null)[])
          if (element !== null) this.#target(element, context, reads);
        return;
      case "AssignmentPattern":
        this.#target(node["left"] as Node, context, reads);
        return this.#visit(node["right"] as Node, context);
      case "RestElement":
        return this.#target(node["argument"] as Node, context, reads);
      default:
        this.#visit(node, context);
    }
  }

  #member(node: Node, context: Context, write: boolean): void {
    const object = node["object"] as Node;
    const property = node["property"] as Node;
    const name = node["computed"] === true ? literalName(property) : (property["name"] as string);
    if (object.type === "Identifier") this.#use(object, context, { member: name, memberWrite: write });
    else this.#visit(object, context);
    if (node["computed"] === true || property.type === "PrivateIdentifier") this.#visit(property, context);
  }

  #call(node: Node, context: Context): void {
    const key = node.type === "CallExpression" ? "callee" : "tag";
    const callee = node[key] as Node;
    if (callee.type === "Identifier") this.#use(callee, context, { callee: true });
    else if (callee.type === "Super") this.#mark("super", callee, context, "call");
    else this.#visit(callee, context);
    if (key === "callee") for (const argument of node["arguments"] as Node[]) this.#visit(argument, context);
    else this.#visit(node["quasi"] as Node, context);
  }

  #property(node: Node, context: Context): void {
    if (node["computed"] === true) this.#visit(node["key"] as Node, context);
    const value = node["value"] as Node;
    if (node["shorthand"] === true && value.type === "Identifier")
      return this.#use(value, context, { shorthand: true });
    if (node["method"] === true || node["kind"] !== "init") this.#method(node, value, context);
    else this.#visit(value, context);
  }

  #exportNamed(node: Node, context: Context): void {
    const declaration = node["declaration"] as Node | null;
    if (declaration === null) {
      if (node["source"]) return;
      for (const part of node["specifiers"] as Node[]) {
        this.#exports.set(keyName(part["local"] as Node) as string, keyName(part["exported"] as Node) as string);
      }
      return;
    }
    const before = new Set(context.scope.bindings.keys());
    this.#visit(declaration, context);
    if (declaration.type === "VariableDeclaration") {
      for (const name of context.scope.bindings.keys()) if (!before.has(name)) this.#exports.set(name, name);
    } else {
      const name = (declaration["id"] as Node)["name"] as string;
      this.#exports.set(name, name);
    }
  }

  #exportDefault(node: Node, context: Context): void {
    const declaration = node["declaration"] as Node;
    const id = declaration["id"] as Node | null | undefined;
    if (id && declaration.type.endsWith("Declaration")) this.#exports.set(id["name"] as string, "default");
    else if (declaration.type === "Identifier") this.#exports.set(declaration["name"] as string, "default");
    // V8 keeps the value of an expression or a nameless function under this name.
    else this.#exports.set("*default*", "default");
    this.#visit(declaration, context);
  }
}

function exportedDeclaration(node: Node): Node | undefined {
  if (node.type !== "ExportNamedDeclaration" && node.type !== "ExportDefaultDeclaration") return undefined;
  return (node["declaration"] as Node | null) ?? undefined;
}

function isStrict(body: readonly Node[]): boolean {
  for (const statement of body) {
    if (statement.type !== "ExpressionStatement" || statement["directive"] === undefined) return false;
    if (statement["directive"] === "use strict") return true;
  }
  return false;
}
