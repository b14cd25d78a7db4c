/** Types of managers: each method of an object is a promise on its proxy. */

import { type ListProxy, Manager, type Remote } from "multiproc";
import { expectType } from "./expect.ts";

class Counter {
  step = 1;
  #n = 0;
  constructor(start: number) {
    this.#n = start;
  }
  increment(by = 1): number {
    return (this.#n += by);
  }
  async later(): Promise<string> {
    return "";
  }
  *upTo(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  _hidden(): void {}
}

class MyManager extends Manager {
  static override readonly types = { Counter };
}

const m = await MyManager.start();
const counter = await m.create(Counter, 1);
expectType<Remote<Counter>>()(counter);
expectType<number>()(await counter.increment(2));
expectType<number>()(counter.incrementSync());
expectType<string>()(await counter.later());
expectType<number>()(await counter.step);
expectType<number>()(counter.sync.step);
for await (const n of counter.upTo(3)) expectType<number>()(n);
expectType<number>()(await (await m.create("Counter", 1)).increment());
// @ts-expect-error: a counter starts at a number
await m.create(Counter, "one");
// @ts-expect-error: that one, too
await m.create("Counter", "one");
// @ts-expect-error: the manager knows no type of that name
await m.create("Typo");
expectType<Remote<Counter>>()(await m.create<Counter>("Named elsewhere"));
const anyManager: Manager = m;
expectType<Remote<Counter>>()(await anyManager.create<Counter>("Counter", 1));
await anyManager.create("Counter", 1);
await (await Manager.start()).create("Named elsewhere");
// @ts-expect-error: names with an underscore are not exposed
await counter._hidden();
// @ts-expect-error: there is no such method
await counter.decrement();

const dict = await m.dict<string, number>({ a: 1 });
expectType<number | undefined>()(await dict.get("a"));
expectType<number>()(await dict.get("a", 5));
await dict.set("b", 2);
expectType<number>()(await dict.compute("a", (n) => (n ?? 0) + 1));
expectType<[string, number][]>()(await dict.entries());
// @ts-expect-error: values are numbers
await dict.set("b", "2");
const list = await m.list([1, 2]);
expectType<ListProxy<number>>()(list);
expectType<number>()(await list.push(3));
expectType<number[]>()(list.sync);
expectType<boolean>()(await (await m.lock()).acquire({ timeout: 1 }));
expectType<number>()(await (await m.value("int32", 1)).add(1));
const names = await m.namespace({ x: 1, y: "a" });
expectType<string>()(await names.get("y"));
// @ts-expect-error: there is no such name
await names.get("z");
// @ts-expect-error: a key is required
await Manager.connect({ host: "127.0.0.1", port: 1 });
