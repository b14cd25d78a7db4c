/**
 * What a function is on its way to another process: plain data, but for the captured values, which are live values that
 * the codec encodes in the same graph as everything else (so shared references and cycles through closures survive).
 */

/** A function as it travels. */
export type FunctionImage = ModuleImage | BuiltinImage | BoundImage | SourceImage;

/** An export: imported again in the child. Plain data. */
export interface ModuleImage {
  readonly kind: "module";
  readonly module: ModuleReference;
  /** Name of the export; `"*"` for the namespace itself, `"default"`, or a path such as `"Foo.bar"`. */
  readonly exportName: string;
  /** What the compiler put around the module before it had the export. */
  readonly interop?: VariableReference["interop"];
}

/** A module as somebody names it: `specifier` is resolved as an import (or require) standing in `importer` would be. */
export interface ModuleReference {
  /** URL of the file in which the specifier stands; undefined when the specifier is absolute (file:, node:). */
  readonly importer: string | undefined;
  readonly specifier: string;
  readonly how: "import" | "require";
}

/** Something of the platform that has a name: `Math.max`, `node:fs` `readFileSync`. Plain data. */
export interface BuiltinImage {
  readonly kind: "builtin";
  /** `"globalThis"` or a `node:` module. */
  readonly from: string;
  /** Path of property names: `["Math", "max"]`. Empty for the module itself. */
  readonly path: readonly string[];
}

/** A bound function: the codec encodes target, `this` and arguments. */
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
  /**
   * Values of the captured variables, in the order of `definition.variables`; read at the moment of the call.
   * undefined, and not to be sent, where the variable has a `reference`, is `special` or a `store`.
   */
  readonly values: readonly unknown[];
  /** `this` of an arrow function that uses it; absent otherwise. */
  readonly lexicalThis?: { readonly value: unknown };
  /** The prototype of the object whose method this is; for a function that uses `super`, absent otherwise. */
  readonly homePrototype?: { readonly value: object | null };
  /** The parent of a class with `extends`, or of an old-style constructor (from the prototype chain; may be null); absent otherwise. */
  readonly parent?: { readonly value: unknown };
  /**
   * Identity of each *written* captured variable's storage, parallel to `values`: equal objects mean one shared variable.
   * undefined for a variable that nobody assigns after its declaration.
   */
  readonly cells: readonly (object | undefined)[];
  /**
   * Names of a class's computed members, parallel to `definition.keyParameters`: strings and symbols, needed before the
   * class can be created. Nearly always empty.
   */
  readonly keys: readonly (string | symbol)[];
  /** Own properties to set afterwards (static fields of a class, properties put on a function), key and value. */
  readonly properties: readonly (readonly [string | symbol, PropertyDescriptor])[];
  /** Properties of `prototype` that are not in the class's text (patched or decorated); for classes and old-style constructors. */
  readonly prototypeProperties: readonly (readonly [string | symbol, PropertyDescriptor])[];
}

/** The part of a function that never changes, as plain data; equal text at the same place is the same definition object. */
export interface FunctionDefinition {
  /** Content hash: the same in every process of the program. */
  readonly id: string;
  /**
   * The text as V8 has it, but for replacements that keep every position (`import.meta`, the parent of a class, static
   * initialisers): ready to be compiled inside a factory.
   */
  readonly source: string;
  readonly syntax: "arrow" | "function" | "method" | "getter" | "setter" | "class";
  /** The function's `name`. */
  readonly name: string;
  /** The file as V8 knows it (a URL for a module, a path for CommonJS); with line and column, from 0, of `source` in it. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
  readonly strict: boolean;
  readonly isModule: boolean;
  readonly variables: readonly VariableDefinition[];
  /** What `this` of the enclosing function is called in `source`; set for an arrow that uses it. */
  readonly thisParameter?: string | undefined;
  /** True for a method or arrow that uses `super`. */
  readonly usesSuper?: true | undefined;
  /** What `super` is called in `source`; set for an arrow that uses it. */
  readonly superParameter?: string | undefined;
  /** What the parent class is called in `source`; set for a class with `extends` and for an old-style constructor that inherits. */
  readonly parentParameter?: string | undefined;
  /** What the computed member names are called in `source`. */
  readonly keyParameters: readonly string[];
}

/** What a class keeps things of its instances in. */
export type PrivateStore = "WeakMap" | "WeakSet";

/** One captured variable. */
export interface VariableDefinition {
  /** Its name in the program. */
  readonly name: string;
  /** Its name in `source`, where that differs. */
  readonly parameter?: string | undefined;
  /** True when somebody assigns it: `source` then reads and writes `parameter.v`, and functions share the cell. */
  readonly written?: true | undefined;
  /** Set for an import binding: not copied but imported again; its entry in `values` is undefined. */
  readonly reference?: VariableReference | undefined;
  /** True for an import binding whose module may assign it: `source` reads it as a member of `parameter`, the module's exports. */
  readonly live?: true | undefined;
  /** Set for what each file has of its own: made anew in the child for the file `definition.url`. */
  readonly special?: "require" | "__dirname" | "__filename" | "import.meta" | "import()" | undefined;
  /** Set for what a class keeps of its instances (see private-stores.ts): starts empty in the child. */
  readonly store?: PrivateStore | undefined;
}

/** What a variable stands for that was bound by an import or a `require` at the top of its file. */
export interface VariableReference {
  readonly module: ModuleReference;
  /** As in ModuleImage. */
  readonly exportName: string;
  /** The wrapper that a compiler put around `require()`: `__importDefault`, `__importStar`, `__toESM(…, 1)`. */
  readonly interop?: "default" | "star" | "node" | undefined;
}
