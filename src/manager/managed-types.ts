/** The types of the proxies of the built-in kinds. Types only. */

import type { ElementType } from "../shared/element-types.ts";
import type { ManagedArray } from "./objects/array.ts";
import type { ManagedBarrier } from "./objects/barrier.ts";
import type { ManagedCondition } from "./objects/condition.ts";
import type { DictSource, ManagedDict } from "./objects/dict.ts";
import type { ManagedEvent } from "./objects/event.ts";
import type { ManagedList } from "./objects/list.ts";
import type { ManagedLock, ManagedRLock } from "./objects/lock.ts";
import type {
  ApplyOptions,
  AsyncResult,
  ItemResult,
  MapAsyncOptions,
  MapOptions,
  StatsReport,
  StreamedResult,
  TaskFunction,
  TaskResult,
} from "../pool/index.ts";
import type { ManagedPool } from "./objects/pool.ts";
import type { ManagedJoinableQueue, ManagedQueue } from "./objects/queue.ts";
import type { ManagedBoundedSemaphore, ManagedSemaphore } from "./objects/semaphore.ts";
import type { ManagedSet } from "./objects/set.ts";
import type { ManagedValue } from "./objects/value.ts";
import type { AcquirableExtras, ConditionExtras, Loopable } from "./proxy-extras.ts";
import type { ProxyBase, Remote, RemoteIterator, RemoteWithView, SyncView } from "./remote-types.ts";
import type { DictView, SetOf, ValueView } from "./sync-view.ts";

/** Of what holds a container: runs functions on it in the manager. */
export interface Usable<C> {
  /** Runs `fn` in the manager with what holds the values; no other call is served until it, or its promise, is through. */
  use<R>(fn: (content: C) => R): Promise<Awaited<R>>;
  useSync<R>(fn: (content: C) => R): Awaited<R>;
}

/** The two uses of a dict's `update`. */
export interface DictUpdates<K, V> {
  /** As `compute`. */
  update(key: K, fn: (value: V | undefined) => V | Promise<V>): Promise<V>;
  /** Adds all entries of an object, a Map or pairs, at once. */
  update(source: DictSource<K, V>): Promise<void>;
  updateSync(key: K, fn: (value: V | undefined) => V | Promise<V>): V;
  updateSync(source: DictSource<K, V>): void;
}

/** The proxy of a dict. */
export type DictProxy<K = string, V = unknown> = RemoteWithView<
  Omit<ManagedDict<K, V>, "use" | "update">,
  DictView<K, V>
> &
  DictUpdates<K, V> &
  Usable<Map<K, V>> &
  Loopable<[K, V]>;
/** The proxy of a list. */
export type ListProxy<T = unknown> = RemoteWithView<Omit<ManagedList<T>, "use">, T[]> & Usable<T[]> & Loopable<T>;
/** The proxy of a set. */
export type SetProxy<T = unknown> = RemoteWithView<Omit<ManagedSet<T>, "use">, SetOf<T>> & Usable<Set<T>> & Loopable<T>;
/** The proxy of a value. */
export type ValueProxy<T extends ElementType = ElementType> = RemoteWithView<ManagedValue<T>, ValueView<T>>;
/** The proxy of an array. */
export type ArrayProxy<T extends ElementType = ElementType> = RemoteWithView<
  ManagedArray<T>,
  ReturnType<ManagedArray<T>["toArray"]>
> &
  Loopable<ReturnType<ManagedArray<T>["get"]>>;
/** The proxy of a lock. */
export type LockProxy = Remote<ManagedLock> & AcquirableExtras;
/** The proxy of an RLock. */
export type RLockProxy = Remote<ManagedRLock> & AcquirableExtras;
/** The proxy of a semaphore. */
export type SemaphoreProxy = Remote<ManagedSemaphore> & AcquirableExtras;
/** The proxy of a bounded semaphore. */
export type BoundedSemaphoreProxy = Remote<ManagedBoundedSemaphore> & AcquirableExtras;
/** The proxy of a condition. */
export type ConditionProxy = Remote<ManagedCondition> & ConditionExtras;
/** The proxy of an event. */
export type EventProxy = Remote<ManagedEvent>;
/** The proxy of a barrier. */
export type BarrierProxy = Remote<ManagedBarrier>;
/** The proxy of a queue. */
export type QueueProxy<T = unknown> = Remote<ManagedQueue<T>> & Loopable<T>;
/** The proxy of a joinable queue. */
export type JoinableQueueProxy<T = unknown> = Remote<ManagedJoinableQueue<T>> & Loopable<T>;

