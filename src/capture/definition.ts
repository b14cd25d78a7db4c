/** From a function's place in its file to its definition: what it takes from outside, and its text made ready to run elsewhere. */

import { types } from "node:util";
import { SerializationError } from "../core/errors.ts";
import { isHandle } from "../core/handle.ts";
import { GLOBAL_NAMES } from "./global-names.ts";
import type { FunctionDefinition, PrivateStore, VariableDefinition, VariableReference } from "./image.ts";
import { privateStore } from "./private-stores.ts";
import { isOwnRequire, isTransformedImport, referenceOf, type Site } from "./origins.ts";
import { blank, FreshNames, type Replacement, rewrite } from "./rewrite.ts";
import {
  type Binding,
  type FileScopes,
  type FunctionSite,
  keyName,
  type Mark,
  type Node,
  type Occurrence,
} from "./scope-tree.ts";
import { definitionId } from "./definition-id.ts";

/** How a variable's value is read at the moment of the call; parallel to `definition.variables`. */
export interface VariableSource {
  readonly name: string;
  readonly from: "scope" | "global" | "nowhere";
  readonly binding: Binding | undefined;
  /** Of an object of exports only these are sent. */
  readonly members: readonly string[] | undefined;
}

/** A computed member of a class whose name must be read off the class. */
export interface KeySource {
  readonly text: string;
  readonly isStatic: boolean;
  /** The name is this variable's value. */
  readonly variable: string | undefined;
}

/** A function's definition and what is needed to fill it. */
export interface Analysis {
  readonly definition: FunctionDefinition;
  readonly sources: readonly VariableSource[];
  readonly keys: readonly KeySource[];
  readonly site: FunctionSite;
  readonly scopes: FileScopes;
}

/** The file and the place of a function. */
export interface Place extends Site {
  readonly site: FunctionSite;
  readonly line: number;
  readonly column: number;
  readonly name: string;
  /** Occurs in some scope or on the global object; asked for names that the file does not declare. */
  readonly isKnown: (name: string) => "scope" | "global" | undefined;
  /** An old-style constructor whose prototype has a prototype of its own (`util.inherits`). */
  readonly inherits: boolean;
  /** The value that a variable has now, if V8 tells; for the choice between copy and reference. */
  readonly valueOf: (name: string) => unknown;
}

/** Analyses one function. @throws SerializationError for what cannot work away from its place. */
export function analyse(place: Place, path: string): Analysis {
  return new Builder(place, path).build();
}

class Builder {
  readonly #place: Place;
  readonly #path: string;
  readonly #names: FreshNames;
  readonly #replacements: Replacement[] = [];
  readonly #variables: VariableDefinition[] = [];
  readonly #sources: VariableSource[] = [];
  readonly #keys: KeySource[] = [];
  readonly #keyParameters: string[] = [];
  /** Parts of a class that are evaluated outside of it, or not at all. */
  readonly #excluded: { start: number; end: number }[] = [];
  #thisParameter: string | undefined;
  #parentParameter: string | undefined;
  #superParameter: string | undefined;
  #usesSuper: true | undefined;

  constructor(place: Place, path: string) {
    this.#place = place;
    this.#path = path;
    this.#names = new FreshNames(place.source.slice(place.site.start, place.site.end));
  }

