/** Types of pools: what a function takes and gives is what goes in and comes out. */

import { type AsyncResult, Pool } from "multiproc";
import { expectType } from "./expect.ts";

declare const pool: Pool;
const half = (n: number): number => n / 2;
const add = async (n: number, text: string): Promise<string> => n + text;

expectType<string>()(await pool.apply(add, [1, "a"]));
expectType<string>()(await pool.submit(add, 1, "a"));
expectType<AsyncResult<string>>()(pool.applyAsync(add, [1, "a"], { timeout: 100 }));
expectType<string>()(await pool.applyAsync(add, [1, "a"]).get({ timeout: 1 }));
expectType<string>()(await pool.applyAsync(add, [1, "a"]));
expectType<boolean>()(pool.applyAsync(half, [1]).successful());
expectType<number[]>()(await pool.map(half, [1, 2]));
expectType<string[]>()(await pool.starmap(add, [[1, "a"]]));
expectType<AsyncResult<number[]>>()(pool.mapAsync(half, new Set([1])));
for await (const n of pool.imap(half, [1])) expectType<number>()(n);
for await (const n of pool.imapUnordered(
  half,
  (async function* () {
    yield 1;
  })(),
)) {
  expectType<number>()(n);
}
// Generators stream: from one call, and item by item.
const upTo = function* (n: number): Generator<string> {
  for (let i = 0; i < n; i++) yield String(i);
};
for await (const text of await pool.apply(upTo, [3])) expectType<string>()(text);
for await (const text of pool.imap(upTo, [1, 2])) expectType<string>()(text);
expectType<string[][]>()(await pool.map(upTo, [1, 2]));

pool.applyAsync(half, [1], { callback: (n) => expectType<number>()(n), errorCallback: () => {} });
await pool.map(half, [1], { progress: ({ done, total }) => void (done === total), chunkSize: 2 });
new Pool(2, { initializer: (n: number) => n, initArgs: [1], maxTasksPerChild: 3, taskTimeout: 5, retries: 1 });
new Pool({ name: "n" });

// @ts-expect-error: items must be what the function takes
await pool.map(half, ["a"]);
// @ts-expect-error: an argument is missing
await pool.apply(add, [1]);
// @ts-expect-error: arguments in the wrong order
await pool.submit(add, "a", 1);
// @ts-expect-error: each tuple has the function's arguments
await pool.starmap(add, [[1]]);
// @ts-expect-error: map takes no asynchronous input; imap does
await pool.map(half, upToLater(1));
declare function upToLater(n: number): AsyncGenerator<number>;
// @ts-expect-error: there is no such option
await pool.map(half, [1], { chunksize: 1 });

class Celsius {
  readonly degrees: number;
  constructor(degrees: number) {
    this.degrees = degrees;
  }
}
expectType<Celsius>()(await pool.submit(Celsius, 20));
expectType<Celsius[]>()(await pool.map(Celsius, [1, 2]));
// What is a function and a class is called as a function.
expectType<number[]>()(await pool.map(Number, ["1"]));
expectType<string[]>()(await pool.map(String, [1]));
// @ts-expect-error: it takes a number
await pool.submit(Celsius, "warm");
