/** The built-in kinds of shared objects. */

import { ManagedArray } from "./objects/array.ts";
import { ManagedBarrier } from "./objects/barrier.ts";
import { ManagedCondition } from "./objects/condition.ts";
import { ManagedDict } from "./objects/dict.ts";
import { ManagedEvent } from "./objects/event.ts";
import { ManagedIterator } from "./objects/iterator.ts";
import { ManagedList } from "./objects/list.ts";
import { ManagedLock, ManagedRLock } from "./objects/lock.ts";
import { ManagedNamespace } from "./objects/namespace.ts";
import { ManagedPool } from "./objects/pool.ts";
import { ManagedJoinableQueue, ManagedQueue } from "./objects/queue.ts";
import { ManagedBoundedSemaphore, ManagedSemaphore } from "./objects/semaphore.ts";
import { ManagedSet } from "./objects/set.ts";
import { ManagedValue } from "./objects/value.ts";
import { type Surface, surfaceOf } from "./surface.ts";

interface Kind {
  readonly cls: new (...args: never[]) => object;
  /** What waits in it must not hold up the call that ends the wait. */
  readonly concurrent: boolean;
}

const kind = (cls: Kind["cls"], concurrent = false): Kind => ({ cls, concurrent });

/** The name of a built-in kind. */
export type KindName =
  | "dict"
  | "list"
  | "namespace"
  | "set"
  | "value"
  | "array"
  | "lock"
  | "rlock"
  | "semaphore"
  | "boundedSemaphore"
  | "condition"
  | "event"
  | "barrier"
  | "queue"
  | "joinableQueue"
  | "pool"
  | "iterator";

const KINDS: Readonly<Record<KindName, Kind>> = {
  dict: kind(ManagedDict),
  list: kind(ManagedList),
  namespace: kind(ManagedNamespace),
  set: kind(ManagedSet),
  value: kind(ManagedValue),
  array: kind(ManagedArray),
  lock: kind(ManagedLock, true),
  rlock: kind(ManagedRLock, true),
  semaphore: kind(ManagedSemaphore, true),
  boundedSemaphore: kind(ManagedBoundedSemaphore, true),
  condition: kind(ManagedCondition, true),
  event: kind(ManagedEvent, true),
  barrier: kind(ManagedBarrier, true),
  queue: kind(ManagedQueue, true),
  joinableQueue: kind(ManagedJoinableQueue, true),
  pool: kind(ManagedPool, true),
  // As any iterator: what ends it need not wait for the next item, and generators have an order of their own.
  iterator: kind(ManagedIterator, true),
};

export function isKind(name: string): name is KindName {
  return Object.hasOwn(KINDS, name);
}

export function kindNamed(name: KindName): Kind {
  return KINDS[name];
}

/** Kinds whose methods wait for what others do: those of workers, and of the user's generators. */
const OF_OTHERS: ReadonlySet<string> = new Set<KindName>(["pool", "iterator"]);

const surfaces = new Map<KindName, Surface>();

/** The surface of all objects of a built-in kind; it is the same in every process, so only the name travels. */
export function surfaceOfKind(name: KindName): Surface {
  let surface = surfaces.get(name);
  if (surface === undefined) {
    surface = { ...surfaceOf(KINDS[name].cls.prototype as object, name), builtIn: name };
    surfaces.set(name, surface);
  }
  return surface;
}

/** True if nothing waits in an object's methods but in a WaitList, which asks whether the call may. */
export function waitsInListsOnly({ builtIn }: Surface): boolean {
  return builtIn !== undefined && !OF_OTHERS.has(builtIn);
}
