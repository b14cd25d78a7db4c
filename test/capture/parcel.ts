/* oxlint-disable typescript/unbound-method -- parts of property descriptors are not called here */
/**
 * A small codec for the tests of this folder: a flat table of nodes in v8's format. It sends what capture and restore need to be tried
 * with real bytes, and nothing more.
 */

import { types } from "node:util";
import { deserialize, serialize } from "node:v8";
import { capture, referenceTo, refuseReason } from "../../src/capture/index.ts";
import type {
  BuiltinImage,
  FunctionDefinition,
  ModuleImage,
  ModuleReference,
  SourceImage,
} from "../../src/capture/image.ts";
import { loadModule, resolveImage } from "../../src/capture/modules.ts";
import { type Cell, createFunction, newCell } from "../../src/capture/restore.ts";
import { createBound } from "../../src/capture/restore-bound.ts";
import { SerializationError } from "../../src/core/errors.ts";

type Key = { name: string } | { symbol: string; wellKnown: boolean };
type Property = { key: Key; value?: number; get?: number; set?: number; flags: number };

type Node =
  | { kind: "plain"; value: unknown }
  | { kind: "symbol"; key: Key }
  | { kind: "reference"; image: ModuleImage | BuiltinImage }
  | { kind: "object"; isArray: boolean; prototype: number | null; properties: Property[] }
  | { kind: "map" | "set"; parts: number[] }
  | { kind: "error"; base: string; constructor: number | null; stack: string; properties: Property[] }
  | { kind: "bound"; target: number; boundThis: number; boundArgs: number[] }
  | {
      kind: "source";
      definition: FunctionDefinition;
      values: (number | null)[];
      cells: (number | null)[];
      keys: Key[];
      lexicalThis: number | null;
      homePrototype: number | null;
      parent: number | null;
      properties: Property[];
      prototypeProperties: Property[];
    };

/** The function as another process would get it. */
export async function travel<T>(value: T): Promise<T> {
  return (await unpack(pack(value, "task"))) as T;
}

export function pack(value: unknown, path: string): Uint8Array {
  const packer = new Packer();
  packer.id(value, path);
  return serialize({ nodes: packer.nodes, modules: packer.modules });
}

export async function unpack(bytes: Uint8Array): Promise<unknown> {
  const { nodes, modules } = deserialize(bytes) as { nodes: Node[]; modules: ModuleReference[] };
  for (const module of modules) await loadModule(module);
  return new Unpacker(nodes).value(0);
}

class Packer {
  readonly nodes: Node[] = [];
  readonly modules: ModuleReference[] = [];
  readonly #ids = new Map<unknown, number>();
  readonly #cells = new Map<object, number>();

  id(value: unknown, path: string, holder?: object): number {
    const known = this.#ids.get(value);
    if (known !== undefined) return known;
    const id = this.nodes.length;
    this.#ids.set(value, id);
    this.nodes.push({ kind: "plain", value: undefined });
    this.nodes[id] = this.#node(value, path, holder);
    return id;
  }

