import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Manager } from "../../src/index.ts";

const shared = await Manager.start();
after(() => shared.shutdown());

class Named {
  toString(): string {
    return "text";
  }
  valueOf(): number {
    return 42;
  }
  hasOwnProperty(name: string): string {
    return `own ${name}`;
  }
  toJSON(): string {
    return "json";
  }
  inspect(): string {
    return "inspected";
  }
  catch(): string {
    return "caught";
  }
  finally(): string {
    return "at last";
  }
  tagName = "tag";
}

test("methods may have the names that all objects have, and those that others look for", async () => {
  const named = await shared.create(Named);
  assert.equal(await named.toString(), "text");
  assert.equal(await named.valueOf(), 42);
  assert.equal(await named.hasOwnProperty("x"), "own x");
  assert.equal(await named.toJSON(), "json");
  assert.equal(await named.inspect(), "inspected");
  assert.equal(await named.catch(), "caught");
  assert.equal(await named.finally(), "at last");
  assert.equal(await named.tagName, "tag");
  assert.equal(named.toStringSync(), "text");
  assert.equal(named.sync.toString(), "text");
  // oxlint-disable-next-line typescript/restrict-template-expressions, typescript/no-base-to-string -- that is what is tested
  assert.equal(`${named}`, "[object Named]");
});

class Thenable {
  n = 1;
  // oxlint-disable-next-line unicorn/no-thenable -- that is what is tested
  then(): string {
    return "then";
  }
}

test("a method `then` does not make the proxy a promise", async () => {
  const thenable = await shared.create(Thenable);
  assert.equal(await thenable.n, 1);
  assert.equal("then" in thenable, false);
  assert.equal(thenable.thenSync(), "then");
});

class Numbers {
  *upTo(n: number): Generator<number> {
    for (let i = 0; i < n; i++) yield i;
  }
  *fail(): Generator<number> {
    yield 1;
    throw new RangeError("deliberately");
  }
  async *failLater(): AsyncGenerator<number> {
    yield 1;
    throw new RangeError("deliberately");
  }
}

test("a generator that has ended answers as one of this process does", async () => {
  const numbers = await shared.create(Numbers);
  const iterator = numbers.upTo(5);
  assert.deepEqual(await iterator.next(), { value: 0, done: false });
  assert.deepEqual(await iterator.return?.(7), { value: 7, done: true });
  assert.deepEqual(await iterator.next(), { value: undefined, done: true });
  assert.deepEqual(await iterator.return?.(8), { value: 8, done: true });
  await assert.rejects(async () => iterator.throw?.(new RangeError("mine")), /mine/);
  const blocking = numbers.sync.upTo(1);
  assert.deepEqual([...blocking, ...blocking], [0]);
});

test("a generator that has thrown is freed", async () => {
  const numbers = await shared.create(Numbers);
  const before = await shared.numberOfObjects();
  for (const start of [() => numbers.fail(), () => numbers.failLater()]) {
    const iterator = start();
    await iterator.next();
    await assert.rejects(iterator.next(), /deliberately/);
    assert.deepEqual(await iterator.next(), { value: undefined, done: true });
  }
  const blocking = numbers.sync.fail();
  blocking.next();
  assert.throws(() => blocking.next(), /deliberately/);
  assert.equal(await shared.numberOfObjects(), before);
});

test("a promise method rejects, and never throws, whatever it is called with", async () => {
  const list = await shared.list();
  list[Symbol.dispose]();
  const late = list.push(1);
  await assert.rejects(late, { name: "StateError", message: /was disposed of/ });
});