/**
 * The proxy of a pool: as `Pool`, with its callbacks, `progress` and signals in this process. Items of `map` and the like are gathered
 * and sent as a whole; those of `imap` that are no array are taken a few ahead of the loop, and may be endless; they are
 * tasks of one item unless `chunkSize` says otherwise.
 */
export interface PoolProxy extends ProxyBase {
  /** Runs a function in a worker of the manager's pool. */
  apply<A extends unknown[], R>(fn: TaskFunction<A, R>, args?: Readonly<A>): Promise<TaskResult<R>>;
  /** As `apply`, with the arguments one by one. */
  submit<A extends unknown[], R>(fn: TaskFunction<A, R>, ...args: A): Promise<TaskResult<R>>;
  /** As `apply`, and gives an AsyncResult at once. */
  applyAsync<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    args?: Readonly<A>,
    options?: ApplyOptions<TaskResult<R>>,
  ): AsyncResult<TaskResult<R>>;
  /** Calls a function for each item; the results are in the order of the items. */
  map<T, R>(fn: TaskFunction<[T], R>, items: Iterable<T>, options?: MapOptions): Promise<ItemResult<R>[]>;
  /** As `map`, and gives an AsyncResult at once. */
  mapAsync<T, R>(
    fn: TaskFunction<[T], R>,
    items: Iterable<T>,
    options?: MapAsyncOptions<ItemResult<R>>,
  ): AsyncResult<ItemResult<R>[]>;
  /** As `map`, for functions of several parameters: each item is an array of arguments. */
  starmap<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    argTuples: Iterable<Readonly<A>>,
    options?: MapOptions,
  ): Promise<ItemResult<R>[]>;
  /** As `starmap`, and gives an AsyncResult at once. */
  starmapAsync<A extends unknown[], R>(
    fn: TaskFunction<A, R>,
    argTuples: Iterable<Readonly<A>>,
    options?: MapAsyncOptions<ItemResult<R>>,
  ): AsyncResult<ItemResult<R>[]>;
  /** The results one after the other, in order. `next()` rejects for an item that failed and goes on with the one after. */
  imap<T, R>(
    fn: TaskFunction<[T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): RemoteIterator<StreamedResult<R>>;
  /** The results as they come. */
  imapUnordered<T, R>(
    fn: TaskFunction<[T], R>,
    items: Iterable<T> | AsyncIterable<T>,
    options?: MapOptions,
  ): RemoteIterator<StreamedResult<R>>;
  /** Counts and times: see `Pool.stats`. */
  stats(): Promise<StatsReport>;
  /** Takes no more tasks; those that there are go on. */
  close(): Promise<void>;
  /** Ends all workers at once. */
  terminate(): Promise<void>;
  /** Waits until all workers have ended. Rejects with StateError before `close` or `terminate`. */
  join(): Promise<void>;
  /** A blocking view. */
  readonly sync: SyncView<ManagedPool>;
}

type Name<T> = keyof T & string;

/** The proxy of a namespace, whose names are known to the compiler. */
export interface NamespaceProxy<T = Record<string, any>> extends ProxyBase {
  /** The value; undefined if there is none. */
  get<K extends Name<T>>(name: K): Promise<T[K]>;
  /** As `get`, blocking. */
  getSync<K extends Name<T>>(name: K): T[K];
  /** Sets a value. */
  set<K extends Name<T>>(name: K, value: T[K]): Promise<void>;
  /** As `set`, blocking. */
  setSync<K extends Name<T>>(name: K, value: T[K]): void;
  /** True if there is a value of that name. */
  has(name: string): Promise<boolean>;
  /** As `has`, blocking. */
  hasSync(name: string): boolean;
  /** Removes a value; gives false if there was none. */
  delete(name: string): Promise<boolean>;
  /** As `delete`, blocking. */
  deleteSync(name: string): boolean;
  /** The names; those that start with an underscore are left out. */
  keys(): Promise<string[]>;
  /** As `keys`, blocking. */
  keysSync(): string[];
  /** The values by name; names that start with an underscore are left out. */
  toObject(): Promise<T>;
  /** As `toObject`, blocking. */
  toObjectSync(): T;
  /** Replaces a value by what `fn`, which runs in the manager, makes of it; nothing else happens meanwhile. Gives the new one. */
  update<K extends Name<T>>(name: K, fn: (value: T[K]) => T[K] | Promise<T[K]>): Promise<T[K]>;
  /** As `update`, blocking. */
  updateSync<K extends Name<T>>(name: K, fn: (value: T[K]) => T[K] | Promise<T[K]>): T[K];
  /** A blocking view with the values as properties. */
  readonly sync: T;
}

export type { DictSource };
