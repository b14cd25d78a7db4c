import { test } from "node:test";
import { type DictProxy, type ListProxy, Manager, type Remote } from "../../src/index.ts";

/** Compiled only: what is wrong here must be an error of the compiler. */

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<_T extends true>(): void {}

class Counter {
  readonly label: string = "counter";
  readonly #start: number;

  constructor(start: number) {
    this.#start = start;
  }

  increment(by: number, note?: string): number {
    return this.#start + by + (note?.length ?? 0);
  }

  async later(): Promise<string> {
    return "later";
  }

  get double(): number {
    return 2;
  }

  *items(): Generator<Date> {}

  async *slowItems(): AsyncGenerator<string> {}

  find(by: "id", id: number): Date;
  find(by: "name", name: string, exact?: boolean): string;
  find(by: string): unknown {
    return by;
  }

  _hidden(): void {}
}

class Typed extends Manager {
  static override readonly types = { Counter, make: (a: string) => new Map([[a, 1]]) };
}

async function compiledOnly(
  counter: Remote<Counter>,
  d: DictProxy<"a" | "b", number>,
  l: ListProxy<string>,
): Promise<void> {
  expectType<Equal<ReturnType<typeof counter.increment>, Promise<number>>>();
  expectType<Equal<ReturnType<typeof counter.later>, Promise<string>>>();
  expectType<Equal<typeof counter.double, Promise<number>>>();
  expectType<Equal<typeof counter.label, Promise<string>>>();
  for await (const item of counter.items()) expectType<Equal<typeof item, Date>>();
  for await (const item of counter.slowItems()) expectType<Equal<typeof item, string>>();
  for (const item of counter.sync.items()) expectType<Equal<typeof item, Date>>();
  expectType<Equal<ReturnType<typeof counter.sync.later>, string>>();
  const n: number = counter.incrementSync(1) + counter.sync.increment(1) + counter.sync.double;
  void n;
  // Each signature of an overloaded method is there.
  const [byId, byName] = [counter.find("id", 1), counter.find("name", "a", true)];
  expectType<Equal<[typeof byId, typeof byName], [Promise<Date>, Promise<string>]>>();
  const found: [Date, string] = [counter.findSync("id", 1), counter.sync.find("name", "a", true)];
  void found;
  // @ts-expect-error -- a number is wanted
  await counter.increment("1");
  // @ts-expect-error -- an argument is wanted
  await counter.increment();
  // @ts-expect-error -- there is no such method
  await counter.decrement(1);
  // @ts-expect-error -- what starts with an underscore is not exposed
  await counter._hidden();
  // @ts-expect-error -- a property is read by a promise, and written through the blocking view
  counter.double = 4;

  expectType<Equal<Awaited<ReturnType<typeof d.get>>, number | undefined>>();
  // @ts-expect-error -- not one of the keys
  await d.get("c");
  // @ts-expect-error -- a number is wanted
  await d.set("a", "1");
  d.sync.a = 1;
  // @ts-expect-error -- a number is wanted
  d.sync.a = "1";
  await d.compute("a", (value) => (value ?? 0) + 1);
  const [updated, merged] = [d.update("a", (value) => (value ?? 0) + 1), d.update({ a: 1 })];
  expectType<Equal<[typeof updated, typeof merged], [Promise<number>, Promise<void>]>>();
  const [used, usedLater] = [d.use((map) => [...map.keys()]), l.use(async (items) => items.length)];
  expectType<Equal<[typeof used, typeof usedLater], [Promise<("a" | "b")[]>, Promise<number>]>>();
  for await (const [key, value] of d) {
    expectType<Equal<typeof key, "a" | "b">>();
    expectType<Equal<typeof value, number>>();
  }
  expectType<Equal<Awaited<ReturnType<typeof l.at>>, string | undefined>>();
  // @ts-expect-error -- a text is wanted
  await l.push(1);
  l.sync.push("x");

  const m = await Typed.start();
  const made = await m.create("Counter", 1);
  expectType<Equal<typeof made, Remote<Counter>>>();
  const counted = await m.create(Counter, 1);
  expectType<Equal<typeof counted, Remote<Counter>>>();
  // @ts-expect-error -- the constructor wants a number
  await m.create(Counter, "1");
  const value = await m.value("int64", 1n);
  expectType<Equal<Awaited<ReturnType<typeof value.get>>, bigint>>();
  // @ts-expect-error -- 64-bit integers are bigint
  await value.set(1);
  const ns = await m.namespace({ x: 1, name: "n" });
  expectType<Equal<typeof ns.sync.name, string>>();
  // @ts-expect-error -- x is a number
  await ns.set("x", "1");
}

test("proxies are typed end to end", () => {
  // The compiler has done the work.
  void compiledOnly;
});
