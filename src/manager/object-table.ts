/**
 * The objects of a manager. An object lives while a process of the family holds it (its cell's bits say so), a reference to it
 * is under way, a stranger holds it, it is shared by name, or another object of the manager refers to it: that last one is
 * seen by the garbage collector, so rings of objects that refer to each other are freed as well.
 */

import { allocateCell, type Cell, isSoleHolder } from "../memory/index.ts";
import { isKind, kindNamed, surfaceOfKind } from "./kinds.ts";
import { ManagedIterator } from "./objects/iterator.ts";
import { SharedObject } from "./shared-object.ts";
import { type Concurrency, type Surface, surfaceOf } from "./surface.ts";

const CELL_BYTES = 16;

/** How an object of a class is shared. */
export interface Sharing {
  /** Exactly the names to expose; default: all without a leading underscore. */
  readonly exposed?: readonly string[] | undefined;
  readonly concurrency?: Concurrency | undefined;
}

export class ObjectTable {
  /** Objects that somebody outside holds, or may. */
  readonly #held = new Map<number, SharedObject>();
  /** All objects, those too that only others of this manager refer to. */
  readonly #known = new Map<number, WeakRef<SharedObject>>();
  readonly #collected = new FinalizationRegistry<number>((id) => {
    if (this.#known.get(id)?.deref() === undefined) this.#known.delete(id);
  });
  readonly #makeProxy: (object: SharedObject) => object;

  /** @param makeProxy Makes what stands for an object in the server's own process. */
  constructor(makeProxy: (object: SharedObject) => object) {
    this.#makeProxy = makeProxy;
  }

  /** How many objects are held from outside. */
  get size(): number {
    return this.#held.size;
  }

  find(id: number): SharedObject | undefined {
    return this.#held.get(id) ?? this.#known.get(id)?.deref();
  }

  /** Makes an object of a built-in kind. @returns its proxy. */
  make(kind: string, args: readonly unknown[]): object {
    if (!isKind(kind) || kind === "iterator") {
      throw Object.assign(new TypeError(`The manager has no kind of object "${kind}"`), { code: "ERR_NO_SUCH_TYPE" });
    }
    const { cls, concurrent } = kindNamed(kind);
    const target = new cls(...(args.map((arg) => this.#unwrapped(kind, arg)) as never[]));
    return this.#add(target, surfaceOfKind(kind), concurrent);
  }

  /** Shares an object of the user's. @returns its proxy. */
  share(target: object, name: string, { exposed, concurrency = false }: Sharing): object {
    return this.#add(target, surfaceOf(target, name, exposed), concurrency);
  }

  /** Shares an iterator that a method gave. */
  shareIterator(iterator: Iterator<unknown> | AsyncIterator<unknown>): object {
    return this.#add(new ManagedIterator(iterator), surfaceOfKind("iterator"), kindNamed("iterator").concurrent);
  }

  /** An object is about to be sent: from now on others may hold it. */
  hold(object: SharedObject): void {
    this.#held.set(object.id, object);
  }

  /** Lets go of an object if nobody outside holds it any more. */
  releaseUnheld(object: SharedObject): void {
    if (object.strangers.size === 0 && isSoleHolder(object.id)) this.#held.delete(object.id);
  }

  /** Looks through all objects for those that nobody outside holds; after a death. */
  sweep(): void {
    for (const object of this.#held.values()) this.releaseUnheld(object);
  }

  #add(target: object, surface: Surface, concurrency: Concurrency): object {
    const cell: Cell = allocateCell(CELL_BYTES);
    const object = new SharedObject(cell.id, cell, target, surface, concurrency);
    this.#known.set(cell.id, new WeakRef(object));
    this.#collected.register(object, cell.id);
    return this.proxyOf(object);
  }

  /** What stands for an object in this process; as long as it is reachable, so is the object. */
  proxyOf(object: SharedObject): object {
    return (object.proxy ??= this.#makeProxy(object));
  }

  /** A condition is made with the lock itself, not with its proxy. */
  #unwrapped(kind: string, arg: unknown): unknown {
    if (kind !== "condition" || typeof arg !== "object" || arg === null) return arg;
    for (const object of this.#held.values()) if (object.proxy === arg) return object.target;
    return arg;
  }
}
