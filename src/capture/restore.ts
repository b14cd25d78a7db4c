/**
 * From a definition back to a function, in the process that received it.
 *
 * The text is compiled once, inside a factory whose parameters are the captured variables, so that code runs as fast as in
 * its own file; it keeps file name, line and column. The function exists before its variables have their values: the codec
 * creates it, remembers it, decodes the values (which may refer to it again) and sets them. No acorn, no inspector, no FFI:
 * a fresh child loads this file.
 */

import { vm } from "../core/node-builtins.ts";
import type { FunctionDefinition, SourceImage, VariableDefinition } from "./image.ts";
import { specialValue } from "./file-values.ts";
import { liveExports, resolveVariable } from "./modules.ts";

/**
 * The storage of a variable that is assigned somewhere. Functions that share the variable share the cell (the codec makes
 * one per identity in `SourceImage.cells` and message).
 */
export interface Cell {
  v: unknown;
}

/** A function under construction, and the access to its variables that a resend needs. */
export interface FunctionDraft {
  readonly fn: Function;
  readonly definition: FunctionDefinition;
  /** Gives the variable `definition.variables[index]` its value; one that is shared sets its cell. */
  set(index: number, value: unknown): void;
  /** Gives an arrow its `this`; only where `definition.thisParameter` is set. */
  setThis(value: unknown): void;
  /** Gives a method or arrow that uses `super` the prototype of its home object: `SourceImage.homePrototype`. */
  setHomePrototype(value: object | null): void;
  /** Gives a class, or an old-style constructor, its parent: `SourceImage.parent`, a constructor or null. */
  setParent(value: unknown): void;
  /** Sets own properties and those of `prototype`, as the image has them. */
  define(properties: SourceImage["properties"], prototypeProperties: SourceImage["prototypeProperties"]): void;
}

/** What must be there before the function can be created. */
export interface DraftOptions {
  /** One cell for each variable that is `written`, parallel to `definition.variables`. Missing ones are made. */
  readonly cells?: readonly (Cell | undefined)[] | undefined;
  /** `SourceImage.keys`. */
  readonly keys?: readonly (string | symbol)[] | undefined;
}

type Assign = (slot: number, value: unknown) => void;
type Read = () => unknown[];
type Factory = (...parameters: unknown[]) => [fn: Function, assign: Assign, read: Read];

interface Compiled {
  readonly factory: Factory;
  /** Values of the parameters that are the same for every function of this definition; the rest is undefined. */
  readonly fixed: readonly unknown[];
  readonly hasWritten: boolean;
}

const THIS_SLOT = -1;
const HOME_SLOT = -2;

const compiledById = new Map<string, Compiled>();
const drafts = new WeakMap<Function, Draft>();

/** A cell to hand to `createFunction`. */
export function newCell(): Cell {
  return { v: undefined };
}

/**
 * Creates the function of a definition; its variables are undefined until `set`.
 * Modules that it imports must have been loaded (`loadModule`), or be loadable synchronously.
 */
export function createFunction(definition: FunctionDefinition, options: DraftOptions = {}): FunctionDraft {
  let compiled = compiledById.get(definition.id);
  if (compiled === undefined) compiledById.set(definition.id, (compiled = compile(definition)));
  const parameters = compiled.fixed.slice();
  const { variables, keyParameters } = definition;
  if (compiled.hasWritten) {
    for (let i = 0; i < variables.length; i++) {
      if (variables[i]?.written === true) parameters[i] = options.cells?.[i] ?? newCell();
    }
  }
  for (let i = 0; i < keyParameters.length; i++) parameters[variables.length + i] = options.keys?.[i];
  const [fn, assign, read] = compiled.factory(...parameters);
  const draft = new Draft(fn, definition, assign, read, options.keys);
  drafts.set(fn, draft);
  return draft;
}

/** What a function that was created here is made of, as it is now. */
export interface RestoredParts {
  readonly definition: FunctionDefinition;
  readonly values: readonly unknown[];
  readonly cells: readonly (object | undefined)[];
  readonly keys: readonly (string | symbol)[];
  readonly lexicalThis: unknown;
  readonly homePrototype: { readonly value: object | null } | undefined;
}

