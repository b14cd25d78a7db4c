/** What the proxy of an object looks like to the compiler. Types only. */

/** Names that are exposed: none that start with an underscore, as in Python, and no symbols. */
type Exposed<K> = K extends string ? (K extends `_${string}` ? never : K) : never;

/** Those that a proxy has: with a method `then` it would be a promise itself. */
type OfProxy<K> = Exclude<Exposed<K>, "then">;

type AnyFunction = (...args: never[]) => unknown;

/** What a generator gives, seen from another process: it can be looped over at once, or awaited first. */
export interface RemoteIterator<T> extends AsyncIterableIterator<T> {
  /** Makes it possible to await it first: an error of the call that made the generator shows there. */
  then: Promise<AsyncIterableIterator<T>>["then"];
}

/** What an iterator gives; never for anything else. */
type Yielded<R> = unknown extends R ? never : IteratorItem<R>;

type IteratorItem<R> =
  R extends AsyncIterator<infer T, unknown, never>
    ? R extends AsyncIterable<unknown>
      ? T
      : never
    : R extends Iterator<infer T, unknown, never>
      ? R extends Iterable<unknown>
        ? T
        : never
      : never;

/** What a method's result becomes: a promise, or for generators an async iterator. */
export type RemoteResult<R> = [Yielded<Awaited<R>>] extends [never]
  ? Promise<Awaited<R>>
  : RemoteIterator<Yielded<Awaited<R>>>;

type SyncResult<R> = [Yielded<Awaited<R>>] extends [never] ? Awaited<R> : IterableIterator<Yielded<Awaited<R>>>;

type RemoteMethod<A extends unknown[], R> = (...args: A) => RemoteResult<R>;

type BlockingMethod<A extends unknown[], R> = (...args: A) => SyncResult<R>;

/** A function type that is matched signature by signature; one with fewer than four matches its first one several times. */
interface Overloaded<A extends unknown[], B extends unknown[], C extends unknown[], D extends unknown[], E, F, G, H> {
  (...args: A): E;
  (...args: B): F;
  (...args: C): G;
  (...args: D): H;
}

type RemoteMember<M> =
  M extends Overloaded<infer A, infer B, infer C, infer D, infer E, infer F, infer G, infer H>
    ? RemoteMethod<A, E> & RemoteMethod<B, F> & RemoteMethod<C, G> & RemoteMethod<D, H>
    : Promise<Awaited<M>>;

type BlockingTwin<M> =
  M extends Overloaded<infer A, infer B, infer C, infer D, infer E, infer F, infer G, infer H>
    ? BlockingMethod<A, E> & BlockingMethod<B, F> & BlockingMethod<C, G> & BlockingMethod<D, H>
    : never;

/** The blocking view of an object: it looks like the object itself. */
export type SyncView<T> = {
  [K in keyof T as Exposed<K>]: T[K] extends AnyFunction ? BlockingTwin<T[K]> : T[K];
};

type RemoteMembers<T> = { readonly [K in keyof T as OfProxy<K>]: RemoteMember<T[K]> };

type SyncTwins<T> = {
  readonly [K in keyof T as T[K] extends AnyFunction ? `${Exposed<K>}Sync` : never]: BlockingTwin<T[K]>;
};

/** What all proxies have. */
export interface ProxyBase {
  /** Lets go of the object in this process, before the proxy is collected; it is freed when nobody holds it. Repeatable. */
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The proxy of an object that lives in a manager: each method returns a promise, each property is one, and each method has a
 * twin that blocks (`increment` and `incrementSync`). `sync` is a blocking view that looks like the object itself.
 *
 * Names with a leading underscore are not exposed. A method `then` is there as `thenSync` and in `sync` only: with it the proxy would
 * be a promise itself.
 */
export type Remote<T> = RemoteMembers<T> & SyncTwins<T> & ProxyBase & { readonly sync: SyncView<T> };

/** As Remote, with a blocking view of its own kind. */
export type RemoteWithView<T, View> = RemoteMembers<T> & SyncTwins<T> & ProxyBase & { readonly sync: View };
