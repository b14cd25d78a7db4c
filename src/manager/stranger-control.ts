import type { Control } from "./control.ts";

/** The manager itself as strangers see it: objects that are shared, and types that are exposed, by name. */
export class StrangerControl {
  readonly #control: Control;
  readonly #exposes: (name: string) => boolean;

  constructor(control: Control, exposes: (name: string) => boolean) {
    this.#control = control;
    this.#exposes = exposes;
  }

  get(name: string): object {
    return this.#control.get(name);
  }

  make(kind: string, ...args: unknown[]): object {
    this.#assertExposed(kind);
    return this.#control.make(kind, ...args);
  }

  create(type: unknown, ...args: unknown[]): object {
    this.#assertExposed(type);
    return this.#control.create(type as string, ...args);
  }

  #assertExposed(name: unknown): void {
    if (typeof name === "string" && this.#exposes(name)) return;
    throw Object.assign(new TypeError(`The manager does not expose the type ${JSON.stringify(name)} to strangers`), {
      code: "ERR_NO_SUCH_TYPE",
    });
  }
}
