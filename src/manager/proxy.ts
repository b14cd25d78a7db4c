/**
 * Proxies: ordinary objects whose class is made from the surface of what they stand for, a class a surface. A name that the
 * object does not have gives a method that fails and says so, as a call of a wrong name at the manager would.
 */

import { extrasFor } from "./proxy-extras.ts";
import { isRemoteIterator, remoteIterator, syncIterator } from "./remote-iterator.ts";
import { RemoteProxy, refOf } from "./remote-proxy.ts";
import type { ManagerClient } from "./manager-client.ts";
import { RemoteRef } from "./remote-ref.ts";
import type { Surface } from "./surface.ts";
import { syncViewOf } from "./sync-view.ts";

/** Names that others look for to find out what something is; a proxy answers only if the object has such a method. */
const PROBED: ReadonlySet<string> = new Set([
  "then",
  "catch",
  "finally",
  "constructor",
  "toJSON",
  "inspect",
  "nodeType",
  "tagName",
  "asymmetricMatch",
  "$$typeof",
  "@@__IMMUTABLE_ITERABLE__@@",
]);

/** A method of this name would make the proxy a promise: awaiting it would call the method. Its twin `thenSync` is there. */
const HIDDEN = "then";

type Members = Record<PropertyKey, unknown>;

const classes = new Map<string, new (ref: RemoteRef) => RemoteProxy>();

/** Makes the proxy of an object. @param held What says that this process holds the object. */
export function makeProxy(
  client: ManagerClient,
  id: number,
  surface: Surface,
  held: { release(): void } | undefined,
): RemoteProxy {
  return new (classFor(surface))(new RemoteRef(client, id, surface, held));
}

function classFor(surface: Surface): new (ref: RemoteRef) => RemoteProxy {
  const key = JSON.stringify(surface);
  let found = classes.get(key);
  if (found === undefined) classes.set(key, (found = makeClass(surface)));
  return found;
}

function makeClass(surface: Surface): new (ref: RemoteRef) => RemoteProxy {
  const cls = { [surface.kind]: class extends RemoteProxy {} }[surface.kind] as new (ref: RemoteRef) => RemoteProxy;
  const prototype = cls.prototype as unknown as Members;
  Object.setPrototypeOf(prototype, catchAll);
  const define = (name: PropertyKey, descriptor: PropertyDescriptor): void =>
    void (
      Object.hasOwn(RemoteProxy.prototype, name) ||
      Object.defineProperty(prototype, name, { configurable: true, ...descriptor })
    );
  for (const name of surface.methods) {
    const twin = `${name}Sync`;
    if (!surface.methods.includes(twin)) define(twin, { value: blockingMethod(name, surface) });
    if (name === HIDDEN) continue;
    define(name, { value: surface.generators.includes(name) ? generatorMethod(name) : method(name, surface) });
  }
  for (const name of surface.properties) {
    if (name !== HIDDEN) define(name, { get: propertyGetter(name), set: refuser(name) });
  }
  define("sync", { get: syncGetter });
  const extras = Object.getOwnPropertyDescriptors(extrasFor(surface));
  for (const name of Reflect.ownKeys(extras))
    define(name, (extras as Record<PropertyKey, PropertyDescriptor>)[name] as PropertyDescriptor);
  return cls;
}

type Method = (this: RemoteProxy, ...args: unknown[]) => unknown;

function method(name: string, { builtIn }: Surface): Method {
  // None of the built-in kinds' methods gives an iterator.
  if (builtIn !== undefined) {
    return function (...args) {
      return refOf(this).call(name, args);
    };
  }
  return function (...args) {
    return loopable(refOf(this).call(name, args));
  };
}

function blockingMethod(name: string, { generators }: Surface): Method {
  const endsByError = generators.includes(name);
  return function (...args) {
    const result = refOf(this).callSync(name, args);
    return isRemoteIterator(result) ? syncIterator(result, endsByError) : result;
  };
}

function generatorMethod(name: string): Method {
  return function (...args) {
    return remoteIterator(refOf(this).call(name, args), true);
  };
}

function propertyGetter(name: string): (this: RemoteProxy) => unknown {
  return function () {
    return refOf(this).get(name);
  };
}

/** A value that is only written into this process's proxy would be lost. */
function refuser(name: string): (this: RemoteProxy) => never {
  return function () {
    throw cannotWrite(name, refOf(this));
  };
}

function cannotWrite(name: string, { surface }: RemoteRef): TypeError {
  const message = `Cannot write "${name}" through a promise: write proxy.sync.${name} = … or call a method of ${surface.kind}`;
  return Object.assign(new TypeError(message), { code: "ERR_READ_ONLY" });
}

const views = new WeakMap<RemoteProxy, object>();

function syncGetter(this: RemoteProxy): object {
  let view = views.get(this);
  if (view === undefined) views.set(this, (view = syncViewOf(this)));
  return view;
}

/** A method that is no generator may still give an iterator: then its promise can be looped over. */
function loopable(promise: Promise<unknown>): Promise<unknown> {
  void Object.defineProperty(promise, Symbol.asyncIterator, { value: loopOver, configurable: true });
  return promise;
}

function loopOver(this: Promise<unknown>): AsyncIterator<unknown> {
  return remoteIterator(this, false)[Symbol.asyncIterator]();
}

/** Stands between the classes of proxies and their base. */
const catchAll = new Proxy(Object.create(RemoteProxy.prototype) as RemoteProxy, {
  get(base, name, receiver: RemoteProxy) {
    if (typeof name === "symbol" || name in base || PROBED.has(name) || RemoteProxy.refOf(receiver) === undefined) {
      return Reflect.get(base, name, receiver) as unknown;
    }
    const blocking = name.length > 4 && name.endsWith("Sync");
    return (...args: unknown[]): unknown =>
      blocking ? refOf(receiver).callSync(name.slice(0, -4), args) : refOf(receiver).call(name, args);
  },
  set(base, name, value, receiver: RemoteProxy) {
    if (typeof name === "symbol") return Reflect.set(base, name, value, receiver);
    throw cannotWrite(name, refOf(receiver));
  },
});
