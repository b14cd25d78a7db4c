/** For tests that the compiler runs: files of this folder are compiled with the others, and a wrong type is an error. */

/** Takes a value of exactly the type `Expected`: `expectType<number>()(await child.result())`. */
export declare function expectType<Expected>(): <Actual>(
  value: Actual,
  ...wrong: Same<Expected, Actual> extends true ? [] : [expected: Expected]
) => void;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
