/**
 * What a function is on its way to another process: plain data, but for the captured values, which are live values that
 * the codec encodes in the same graph as everything else (so shared references and cycles through closures survive).
 */

/** A function as it travels. */
export type FunctionImage = ModuleImage | BuiltinImage | BoundImage | SourceImage;

/** An export: imported again in the child. */
export interface ModuleImage {
  readonly kind: "module";
  readonly module: ModuleReference;
  /** Name of the export; `"*"` for the namespace itself, `"default"`, or a path such as `"Foo.bar"`. */
  readonly exportName: string;
}

/** A module as somebody names it: `specifier` is resolved as an import (or require) standing in `importer` would be. */
export interface ModuleReference {
  /** URL of the file in which the specifier stands; undefined when the specifier is absolute (file:, node:). */
  readonly importer: string | undefined;
  readonly specifier: string;
  readonly how: "import" | "require";
}

/** Something of the platform that has a name: `Math.max`, `node:fs` `readFileSync`. */
export interface BuiltinImage {
  readonly kind: "builtin";
  /** `"globalThis"` or a `node:` module. */
  readonly from: string;
  /** Path of property names: `["Math", "max"]`. */
  readonly path: readonly string[];
}

export interface BoundImage {
  readonly kind: "bound";
  readonly target: Function;
  readonly boundThis: unknown;
  readonly boundArgs: readonly unknown[];
}

/** A function or class that is defined where it is used: its text and its variables are copied. */
export interface SourceImage {
  readonly kind: "source";
  readonly definition: FunctionDefinition;
  /** Values of the captured variables, in the order of `definition.variables`; read at the moment of the call. */
  readonly values: readonly unknown[];
  /** `this` of an arrow function that uses it; absent otherwise. */
  readonly lexicalThis?: { readonly value: unknown };
  /** The parent of a class with `extends` (taken from the prototype chain); absent otherwise. */
  readonly parent?: { readonly value: unknown };
  /**
   * Identity of each *written* captured variable's storage, parallel to `values`: equal objects mean one shared variable.
   * undefined for a variable that nobody assigns after its declaration.
   */
  readonly cells: readonly (object | undefined)[];
  /** Own properties to set afterwards (static fields of a class, properties put on a function), key and value. */
  readonly properties: readonly (readonly [string | symbol, PropertyDescriptor])[];
  /** Properties of `prototype` that are not in the class's text (patched or decorated); for classes and old-style constructors. */
  readonly prototypeProperties: readonly (readonly [string | symbol, PropertyDescriptor])[];
}

/** The part of a function that never changes; equal text at the same place is the same definition object. */
export interface FunctionDefinition {
  /** Content hash: the same in every process of the program. */
  readonly id: string;
  /** The text as V8 has it. */
  readonly source: string;
  readonly syntax: "arrow" | "function" | "method" | "getter" | "setter" | "class";
  /** URL of the file as V8 knows it; with line and column (from 0) of the first character of `source` there. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
  readonly strict: boolean;
  readonly isModule: boolean;
  readonly sourceMapUrl?: string | undefined;
  readonly variables: readonly VariableDefinition[];
}

/** One captured variable. */
export interface VariableDefinition {
  readonly name: string;
  /** Set for an import binding: not copied but imported again; its entry in `values` is undefined. */
  readonly reference?: { readonly module: ModuleReference; readonly exportName: string };
}
