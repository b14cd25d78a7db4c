/** What `create` of a manager takes, by the names in `static types`. Types only. */

import type { Remote } from "./remote-types.ts";

/** The class or function behind a name in `static types`. */
type MakerOf<T> = T extends { readonly type: infer M } ? M : T;
type MadeBy<M> = M extends new (...args: never[]) => infer I
  ? I
  : M extends (...args: never[]) => infer R
    ? Awaited<R>
    : never;
type ArgsOf<M> = M extends new (...args: infer A) => unknown ? A : M extends (...args: infer A) => unknown ? A : never;

declare const known: unique symbol;

/** `create` for the names in `static types`. */
export interface CreatesTypes<Types> {
  /** Makes an object of a class in `static types`, by its name there. */
  create<K extends keyof Types & string>(
    name: K,
    ...args: ArgsOf<MakerOf<Types[K]>>
  ): Promise<Remote<MadeBy<MakerOf<Types[K]>>>>;
  /** For the compiler only: it knows the types by name, and no others. */
  readonly [known]?: Types;
}

type KnownTypes<This> = This extends { readonly [known]?: infer Types } ? Types : unknown;

/** Other names that `create` takes: none where the compiler knows those in `static types`, any elsewhere. */
export type OtherName<This> =
  unknown extends KnownTypes<This> ? string : string extends keyof NonNullable<KnownTypes<This>> ? string : never;
