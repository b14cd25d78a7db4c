/** Sends a value through capture and restore without leaving the process: what the codec does, without the bytes. */

import { types } from "node:util";
import { capture, referenceTo, refuseReason } from "../../src/capture/index.ts";
import type { SourceImage } from "../../src/capture/image.ts";
import { loadModule, resolveImage } from "../../src/capture/modules.ts";
import { type Cell, createBound, createFunction, newCell } from "../../src/capture/restore.ts";
import { SerializationError } from "../../src/core/errors.ts";

/** The function as another process would get it. */
export async function travel<F extends Function>(fn: F): Promise<F> {
  const trip = new Trip();
  trip.collect(fn, "task");
  for (const load of trip.loads) await load();
  return trip.value(fn) as F;
}

class Trip {
  readonly loads: (() => Promise<unknown>)[] = [];
  readonly #images = new Map<Function, ReturnType<typeof capture>>();
  readonly #done = new Map<unknown, unknown>();
  readonly #cells = new Map<object, Cell>();
  readonly #collected = new Set<unknown>();

  /** The sender's side: images of everything. */
  collect(value: unknown, path: string, holder?: object): void {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || this.#collected.has(value))
      return;
    this.#collected.add(value);
    if (typeof value === "function") {
      const image = capture(value, path, holder);
      this.#images.set(value, image);
      if (image.kind === "module") this.loads.push(() => loadModule(image.module));
      if (image.kind === "bound")
        for (const part of [image.target, image.boundThis, ...image.boundArgs]) this.collect(part, path);
      if (image.kind !== "source") return;
      image.definition.variables.forEach((variable, i) => {
        const { reference } = variable;
        if (reference !== undefined) this.loads.push(() => loadModule(reference.module));
        this.collect(image.values[i], variable.name);
      });
      this.collect(image.lexicalThis?.value, "this");
      this.collect(image.parent?.value, `${path}.parent`);
      for (const [key, { value: part }] of [...image.properties, ...image.prototypeProperties])
        this.collect(part, `${path}.${String(key)}`, value);
      return;
    }
    const image = referenceTo(value);
    if (image !== undefined) {
      if (image.kind === "module") this.loads.push(() => loadModule(image.module));
      return;
    }
    const reason = refuseReason(value);
    if (reason !== undefined) throw new SerializationError(`Cannot send \`${path}\`: it is ${reason}`, { path });
    const constructor: unknown = (Object.getPrototypeOf(value) as object | null)?.constructor;
    if (isUserClass(constructor)) this.collect(constructor, `${path}.constructor`);
    for (const [key, part] of entriesOf(value)) this.collect(part, `${path}.${key}`, value);
  }

  /** The receiver's side. */
  value(value: unknown): unknown {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return value;
    if (this.#done.has(value)) return this.#done.get(value);
    if (typeof value === "function") return this.#function(value);
    const image = referenceTo(value);
    if (image !== undefined) return resolveImage(image);
    if (value instanceof Map)
      return this.#keep(value, new Map([...value].map(([k, v]) => [this.value(k), this.value(v)])));
    if (value instanceof Set) return this.#keep(value, new Set([...value].map((v) => this.value(v))));
    const constructor: unknown = (Object.getPrototypeOf(value) as object | null)?.constructor;
    if (constructor !== Object && !Array.isArray(value) && !isUserClass(constructor))
      return this.#keep(value, structuredClone(value));
    const prototype = isUserClass(constructor)
      ? ((this.value(constructor) as Function).prototype as object)
      : (Object.getPrototypeOf(value) as object);
    const copy = this.#keep(value, Array.isArray(value) ? [] : (Object.create(prototype) as object));
    for (const [key, part] of entriesOf(value)) (copy as Record<string, unknown>)[key] = this.value(part);
    return copy;
  }

  #keep<T>(value: unknown, copy: T): T {
    this.#done.set(value, copy);
    return copy;
  }

  #function(fn: Function): Function {
    const image = this.#images.get(fn) as ReturnType<typeof capture>;
    if (image.kind === "module" || image.kind === "builtin") return this.#keep(fn, resolveImage(image) as Function);
    if (image.kind === "bound") {
      const draft = createBound();
      this.#keep(fn, draft.fn);
      draft.bind(
        this.value(image.target) as Function,
        this.value(image.boundThis),
        image.boundArgs.map((part) => this.value(part)),
      );
      return draft.fn;
    }
    return this.#source(fn, image);
  }

  #source(fn: Function, image: SourceImage): Function {
    // As through bytes: the definition is plain data.
    const definition = structuredClone(image.definition);
    const cells = image.cells.map((cell) => cell && this.#cell(cell));
    const draft = createFunction(definition, { cells, keys: image.keys });
    this.#keep(fn, draft.fn);
    image.values.forEach((value, i) => {
      const { reference, special } = definition.variables[i] ?? {};
      if (reference === undefined && special === undefined) draft.set(i, this.value(value));
    });
    if (image.lexicalThis !== undefined) draft.setThis(this.value(image.lexicalThis.value));
    if (image.parent !== undefined) draft.setParent(this.value(image.parent.value));
    const moved = (list: SourceImage["properties"]): SourceImage["properties"] =>
      list.map(([key, descriptor]) => [
        key,
        "value" in descriptor ? { ...descriptor, value: this.value(descriptor.value) } : descriptor,
      ]);
    draft.define(moved(image.properties), moved(image.prototypeProperties));
    return draft.fn;
  }

  #cell(identity: object): Cell {
    let cell = this.#cells.get(identity);
    if (cell === undefined) this.#cells.set(identity, (cell = newCell()));
    return cell;
  }
}

function isUserClass(constructor: unknown): constructor is Function {
  return (
    typeof constructor === "function" &&
    !types.isProxy(constructor) &&
    referenceTo(constructor)?.kind !== "builtin" &&
    !/\[native code\]/.test(Function.prototype.toString.call(constructor))
  );
}

function entriesOf(value: object): [string, unknown][] {
  if (value instanceof Map) return [...value].flat().map((part, i) => [String(i), part]);
  if (value instanceof Set) return [...value].map((part, i) => [String(i), part]);
  return Object.entries(value);
}
