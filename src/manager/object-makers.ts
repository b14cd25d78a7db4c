/** The methods of a manager that make objects of the built-in kinds. */

import type { PoolOptions } from "../pool/index.ts";
import type { ElementOf, ElementType } from "../shared/element-types.ts";
import type {
  ArrayProxy,
  BarrierProxy,
  BoundedSemaphoreProxy,
  ConditionProxy,
  DictProxy,
  DictSource,
  EventProxy,
  JoinableQueueProxy,
  ListProxy,
  LockProxy,
  NamespaceProxy,
  PoolProxy,
  QueueProxy,
  RLockProxy,
  SemaphoreProxy,
  SetProxy,
  ValueProxy,
} from "./managed-types.ts";
import type { ManagedBarrierOptions } from "./objects/barrier.ts";
import type { Items } from "./objects/content.ts";

type Make = (kind: string, args: readonly unknown[]) => Promise<unknown>;

/** What makes objects of the built-in kinds: see `Manager`. */
export class ObjectMakers {
  readonly #ask: Make;

  /** @internal */
  constructor(ask: Make) {
    this.#ask = ask;
  }

  /** Makes a dict. @param source An object, a Map, or pairs. */
  dict<K = string, V = any>(source?: DictSource<K, V>): Promise<DictProxy<K, V>> {
    return this.#make("dict", source);
  }

  /** Makes a list. */
  list<T = any>(items?: Items<T>): Promise<ListProxy<T>> {
    return this.#make("list", iterated(items));
  }

  /** Makes a namespace: named values. */
  namespace<T extends object = Record<string, any>>(values?: T): Promise<NamespaceProxy<T>> {
    return this.#make("namespace", values);
  }

  /** Makes a lock. */
  lock(): Promise<LockProxy> {
    return this.#make("lock");
  }

  /** Makes a lock that its holder can acquire again. */
  rlock(): Promise<RLockProxy> {
    return this.#make("rlock");
  }

  /** Makes a semaphore. @param value Permits at the start; default 1. */
  semaphore(value?: number): Promise<SemaphoreProxy> {
    return this.#make("semaphore", value);
  }

  /** Makes a semaphore that refuses more releases than acquires. */
  boundedSemaphore(value?: number): Promise<BoundedSemaphoreProxy> {
    return this.#make("boundedSemaphore", value);
  }

  /** Makes a condition. @param lock A lock or RLock of this manager; default: an RLock of its own. */
  condition(lock?: LockProxy | RLockProxy): Promise<ConditionProxy> {
    return this.#make("condition", lock);
  }

  /** Makes an event. */
  event(): Promise<EventProxy> {
    return this.#make("event");
  }

  /** Makes a barrier for a number of parties. The action runs in the manager. */
  barrier(parties: number, options?: ManagedBarrierOptions): Promise<BarrierProxy> {
    return this.#make("barrier", parties, options);
  }

  /** Makes a queue. @param maxSize Items that it takes; 0 (the default): any number. */
  queue<T = any>(maxSize?: number): Promise<QueueProxy<T>> {
    return this.#make("queue", maxSize);
  }

  /** Makes a queue with `taskDone` and `join`. */
  joinableQueue<T = any>(maxSize?: number): Promise<JoinableQueueProxy<T>> {
    return this.#make("joinableQueue", maxSize);
  }

  /** Makes a number. @param type As for `Value`. */
  value<T extends ElementType>(type: T, value?: ElementOf<T>): Promise<ValueProxy<T>> {
    return this.#make("value", type, value);
  }

  /** Makes numbers of one type. @param values The values, or how many zeros. */
  array<T extends ElementType>(type: T, values: number | Items<ElementOf<T>>): Promise<ArrayProxy<T>> {
    return this.#make("array", type, typeof values === "number" ? values : iterated(values));
  }

  /** Makes a set. */
  set<T = any>(values?: Items<T>): Promise<SetProxy<T>> {
    return this.#make("set", iterated(values));
  }

  /** Makes a pool whose workers are children of the manager. @param processes How many workers; default as for `Pool`. */
  pool(processes?: number, options?: PoolOptions): Promise<PoolProxy> {
    return this.#make("pool", processes, options);
  }

  async #make<P>(kind: string, ...args: unknown[]): Promise<P> {
    while (args.length > 0 && args.at(-1) === undefined) args.pop();
    return (await this.#ask(kind, args)) as P;
  }
}

/** An iterable as an array, since iterators do not travel. */
function iterated<T>(values: Items<T> | undefined): unknown {
  if (values === undefined || Array.isArray(values)) return values;
  return typeof (values as Partial<Iterable<T>> | null)?.[Symbol.iterator] === "function"
    ? [...(values as Iterable<T>)]
    : values;
}
