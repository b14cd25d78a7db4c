/**
 * Managers
 *
 * Objects that live in a process of their own. What for and how stands in [Managers](../../../docs/manager.md).
 *
 * The classes called `Managed…` say what the proxies of the built-in kinds can do: `DictProxy` has the methods of `ManagedDict`, and so on.
 * On a proxy each of them returns a promise, and each has a twin that ends in `Sync` and blocks.
 *
 * @module
 */

export * from "../../../src/manager/index.ts";
export type { ManagedArray } from "../../../src/manager/objects/array.ts";
export type { ManagedBarrier } from "../../../src/manager/objects/barrier.ts";
export type { ManagedCondition } from "../../../src/manager/objects/condition.ts";
export type { ManagedDict } from "../../../src/manager/objects/dict.ts";
export type { ManagedEvent } from "../../../src/manager/objects/event.ts";
export type { ManagedList } from "../../../src/manager/objects/list.ts";
export type { ManagedLock, ManagedRLock } from "../../../src/manager/objects/lock.ts";
export type { ManagedJoinableQueue, ManagedQueue } from "../../../src/manager/objects/queue.ts";
export type { ManagedBoundedSemaphore, ManagedSemaphore } from "../../../src/manager/objects/semaphore.ts";
export type { ManagedSet } from "../../../src/manager/objects/set.ts";
export type { ManagedValue } from "../../../src/manager/objects/value.ts";