  build(): Analysis {
    const { site, scopes, source, name, line, column, isModule, url } = this.#place;
    if (site.syntax === "class") this.#classParts();
    else if (this.#place.inherits) this.#parentParameter = this.#names.ofLength(8);
    if (site.element?.["computed"] === true && site.syntax !== "arrow") this.#loneKey(site.element);
    for (const mark of this.#within(scopes.marks)) this.#mark(mark);
    this.#occurrences();
    const parts = {
      source: rewrite(source, site.start, site.end, this.#replacements),
      syntax: site.syntax,
      name,
      url,
      line,
      column,
      strict: site.strict,
      isModule,
      variables: this.#variables,
      thisParameter: this.#thisParameter,
      parentParameter: this.#parentParameter,
      usesSuper: this.#usesSuper,
      superParameter: this.#superParameter,
      keyParameters: this.#keyParameters,
    };
    const definition = { id: definitionId(parts), ...parts };
    return { definition, sources: this.#sources, keys: this.#keys, site, scopes };
  }

  #refuse(why: string): never {
    throw new SerializationError(`Cannot send \`${this.#path}\`: ${why}`, { path: this.#path });
  }

  #within<T extends { start: number; end: number }>(items: readonly T[]): T[] {
    const { start, end } = this.#place.site;
    return items.filter(
      (item) =>
        item.start >= start &&
        item.end <= end &&
        !this.#excluded.some((part) => item.start >= part.start && item.end <= part.end),
    );
  }

  #isInside(node: Node): boolean {
    const { start, end } = this.#place.site;
    return node.start >= start && node.end <= end;
  }

  // --- classes

  #classParts(): void {
    const { node } = this.#place.site;
    const parent = node["superClass"] as Node | null;
    if (parent !== null) {
      this.#parentParameter = this.#names.ofLength(Math.min(parent.end - parent.start, 12));
      const text = blank(this.#place.source, parent.start, parent.end).text.slice(this.#parentParameter.length);
      this.#replacements.push({ start: parent.start, end: parent.end, text: this.#parentParameter + text });
      this.#excluded.push(parent);
    }
    for (const element of (node["body"] as Node)["body"] as Node[]) this.#classElement(element);
  }

  #classElement(element: Node): void {
    const { source } = this.#place;
    if (element.type === "StaticBlock") {
      const open = source.indexOf("{", element.start) + 1;
      this.#drop({ start: open, end: element.end - 1 });
      return;
    }
    const isField = element.type === "PropertyDefinition";
    if (isField && element["static"] === true) {
      const key = element["key"] as Node;
      if (key.type !== "PrivateIdentifier") return this.#drop(element);
      // Its value cannot be set from outside: it is made again, if that needs nothing.
      const value = element["value"] as Node | null;
      if (value !== null && this.#outerNames(value).length > 0)
        this.#refuse(`its static private field #${key["name"] as string} starts from other variables`);
      return;
    }
    if (element["computed"] === true) this.#computedKey(element, isField);
  }

  #drop(part: { start: number; end: number }): void {
    this.#excluded.push({ start: part.start, end: part.end });
    this.#replacements.push(blank(this.#place.source, part.start, part.end));
  }

  #outerNames(node: Node): Occurrence[] {
    return this.#within(this.#place.scopes.occurrences).filter(
      (one) =>
        one.start >= node.start &&
        one.end <= node.end &&
        !(one.binding === undefined ? GLOBAL_NAMES.has(one.name) : this.#isInside(one.binding.scope.node)),
    );
  }

  #computedKey(element: Node, isField: boolean): void {
    const key = element["key"] as Node;
    this.#excluded.push(key);
    if (this.#outerNames(key).length === 0 && !this.#excludedNames(key)) return;
    const variable = key.type === "Identifier" ? (key["name"] as string) : undefined;
    if (isField && variable === undefined)
      this.#refuse("a computed field name of the class depends on other variables");
    const parameter = this.#names.ofLength(key.end - key.start);
    this.#replacements.push({ start: key.start, end: key.end, text: parameter });
    this.#keyParameters.push(parameter);
    const isStatic = element["static"] === true;
    const inner = this.#place.scopes.functions;
    let text = "";
    for (const sites of inner.values())
      for (const site of sites)
        if (site.element === element && site.syntax !== "arrow") text = this.#place.source.slice(site.start, site.end);
    this.#keys.push({ text, isStatic, variable: isField ? variable : undefined });
  }

  /** Whether a key that was just excluded uses names of the program. */
  #excludedNames(key: Node): boolean {
    return this.#place.scopes.occurrences.some(
      (one) =>
        one.start >= key.start &&
        one.end <= key.end &&
        !(one.binding === undefined && GLOBAL_NAMES.has(one.name)) &&
        !(one.binding !== undefined && this.#isInside(one.binding.scope.node)),
    );
  }

