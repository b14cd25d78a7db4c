import { checkFunction, checkString, typeError } from "../../core/options.ts";

/** Named values. */
export class ManagedNamespace {
  readonly #values = new Map<string, unknown>();

  constructor(values: Readonly<Record<string, unknown>> = {}) {
    if (typeof values !== "object" || values === null) throw typeError("values", "an object", values);
    for (const [name, value] of Object.entries(values)) this.#values.set(name, value);
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
