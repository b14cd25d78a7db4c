/** A function of the user. It may give a promise or a generator in place of a value (see core/is-promise.ts, core/generators.ts). */
export type AnyFunction = (...args: unknown[]) => unknown;
