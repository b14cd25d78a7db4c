/**
 * The registry of things that travel by reference: locks, queues, shared arrays, connections, proxies.
 *
 * A handle's class registers itself here under a tag, in its own file; the codec asks an object for its transfer and later
 * calls the reviver of that tag. So the codec sends a Lock without knowing `sync/`, and `sync/` knows no codec.
 */

import { SerializationError } from "./errors.ts";

/** The method that makes an object a handle: `[TO_HANDLE](): HandleTransfer`. */
export const TO_HANDLE: unique symbol = Symbol.for("multiproc.handle") as typeof TO_HANDLE;

/** What is sent in place of a handle. */
export interface HandleTransfer {
  /** The name that the class is registered under. */
  readonly tag: string;
  /** A plain value, which may contain other handles; the reviver gets it back. */
  readonly data: unknown;
  /** Undoes what making the transfer took (a reference that travels, say), when the message is never delivered. */
  readonly abort?: () => void;
}

export interface Handle {
  [TO_HANDLE](): HandleTransfer;
}

/**
 * Makes the instances of a class handles; for the class's static block, from where `transfer` can see private fields.
 * (`isolatedDeclarations` allows no method that is named by a symbol of our own.)
 */
export function defineHandle<T extends object>(
  cls: { readonly prototype: T },
  transfer: (instance: T) => HandleTransfer,
): void {
  Object.defineProperty(cls.prototype, TO_HANDLE, {
    configurable: true,
    value(this: T): HandleTransfer {
      return transfer(this);
    },
  });
}

/** Makes the object that stands for the same shared thing in this process; must return the existing one if there is one. */
export type Reviver = (data: never) => object;

const revivers = new Map<string, Reviver>();

/** Registers the reviver of a kind of handle. Called once, at import, in the file of the handle's class. */
export function registerHandle(tag: string, revive: Reviver): void {
  if (revivers.has(tag)) throw new TypeError(`The handle tag "${tag}" is registered already`);
  revivers.set(tag, revive);
}

export function isHandle(value: object): value is Handle {
  return typeof (value as Partial<Handle>)[TO_HANDLE] === "function";
}

/** Gives the handle for what a transfer carried. */
export function reviveHandle(tag: string, data: unknown): object {
  const revive = revivers.get(tag);
  if (revive === undefined) throw new SerializationError(`Cannot receive a handle of the unknown kind "${tag}"`);
  return revive(data as never);
}
