import { checkFunction, checkString, typeError } from "../../core/options.ts";
import { RemoteProxy } from "../remote-proxy.ts";
import { contentOf } from "./content.ts";

/** Named values. */
export class ManagedNamespace {
  readonly #values = new Map<string, unknown>();

  constructor(values: Readonly<Record<string, unknown>> = {}) {
    const content = contentOf("values", values);
    if (typeof content !== "object" || content === null || content instanceof RemoteProxy) {
      throw typeError("values", "an object", values);
    }
    const entries = content instanceof Map ? (content as Map<string, unknown>) : Object.entries(content);
    for (const [name, value] of entries) this.set(name, value);
  }

  /** The value; undefined if there is none. */
  get(name: string): unknown {
    return this.#values.get(name);
  }

  set(name: string, value: unknown): void {
    checkString("name", name);
    this.#values.set(name, value);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  delete(name: string): boolean {
    return this.#values.delete(name);
  }

  /** The names; those that start with an underscore are left out. */
  keys(): string[] {
    return [...this.#values.keys()].filter((name) => !name.startsWith("_"));
  }

  /** The values by name; names that start with an underscore are left out. */
  toObject(): Record<string, unknown> {
    return Object.fromEntries([...this.#values].filter(([name]) => !name.startsWith("_")));
  }

  /** Replaces a value by what `fn`, which runs in the manager, makes of it; nothing else happens meanwhile. Gives the new one. */
  async update(name: string, fn: (value: unknown) => unknown): Promise<unknown> {
    checkString("name", name);
    checkFunction("fn", fn);
    const value = await fn(this.#values.get(name));
    this.#values.set(name, value);
    return value;
  }
}