/** For a function that was created here: its parts, so that it travels on without any analysis. */
export function restoredParts(fn: Function): RestoredParts | undefined {
  return drafts.get(fn)?.parts();
}

/** For a function that was created here: the access to its variables. */
export function draftOf(fn: Function): FunctionDraft | undefined {
  return drafts.get(fn);
}

class Draft implements FunctionDraft {
  readonly fn: Function;
  readonly definition: FunctionDefinition;
  readonly #assign: Assign;
  readonly #read: Read;
  readonly #keys: readonly (string | symbol)[];
  #lexicalThis: unknown;
  #homePrototype: { readonly value: object | null } | undefined;

  constructor(
    fn: Function,
    definition: FunctionDefinition,
    assign: Assign,
    read: Read,
    keys: readonly (string | symbol)[] = [],
  ) {
    this.#keys = keys;
    this.fn = fn;
    this.definition = definition;
    this.#assign = assign;
    this.#read = read;
  }

  set(index: number, value: unknown): void {
    this.#assign(index, value);
  }

  setThis(value: unknown): void {
    this.#lexicalThis = value;
    this.#assign(THIS_SLOT, value);
  }

  setHomePrototype(value: object | null): void {
    this.#homePrototype = { value };
    const { superParameter } = this.definition;
    const home = superParameter === undefined ? value : superOf(value, () => this.#lexicalThis);
    this.#assign(HOME_SLOT, home);
  }

  setParent(value: unknown): void {
    // The class was created with a stand-in; `super` looks its prototype chain up at each call, so this is all there is.
    Object.setPrototypeOf(this.fn, value === null ? Function.prototype : (value as object));
    const prototype = this.fn.prototype as object;
    Object.setPrototypeOf(prototype, value === null ? null : ((value as Function).prototype as object | null));
  }

  define(properties: SourceImage["properties"], prototypeProperties: SourceImage["prototypeProperties"]): void {
    for (const [key, descriptor] of properties) Object.defineProperty(this.fn, key, descriptor);
    const prototype = this.fn.prototype as object;
    for (const [key, descriptor] of prototypeProperties) Object.defineProperty(prototype, key, descriptor);
  }

  parts(): RestoredParts {
    const values = this.#read();
    const cells: (object | undefined)[] = [];
    this.definition.variables.forEach((variable, i) => {
      cells.push(undefined);
      if (isFixed(variable)) values[i] = undefined;
      if (variable.written !== true) return;
      const cell = values[i] as Cell;
      cells[i] = cell;
      values[i] = cell.v;
    });
    const { definition } = this;
    return {
      definition,
      values,
      cells,
      keys: this.#keys,
      lexicalThis: this.#lexicalThis,
      homePrototype: this.#homePrototype,
    };
  }
}

/**
 * What stands for `super` in an arrow that is not in its method any more: reads and writes start at the prototype, for `this` of the method.
 */
function superOf(prototype: object | null, thisOf: () => unknown): object {
  return new Proxy(Object.create(null) as object, {
    get(_target, key) {
      const self = thisOf();
      const value: unknown = prototype === null ? undefined : Reflect.get(prototype, key, self);
      if (typeof value !== "function") return value;
      // `super.method()` is called with this object for its `this`.
      return new Proxy(value, { apply: (fn, _this, args) => Reflect.apply(fn, self, args) as unknown });
    },
    set(_target, key, value) {
      return Reflect.set(prototype ?? Object.create(null), key, value, thisOf());
    },
  });
}

/** Whether a variable has no value that is sent. */
export function isFixed(variable: VariableDefinition): boolean {
  return variable.reference !== undefined || variable.special !== undefined || variable.store !== undefined;
}

/** The value of a variable that every function of the definition shares: an import, or what each file has of its own. */
function fixedValue(variable: VariableDefinition, definition: FunctionDefinition): unknown {
  if (variable.reference !== undefined)
    return variable.live === true ? liveExports(variable.reference) : resolveVariable(variable.reference);
  if (variable.special !== undefined) return specialValue(variable.special, definition.url);
  if (variable.store !== undefined) return variable.store === "WeakMap" ? new WeakMap() : new WeakSet();
  return undefined;
}

function compile(definition: FunctionDefinition): Compiled {
  const { variables, keyParameters, parentParameter } = definition;
  const factory = compileOnly(definition).runInThisContext() as Factory;
  const fixed = variables.map((variable) => fixedValue(variable, definition));
  for (let i = 0; i < keyParameters.length; i++) fixed.push(undefined);
  if (parentParameter !== undefined) fixed.push(class {});
  return {
    factory,
    fixed,
    hasWritten: variables.some((variable) => variable.written),
  };
}

/** The script whose value is the factory. */
export function compileOnly(definition: FunctionDefinition): import("node:vm").Script {
  const [prefix, suffix] = factoryText(definition);
  const { source, url, line, column } = definition;
  // On a line of its own the text looks as in its file when Node prints it. Minified code stands too far right for that: there
  // prefix and text share a line, moved to the left.
  const isFar = column > 2000;
  const code = isFar ? prefix + source + suffix : `${prefix}\n${" ".repeat(column)}${source}${suffix}`;
  return new (vm().Script)(code, {
    filename: url,
    lineOffset: isFar ? line : line - 1,
    columnOffset: isFar ? column - prefix.length : 0,
  });
}

/** What stands before and after the function's text; no line break before it. */
function factoryText(definition: FunctionDefinition): [prefix: string, suffix: string] {
  const { variables, keyParameters, parentParameter, thisParameter, superParameter, strict } = definition;
  const names = variables.map((variable) => variable.parameter ?? variable.name);
  const parameters = [...names, ...keyParameters];
  if (parentParameter !== undefined) parameters.push(parentParameter);
  if (thisParameter !== undefined) parameters.push(thisParameter);
  if (superParameter !== undefined) parameters.push(superParameter);
  const slot = freeName("$slot", parameters);
  const value = freeName("$value", parameters);
  const cases = names.map((name, i) => {
    const variable = variables[i] as VariableDefinition;
    if (isFixed(variable)) return "";
    return `case ${i}:${variable.written === true ? `${name}.v` : name}=${value};break;`;
  });
  if (thisParameter !== undefined) cases.push(`case ${THIS_SLOT}:${thisParameter}=${value};break;`);
  const home = freeName("$home", parameters);
  if (superParameter !== undefined) cases.push(`case ${HOME_SLOT}:${superParameter}=${value};break;`);
  else if (definition.usesSuper === true)
    cases.push(`case ${HOME_SLOT}:Object.setPrototypeOf(${home},${value});break;`);
  const assign = `(${slot},${value})=>{switch(${slot}){${cases.join("")}}}`;
  const read = `()=>[${names.join(",")}]`;
  const [open, close] = holder(definition, home);
  return [
    `(function(${parameters.join(",")}){${strict ? '"use strict";' : ""}let ${home};return[${open}`,
    `\n${close},${assign},${read}]})`,
  ];
}

/** An expression around the text whose value is the function, and which gives it its name where the text has none. */
function holder({ syntax, name }: FunctionDefinition, home: string): [open: string, close: string] {
  switch (syntax) {
    case "method":
    case "getter":
    case "setter": {
      const part = syntax === "method" ? "value" : syntax === "getter" ? "get" : "set";
      return [`(o=>(${home}=o,Object.getOwnPropertyDescriptor(o,Reflect.ownKeys(o)[0])))({`, `}).${part}`];
    }
    default: {
      const key = JSON.stringify(name === "__proto__" ? "" : name);
      return [`({${key}:`, `})[${key}]`];
    }
  }
}

function freeName(wanted: string, taken: readonly string[]): string {
  let name = wanted;
  while (taken.includes(name)) name += "$";
  return name;
}