  /** `[name]() {}` alone: any name will do, the real one is set afterwards. */
  #loneKey(element: Node): void {
    const key = element["key"] as Node;
    const open = this.#place.source.lastIndexOf("[", key.start);
    const close = this.#place.source.indexOf("]", key.end) + 1;
    this.#excluded.push(key);
    this.#replacements.push({ start: open, end: close, text: this.#names.ofLength(Math.min(8, close - open)) });
  }

  // --- what means the surroundings

  #mark(mark: Mark): void {
    const { site, scopes } = this.#place;
    const isOuter = mark.owner === site.owner || !this.#isInside(mark.owner);
    switch (mark.kind) {
      case "this":
        if (site.syntax === "arrow" && isOuter) {
          this.#thisParameter ??= this.#names.ofLength(4);
          this.#replacements.push({ start: mark.start, end: mark.end, text: this.#thisParameter });
        }
        return;
      case "super":
        if (site.syntax !== "class" && (isOuter || mark.owner === site.node)) this.#super(mark);
        return;
      case "new.target":
        if (site.syntax === "arrow" && isOuter)
          this.#refuse("it is an arrow function that uses `new.target` of its function");
        return;
      case "eval":
        this.#refuse("it calls `eval` directly, which may use any variable");
      // falls through: the line above never returns
      case "private":
        if (!this.#declaresPrivate(mark)) this.#refuse(`it uses the private name #${mark.name} outside of its class`);
        return;
      case "import.meta":
        this.#special("import.meta", "$importMeta", mark);
        return;
      case "import()":
        this.#special("import()", "$impor", mark);
        return;
      case "arguments":
        if (
          site.syntax === "arrow" &&
          isOuter &&
          !scopes.occurrences.some((one) => one.start === mark.start && one.binding)
        ) {
          this.#capturedArguments(mark);
        }
        return;
    }
  }

  /** A method is made a method again. An arrow is not in one any more, so there `super` becomes an object. */
  #super(mark: Mark): void {
    if (mark.name === "call") this.#refuse("it calls `super()` of the constructor around it");
    this.#usesSuper = true;
    if (this.#place.site.syntax !== "arrow") return;
    this.#superParameter ??= this.#names.ofLength("super".length);
    this.#thisParameter ??= this.#names.ofLength("this".length);
    this.#replacements.push({ start: mark.start, end: mark.end, text: this.#superParameter });
  }

  #declaresPrivate(mark: Mark): boolean {
    for (const sites of this.#place.scopes.functions.values()) {
      for (const { node, syntax } of sites) {
        if (syntax !== "class" || !this.#isInside(node) || mark.start < node.start || mark.end > node.end) continue;
        const elements = (node["body"] as Node)["body"] as Node[];
        const declares = (element: Node): boolean => {
          const key = element["key"] as Node | undefined;
          return key?.type === "PrivateIdentifier" && key["name"] === mark.name;
        };
        if (elements.some(declares)) return true;
      }
    }
    return false;
  }

  #special(special: NonNullable<VariableDefinition["special"]>, parameter: string, mark: Mark): void {
    this.#replacements.push({ start: mark.start, end: mark.end, text: parameter });
    this.#fixed({ name: special, parameter, special });
  }

  /** A variable that has no value of its own to send. */
  #fixed(variable: VariableDefinition): void {
    if (this.#variables.some((other) => other.name === variable.name)) return;
    this.#variables.push(variable);
    this.#sources.push({ name: variable.name, from: "nowhere", binding: undefined, members: undefined });
  }

  #capturedArguments(mark: Mark): void {
    const known = this.#variables.find((variable) => variable.name === "arguments");
    const parameter = known?.parameter ?? this.#names.ofLength("arguments".length);
    this.#replacements.push({ start: mark.start, end: mark.end, text: parameter });
    if (known !== undefined) return;
    this.#variables.push({ name: "arguments", parameter });
    this.#sources.push({ name: "arguments", from: "scope", binding: undefined, members: undefined });
  }

  // --- variables

  #occurrences(): void {
    const byName = new Map<string, Occurrence[]>();
    for (const one of this.#within(this.#place.scopes.occurrences)) {
      if (one.binding !== undefined && this.#isInside(one.binding.scope.node)) continue;
      if (one.binding === undefined && one.name === "arguments") continue;
      const others = byName.get(one.name);
      if (others === undefined) byName.set(one.name, [one]);
      else others.push(one);
    }
    for (const [name, uses] of byName) this.#variable(name, uses);
  }

  #variable(name: string, uses: readonly Occurrence[]): void {
    const binding = (uses[0] as Occurrence).binding;
    const special = this.#specialName(name, binding);
    if (special !== undefined) return this.#fixed({ name, special });
    const store = this.#store(name, uses);
    if (store !== undefined) return this.#fixed({ name, store });
    if (binding === undefined) return this.#undeclared(name, uses);
    const reference = referenceOf(binding, this.#place);
    const handles = reference === undefined ? undefined : this.#importedHandles(name, uses);
    if (handles !== undefined) {
      this.#variables.push({ name });
      this.#sources.push({ name, from: "scope", binding, members: handles.members });
      return;
    }
    if (reference !== undefined) {
      this.#variables.push(this.#mayChange(binding, uses) ? this.#live(name, uses, reference) : { name, reference });
      this.#sources.push({ name, from: "nowhere", binding, members: undefined });
      return;
    }
    const isExports = name === "__vite_ssr_exports__" || isTransformedImport(binding);
    const members = isExports ? membersOf(uses) : undefined;
    const isWritten = binding.written && binding.kind !== "import" && binding.kind !== "const";
    this.#variables.push(isWritten ? this.#cell(name, uses) : { name });
    this.#sources.push({ name, from: "scope", binding, members });
  }

  /** What is imported, is not called and no object now may be a `let` of its module: a counter, or what is made later. */
  #mayChange({ name, kind, origin }: Binding, uses: readonly Occurrence[]): boolean {
    if (uses.some(({ callee }) => callee)) return false;
    if (kind !== "import" || origin?.from !== "import" || origin.exportName === "*") return false;
    try {
      const value = this.#place.valueOf(name);
      return value === null || (typeof value !== "object" && typeof value !== "function");
    } catch {
      return true; // not initialised yet
    }
  }

  /** `SIZE` becomes `$.SIZE`, of its module's namespace: V8 reads that as fast as the module does. */
  #live(name: string, uses: readonly Occurrence[], reference: VariableReference): VariableDefinition {
    const parameter = this.#memberOf(memberText(reference.exportName), name, uses);
    return { name, parameter, reference, live: true };
  }

  #store(name: string, uses: readonly Occurrence[]): PrivateStore | undefined {
    if (this.#place.site.syntax !== "class") return undefined;
    return privateStore(this.#place.valueOf(name), uses, this.#place.source);
  }

  /**
   * A lock or queue that another module exports is sent as the handle that it is: imported again, it would be another one. Of a
   * module's namespace, the members that are used then.
   */
  #importedHandles(name: string, uses: readonly Occurrence[]): { members: string[] | undefined } | undefined {
    const value = this.#place.valueOf(name);
    if (typeof value !== "object" || value === null || types.isProxy(value)) return undefined;
    if (isHandle(value)) return { members: undefined };
    const members = membersOf(uses);
    const holds = (member: string): boolean => {
      const part: unknown = Object.getOwnPropertyDescriptor(value, member)?.value;
      return typeof part === "object" && part !== null && !types.isProxy(part) && isHandle(part);
    };
    try {
      return members?.some(holds) === true ? { members } : undefined;
    } catch {
      return undefined; // an export that is not initialised yet
    }
  }

  #undeclared(name: string, uses: readonly Occurrence[]): void {
    const where = this.#place.isKnown(name);
    if (where === undefined) return;
    if (name === "module" && where === "scope") this.#refuse("it uses `module`, which belongs to its file");
    const isWritten = where === "scope" && uses.some((use) => use.write);
    this.#variables.push(isWritten ? this.#cell(name, uses) : { name });
    const members = name === "exports" ? membersOf(uses) : undefined;
    this.#sources.push({ name, from: where, binding: undefined, members });
  }

  #specialName(name: string, binding: Binding | undefined): VariableDefinition["special"] {
    if (name === "__vite_ssr_import_meta__") return "import.meta";
    if (name === "__vite_ssr_dynamic_import__") return "import()";
    if (binding !== undefined) return isOwnRequire(binding) ? "require" : undefined;
    if (this.#place.isModule) return undefined;
    return name === "require" || name === "__dirname" || name === "__filename" ? name : undefined;
  }

  /** A variable that is assigned somewhere lives in a cell: `count` becomes `$co.v`. */
  #cell(name: string, uses: readonly Occurrence[]): VariableDefinition {
    return { name, parameter: this.#memberOf(".v", name, uses), written: true };
  }

  /** Has a variable read as a member of a parameter. @returns That parameter; where it can be, the text stays as long as it is. */
  #memberOf(member: string, name: string, uses: readonly Occurrence[]): string {
    const parameter = this.#names.ofLength(name.length - member.length);
    for (const { start, end, shorthand, callee } of uses) {
      let text = parameter + member;
      if (shorthand) text = `${name}:${text}`;
      else if (callee) text = `(0,${text})`;
      this.#replacements.push({ start, end, text });
    }
    return parameter;
  }
}

function memberText(name: string): string {
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

/** The members that are used of an object of exports, if that is all that happens to it. */
function membersOf(uses: readonly Occurrence[]): string[] | undefined {
  const members = new Set<string>();
  for (const { member, memberWrite } of uses) {
    if (member === undefined || memberWrite) return undefined;
    members.add(member);
  }
  return [...members];
}

/** The class element's plain name, if it has one. */
export function elementName(element: Node): string | undefined {
  return element["computed"] === true ? undefined : keyName(element["key"] as Node);
}
