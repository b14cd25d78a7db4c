/**
 * Which closures share a variable that they assign.
 *
 * V8 shows copies of scopes, without identity. A variable at the top of a file exists once. For the others: the same place in the
 * same file with the same values is taken for the same scope, within one turn of the event loop (one message).
 */

import { queueMicrotask } from "../core/timers.ts";
import type { Binding, FunctionSite, Node } from "./scope-tree.ts";

interface Instance {
  readonly values: Record<string, unknown>;
  /** The closures made here, by their place: a scope makes one of each, unless there is a loop between. */
  readonly closures: Map<number, Function>;
  readonly cells: Map<string, object>;
}

const topLevel = new WeakMap<Binding, object>();
let instances = new Map<Node, Instance[]>();

/** The identity of the storage of `binding` as `fn` sees it; `values` are those of its scope. */
export function cellOf(binding: Binding, values: Record<string, unknown>, fn: Function, site: FunctionSite): object {
  if (binding.scope.parent === undefined) {
    let cell = topLevel.get(binding);
    if (cell === undefined) topLevel.set(binding, (cell = {}));
    return cell;
  }
  const { node } = binding.scope;
  if (instances.size === 0) queueMicrotask(() => (instances = new Map()));
  let others = instances.get(node);
  if (others === undefined) instances.set(node, (others = []));
  const isUnique = binding.scope.body === bodyAround(site, binding);
  let instance = others.find(
    (other) => sameValues(other.values, values) && !(isUnique && (other.closures.get(site.start) ?? fn) !== fn),
  );
  if (instance === undefined) others.push((instance = { values, closures: new Map(), cells: new Map() }));
  if (isUnique) instance.closures.set(site.start, fn);
  let cell = instance.cells.get(binding.name);
  if (cell === undefined) instance.cells.set(binding.name, (cell = {}));
  return cell;
}

/** The scope's own body if the function is made there once; undefined if a loop or another function may make it repeatedly. */
function bodyAround(site: FunctionSite, binding: Binding): Node | undefined {
  for (let scope = site.scope as Binding["scope"] | undefined; scope !== undefined; scope = scope.parent) {
    if (scope === binding.scope) return scope.body;
    if (scope.body !== binding.scope.body || scope.node.type.startsWith("For")) return undefined;
  }
  return undefined;
}

function sameValues(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && Object.is(valueOf(a, name), valueOf(b, name)));
}

/** A variable's value, or what stands for none: newer lines of V8 throw for one that is not initialised yet. */
function valueOf(values: Record<string, unknown>, name: string): unknown {
  try {
    return values[name];
  } catch {
    return UNINITIALISED;
  }
}

const UNINITIALISED = Symbol("uninitialised");