  #node(value: unknown, path: string, holder?: object): Node {
    if (typeof value === "symbol") return { kind: "symbol", key: packKey(value) };
    if (typeof value === "function") return this.#function(value, path, holder);
    if (typeof value !== "object" || value === null) return { kind: "plain", value };
    const image = referenceTo(value);
    if (image !== undefined) return this.#reference(image);
    const reason = refuseReason(value);
    if (reason !== undefined) throw new SerializationError(`Cannot send \`${path}\`: it is ${reason}`, { path });
    if (value instanceof Map) return { kind: "map", parts: [...value].flat().map((part) => this.id(part, path)) };
    if (value instanceof Set) return { kind: "set", parts: [...value].map((part) => this.id(part, path)) };
    if (types.isNativeError(value)) return this.#error(value, path);
    const prototype = Object.getPrototypeOf(value) as object | null;
    const isUsers = prototype !== null && prototype !== Object.prototype && referenceTo(prototype) === undefined;
    if (!isUsers && prototype !== null && prototype !== Object.prototype && !Array.isArray(value)) {
      if (value instanceof URL)
        return { kind: "reference", image: { kind: "builtin", from: "url", path: [value.href] } };
      return { kind: "plain", value };
    }
    const constructor = isUsers ? (prototype.constructor as unknown) : undefined;
    return {
      kind: "object",
      isArray: Array.isArray(value),
      prototype: constructor === undefined ? null : this.id(constructor, `${path}.constructor`),
      properties: this.#properties(Object.entries(Object.getOwnPropertyDescriptors(value)), path, value),
    };
  }

  #error(error: Error, path: string): Node {
    const { name } = error.constructor;
    const own = Object.entries(Object.getOwnPropertyDescriptors(error)).filter(([key]) => key !== "stack");
    const isUsers = referenceTo(error.constructor)?.kind !== "builtin";
    return {
      kind: "error",
      base: name,
      constructor: isUsers ? this.id(error.constructor, path) : null,
      stack: String(error.stack),
      properties: this.#properties(own, path, error),
    };
  }

  #reference(image: ModuleImage | BuiltinImage): Node {
    if (image.kind === "module") this.modules.push(image.module);
    return { kind: "reference", image };
  }

  #function(fn: Function, path: string, holder: object | undefined): Node {
    const image = capture(fn, path, holder);
    if (image.kind === "module" || image.kind === "builtin") return this.#reference(image);
    if (image.kind === "bound") {
      return {
        kind: "bound",
        target: this.id(image.target, path, image.boundThis as object),
        boundThis: this.id(image.boundThis, path),
        boundArgs: image.boundArgs.map((part) => this.id(part, path)),
      };
    }
    const { definition, lexicalThis, homePrototype, parent } = image;
    return {
      kind: "source",
      definition,
      values: definition.variables.map((variable, i) => {
        if (variable.reference !== undefined) this.modules.push(variable.reference.module);
        const isSent = variable.reference === undefined && variable.special === undefined;
        return isSent ? this.id(image.values[i], variable.name) : null;
      }),
      cells: image.cells.map((cell) => (cell === undefined ? null : this.#cell(cell))),
      keys: image.keys.map(packKey),
      lexicalThis: lexicalThis === undefined ? null : this.id(lexicalThis.value, "this"),
      homePrototype: homePrototype === undefined ? null : this.id(homePrototype.value, "super"),
      parent: parent === undefined ? null : this.id(parent.value, `${path}.parent`),
      properties: this.#properties(image.properties, path, fn),
      prototypeProperties: this.#properties(image.prototypeProperties, path),
    };
  }

  #cell(identity: object): number {
    const id = this.#cells.get(identity) ?? this.#cells.size;
    this.#cells.set(identity, id);
    return id;
  }

  #properties(list: SourceImage["properties"], path: string, holder?: object): Property[] {
    return list.map(([key, { value, get, set, enumerable, configurable, writable }]) => {
      const part = `${path}.${String(key)}`;
      const flags = Number(enumerable) + 2 * Number(configurable) + 4 * Number(writable ?? false);
      if (get === undefined && set === undefined)
        return { key: packKey(key), value: this.id(value, part, holder), flags };
      const accessor: Property = { key: packKey(key), flags };
      if (get !== undefined) accessor.get = this.id(get, part);
      if (set !== undefined) accessor.set = this.id(set, part);
      return accessor;
    });
  }
}

function packKey(key: string | symbol): Key {
  if (typeof key === "string") return { name: key };
  const registered = Symbol.keyFor(key);
  return {
    symbol: registered ?? (key.description as string).replace("Symbol.", ""),
    wellKnown: registered === undefined,
  };
}

function unpackKey(key: Key): string | symbol {
  if ("name" in key) return key.name;
  return key.wellKnown ? (Symbol[key.symbol as "iterator"] as symbol) : Symbol.for(key.symbol);
}

