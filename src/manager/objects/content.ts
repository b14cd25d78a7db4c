/** What a container is filled with: items that came with the call, or those of another container of the same manager. */

import { typeError } from "../../core/options.ts";
import { LocalClient } from "../local-client.ts";
import { RemoteProxy } from "../remote-proxy.ts";

/** Items, or the proxy of a list, a set or an array of the same manager that holds them. */
export type Items<T> = Iterable<T> | { toArray(): Promise<T[]> };

/** The methods that give what a container holds, by its kind. */
const CONTENT: Readonly<Record<string, string>> = {
  dict: "toMap",
  namespace: "toObject",
  list: "toArray",
  set: "toArray",
  array: "toArray",
};

/** What a container holds in place of its proxy; anything else as it is. @throws {TypeError} For one of another manager. */
export function contentOf(name: string, source: unknown): unknown {
  const ref = RemoteProxy.refOf(source);
  const method = ref?.surface.builtIn === undefined ? undefined : CONTENT[ref.surface.builtIn];
  if (ref === undefined || method === undefined) return source;
  if (ref.client instanceof LocalClient) return ref.callSync(method, []);
  throw typeError(name, `of the same manager, or a copy (await ${ref.surface.kind}.${method}())`, source);
}

/** The items, in an array of their own. @throws {TypeError} If they are none. */
export function itemsOf<T>(name: string, source: Items<T>): T[] {
  const items = contentOf(name, source) as Iterable<T> | undefined;
  if (typeof items?.[Symbol.iterator] !== "function") throw typeError(name, "iterable", source);
  return [...items];
}
