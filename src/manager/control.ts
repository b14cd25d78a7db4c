/** The manager itself as an object: it makes the others, and knows those that are shared by name. */

import { StateError } from "../core/errors.ts";
import { checkFunction, checkString, typeError } from "../core/options.ts";
import { isKind } from "./kinds.ts";
import type { ObjectTable, Sharing } from "./object-table.ts";
import { RemoteProxy } from "./remote-proxy.ts";
import type { BoundAddress, StrangerServerOptions } from "./stranger-options.ts";
import type { Concurrency } from "./surface.ts";

type AnyClass = new (...args: never[]) => object;
type Factory = (...args: never[]) => object;

/** What a name in `static types` stands for. */
export type ManagedType =
  | AnyClass
  | Factory
  | {
      /** The class, or a function that gives the object. */
      readonly type: AnyClass | Factory;
      /** Exactly the names to expose; default: all that do not start with an underscore. */
      readonly exposed?: readonly string[];
      /** True: calls do not wait for the promises of earlier ones; or the names of the methods that others may overtake. */
      readonly concurrent?: Concurrency;
    };

/** The classes, or functions that make objects, that a manager knows by name: `static types` of a class derived from Manager. */
export type ManagedTypes = Readonly<Record<string, ManagedType>>;

export class Control {
  readonly #table: ObjectTable;
  #types: ManagedTypes = {};
  readonly #shared = new Map<string, object>();
  readonly #shutdown: () => void;
  readonly #listen: (options: StrangerServerOptions, expose: readonly string[] | undefined) => Promise<BoundAddress>;

  constructor(
    table: ObjectTable,
    shutdown: () => void,
    listen: (options: StrangerServerOptions, expose: readonly string[] | undefined) => Promise<BoundAddress>,
  ) {
    this.#listen = listen;
    this.#table = table;
    this.#shutdown = shutdown;
  }

  /** What the owner says first: which types there are; runs the initializer. */
  async hello(
    types: ManagedTypes,
    initializer?: (...args: unknown[]) => unknown,
    initArgs: readonly unknown[] = [],
  ): Promise<void> {
    this.#types = types;
    await initializer?.(...initArgs);
  }

  make(kind: string, ...args: unknown[]): object {
    return this.#table.make(kind, args);
  }

  create(type: string | ManagedType, ...args: unknown[]): object {
    const found = typeof type === "string" ? this.#typeNamed(type) : type;
    const { type: maker, exposed, concurrent } = typeof found === "object" ? found : { type: found };
    checkFunction("type", maker);
    const target: unknown = isClass(maker)
      ? Reflect.construct(maker, args)
      : Reflect.apply(maker as Factory, undefined, args);
    const name = typeof type === "string" ? type : maker.name || "object";
    return this.#shareMade(target, name, { exposed, concurrency: concurrent ?? concurrencyOf(maker) });
  }

  /** Gives an object a name that strangers, and others of the family, find it by. */
  share(name: string, proxy: object): void {
    checkString("name", name);
    if (!(proxy instanceof RemoteProxy)) throw typeError("proxy", "a proxy of this manager", proxy);
    this.#shared.set(name, proxy);
  }

  unshare(name: string): boolean {
    return this.#shared.delete(name);
  }

  /** The object that is shared by a name. @throws {RangeError} If there is none; names it. */
  get(name: string): object {
    const proxy = this.#shared.get(name);
    if (proxy === undefined) {
      throw Object.assign(new RangeError(`The manager shares no object named "${name}"`), {
        code: "ERR_NO_SUCH_OBJECT",
      });
    }
    return proxy;
  }

  names(): string[] {
    return [...this.#shared.keys()];
  }

  /** How many objects are held by processes. */
  numberOfObjects(): number {
    this.#table.sweep();
    return this.#table.size;
  }

  /** Lets strangers in. @param expose Names of the types that they can make objects of; default: all. */
  listen(options: StrangerServerOptions, expose: readonly string[] | undefined): Promise<BoundAddress> {
    for (const name of expose ?? []) if (!isKind(name)) this.#typeNamed(name);
    return this.#listen(options, expose);
  }

  shutdown(): void {
    this.#shutdown();
  }

  #typeNamed(name: string): ManagedType {
    if (Object.hasOwn(this.#types, name)) return this.#types[name] as ManagedType;
    const known = Object.keys(this.#types).map((each) => `"${each}"`);
    throw Object.assign(
      new TypeError(`The manager has no type "${name}"${known.length === 0 ? "" : `; it knows ${known.join(", ")}`}`),
      { code: "ERR_NO_SUCH_TYPE" },
    );
  }

  #shareMade(target: unknown, name: string, sharing: Sharing): object | Promise<object> {
    if (target instanceof Promise) return target.then((made: unknown) => this.#shareMade(made, name, sharing));
    if (target instanceof RemoteProxy) return target;
    if ((typeof target !== "object" && typeof target !== "function") || target === null) {
      throw new StateError(`Cannot share what "${name}" made: it is no object`);
    }
    return this.#table.share(target, name, sharing);
  }
}

/** A class, one of the language, or a function with methods for `new` as in older code; any other function is called. */
function isClass(maker: Function): boolean {
  const source = Function.prototype.toString.call(maker);
  if (/^class\b/.test(source)) return true;
  const { prototype } = maker as { prototype?: object };
  if (typeof prototype !== "object" || !source.startsWith("function ")) return false;
  return /\{\s*\[native code\]\s*\}$/.test(source) || Reflect.ownKeys(prototype).length > 1;
}

/** `static concurrent` of a class: true, or names of methods. */
function concurrencyOf(maker: Function): Concurrency {
  const { concurrent } = maker as { concurrent?: unknown };
  return concurrent === true || Array.isArray(concurrent) ? (concurrent as Concurrency) : false;
}