class Unpacker {
  readonly #nodes: Node[];
  readonly #done = new Map<number, unknown>();
  readonly #cells = new Map<number, Cell>();

  constructor(nodes: Node[]) {
    this.#nodes = nodes;
  }

  value(id: number): unknown {
    return this.#done.has(id) ? this.#done.get(id) : this.#make(id, this.#nodes[id] as Node);
  }

  #keep<T>(id: number, value: T): T {
    this.#done.set(id, value);
    return value;
  }

  #make(id: number, node: Node): unknown {
    switch (node.kind) {
      case "plain":
        return this.#keep(id, node.value);
      case "symbol":
        return this.#keep(id, unpackKey(node.key));
      case "reference":
        if (node.image.kind === "builtin" && node.image.from === "url") return new URL(node.image.path[0] as string);
        return this.#keep(id, resolveImage(node.image));
      case "map": {
        const map = this.#keep(id, new Map());
        for (let i = 0; i < node.parts.length; i += 2)
          map.set(this.value(node.parts[i] as number), this.value(node.parts[i + 1] as number));
        return map;
      }
      case "set": {
        const set = this.#keep(id, new Set());
        for (const part of node.parts) set.add(this.value(part));
        return set;
      }
      case "error": {
        const base = (globalThis as unknown as Record<string, ErrorConstructor>)[node.base] ?? Error;
        const error = this.#keep(id, new base());
        const constructor = node.constructor === null ? undefined : (this.value(node.constructor) as Function);
        if (constructor !== undefined) Object.setPrototypeOf(error, constructor.prototype as object);
        error.stack = node.stack;
        return this.#define(error, node.properties);
      }
      case "object": {
        const prototype =
          node.prototype === null ? Object.prototype : ((this.value(node.prototype) as Function).prototype as object);
        const object = this.#keep(id, node.isArray ? [] : (Object.create(prototype) as object));
        return this.#define(object, node.properties);
      }
      case "bound": {
        const draft = createBound();
        this.#keep(id, draft.fn);
        const args = node.boundArgs.map((part) => this.value(part));
        draft.bind(this.value(node.target) as Function, this.value(node.boundThis), args);
        return draft.fn;
      }
      case "source":
        return this.#source(id, node);
    }
  }

  #source(id: number, node: Node & { kind: "source" }): Function {
    const cells = node.cells.map((cell) => (cell === null ? undefined : this.#cell(cell)));
    const draft = createFunction(node.definition, { cells, keys: node.keys.map(unpackKey) });
    this.#keep(id, draft.fn);
    node.values.forEach((value, i) => value !== null && draft.set(i, this.value(value)));
    if (node.lexicalThis !== null) draft.setThis(this.value(node.lexicalThis));
    if (node.homePrototype !== null) draft.setHomePrototype(this.value(node.homePrototype) as object | null);
    if (node.parent !== null) draft.setParent(this.value(node.parent));
    this.#define(draft.fn, node.properties);
    if (node.prototypeProperties.length > 0) this.#define(draft.fn.prototype as object, node.prototypeProperties);
    return draft.fn;
  }

  #cell(id: number): Cell {
    const cell = this.#cells.get(id) ?? newCell();
    this.#cells.set(id, cell);
    return cell;
  }

  #define<T extends object>(object: T, properties: Property[]): T {
    for (const { key, value, get, set, flags } of properties) {
      const shared = { enumerable: (flags & 1) !== 0, configurable: (flags & 2) !== 0 };
      Object.defineProperty(
        object,
        unpackKey(key),
        get === undefined && set === undefined
          ? { ...shared, writable: (flags & 4) !== 0, value: this.value(value as number) }
          : {
              ...shared,
              ...(get === undefined ? {} : { get: this.value(get) as () => unknown }),
              ...(set === undefined ? {} : { set: this.value(set) as () => void }),
            },
      );
    }
    return object;
  }
}
