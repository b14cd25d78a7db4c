/**
 * WeakMaps and WeakSets in which a class keeps what belongs to its instances: what compilers make of `#private` members for older
 * targets (`_secret.set(this, 1)`, `__privateAdd(this, _secret)`), and what programs do by hand.
 *
 * Such a class travels, and starts with an empty one. An instance does not: see private-members.ts.
 */

import { types } from "node:util";
import type { PrivateStore } from "./image.ts";
import type { Occurrence } from "./scope-tree.ts";

/** Which kind of store a captured variable of a class is, by its value and by what the class does with it. */
export function privateStore(
  value: unknown,
  uses: readonly Pick<Occurrence, "start" | "end" | "write">[],
  source: string,
): PrivateStore | undefined {
  const kind = storeKind(value);
  if (kind === undefined || uses.some(({ write }) => write)) return undefined;
  const isStore = uses.some(
    ({ start, end }) =>
      /^\.(?:set|add)\(\s*this\b/.test(source.slice(end, end + 40)) ||
      /\(\s*this\s*,\s*$/.test(source.slice(Math.max(0, start - 40), start)),
  );
  return isStore ? kind : undefined;
}

/** "WeakMap" or "WeakSet" for such a value. */
export function storeKind(value: unknown): PrivateStore | undefined {
  if (types.isWeakMap(value)) return "WeakMap";
  return types.isWeakSet(value) ? "WeakSet" : undefined;
}
