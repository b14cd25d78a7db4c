/** Types of locks and shared data. */

import {
  Barrier,
  Condition,
  Event,
  Lock,
  RLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  ShareableList,
  Value,
} from "multiproc";
import { expectType } from "./expect.ts";

const lock = new Lock({ name: "accounts" });
expectType<boolean>()(await lock.acquire({ timeout: 1 }));
expectType<boolean>()(lock.tryAcquire());
expectType<number>()(await lock.use(async () => 1));
expectType<string>()(lock.useSync(() => "a"));
// @ts-expect-error: there is no such option
new Lock({ nmae: "accounts" });
expectType<number>()(new Semaphore(2).value);
expectType<boolean>()(await new Event().wait({ timeout: 1 }));
expectType<number>()(await new Barrier(2, { action: () => {}, timeout: 5 }).wait());
const condition = new Condition(new RLock());
expectType<boolean>()(await condition.wait());
expectType<number>()(await condition.waitFor((): number => 1, { timeout: 5 }));
// @ts-expect-error: a condition is on a lock
new Condition(new Event());

const small = new Value("int32", 1);
expectType<number>()(small.value);
expectType<number>()(small.add(2));
const large = new Value("int64", 1n);
expectType<bigint>()(large.exchange(2n));
// @ts-expect-error: 64-bit integers are bigint
large.add(1);
// @ts-expect-error: there is no such type
new Value("int128", 1n);
expectType<number>()(new Value("d", 1).value);

const floats = new SharedArray("float64", [1, 2]);
expectType<Float64Array>()(floats.view);
expectType<number>()(floats.at(0));
expectType<BigUint64Array>()(new SharedArray("uint64", 3).view);
expectType<bigint>()(new SharedArray("Q", [1n]).compareExchange(0, 1n, 2n));
// @ts-expect-error: elements are numbers
floats.set(0, "a");
expectType<Uint8Array>()(new SharedMemory({ create: true, size: 8 }).buffer);
const list = new ShareableList([1, "two", null, true]);
expectType<number>()(list.length);
// @ts-expect-error: no objects in a list of fixed places
new ShareableList([{}]);
