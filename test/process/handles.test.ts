import assert from "node:assert/strict";
import { test } from "node:test";
import { Process, SharedArray, Value } from "../../src/index.ts";

test("handles travel as arguments, captured and nested, to fresh and spare processes, and back", async () => {
  for (const method of ["spawn", "spare"] as const) {
    const counter = new Value("int32", 1);
    const array = new SharedArray("float64", [1, 2, 3]);
    const child = new Process({
      target: ({ deep }: { deep: { array: SharedArray } }) => {
        counter.add(41);
        deep.array.set(1, 2.5);
        return { counter, made: new Value("int32", 7) };
      },
      args: [{ deep: { array } }],
      method,
    }).start();
    const back = await child.result();
    assert.equal(counter.value, 42);
    assert.equal(array.at(1), 2.5);
    assert.equal(back.counter, counter);
    // Its maker is gone; it lives on here.
    await child.join();
    assert.equal(back.made.value, 7);
  }
});

test("a subclass with a handle as a field", async () => {
  class Counting extends Process<void> {
    readonly counter: Value<"int32">;
    constructor(counter: Value<"int32">) {
      super();
      this.counter = counter;
    }
    override run(): void {
      this.counter.add(5);
    }
  }
  const counter = new Value("int32", 0);
  await Promise.all([new Counting(counter).start().join(), new Counting(counter).start().join()]);
  assert.equal(counter.value, 10);
});

test("a grandchild gets what its grandparent shares", async () => {
  const counter = new Value("int32", 0);
  const target = async (): Promise<void> => {
    await new Process(() => void counter.add(1)).start().join();
    counter.add(1);
  };
  await new Process(target).start().join();
  assert.equal(counter.value, 2);
});
