import assert from "node:assert/strict";
import { test } from "node:test";
import type { FunctionDefinition, VariableDefinition } from "../../src/capture/image.ts";
import { createFunction, newCell } from "../../src/capture/restore.ts";
import { createBound } from "../../src/capture/restore-bound.ts";

let ids = 0;
function definition(source: string, variables: VariableDefinition[] = [], more: Partial<FunctionDefinition> = {}) {
  return {
    id: `test ${ids++}`,
    source,
    syntax: "arrow",
    name: "job",
    url: "file:///somewhere/else.js",
    line: 10,
    column: 4,
    strict: true,
    isModule: true,
    variables,
    keyParameters: [],
    ...more,
  } satisfies FunctionDefinition;
}

test("a function exists before its variables have values, and knows itself", () => {
  const draft = createFunction(definition("n => n < 2 ? 1 : n * self(n - 1)", [{ name: "self" }]));
  draft.set(0, draft.fn);
  assert.equal(draft.fn(5), 120);
  assert.equal(draft.fn.name, "job");
});

test("functions that share a written variable share its cell", () => {
  const n: VariableDefinition = { name: "count", parameter: "$co", written: true };
  const cell = newCell();
  const increment = createFunction(definition("() => ++$co.v", [n]), { cells: [cell] });
  const get = createFunction(definition("() => $co.v", [n]), { cells: [cell] });
  get.set(0, 5);
  increment.fn();
  assert.equal(get.fn(), 6);
});

for (const [line, column] of [
  [10, 4],
  [0, 0],
  [0, 3000],
  [7, 300],
] as const) {
  test(`an error names the original file at line ${line} and column ${column}`, () => {
    const draft = createFunction(definition("() => {\n throw new Error('x') }", [{ name: "a" }], { line, column }));
    const stackOf = (fn: Function): string => {
      try {
        fn();
      } catch (error) {
        return (error as Error).stack as string;
      }
      return "";
    };
    assert.match(stackOf(draft.fn), new RegExp(`file:///somewhere/else.js:${line + 2}:8\\)`));
    const single = createFunction(definition("() => { throw new Error('x') }", [], { line, column }));
    assert.match(stackOf(single.fn), new RegExp(`else.js:${line + 1}:${column + 15}\\)`));
  });
}

test("methods, accessors and generators come back as what they were", () => {
  assert.equal(createFunction(definition("half(n) { return n / 2 }", [], { syntax: "method", name: "half" })).fn(4), 2);
  const getter = createFunction(definition("get x() { return this.y }", [], { syntax: "getter", name: "get x" })).fn;
  assert.equal(getter.call({ y: 3 }), 3);
  const generator = createFunction(definition("function* () { yield 1 }", [], { syntax: "function" })).fn;
  assert.deepEqual([...(generator() as Iterable<number>)], [1]);
});

test("a class gets its parent after it was created", () => {
  const source =
    "class B extends $a { constructor() { super(); this.b = 1 } hi() { return super.hi() + '!' } static s() { return super.s() } }";
  const draft = createFunction(definition(source, [], { syntax: "class", name: "B", parentParameter: "$a" }));
  class A {
    readonly a = 1;
    static s(): string {
      return "static";
    }
    hi(): string {
      return "hi";
    }
  }
  draft.setParent(A);
  const B = draft.fn as unknown as new () => A & { b: number };
  const b = new B();
  assert.ok(b instanceof A);
  assert.deepEqual([b.a, b.b, b.hi(), (B as unknown as typeof A).s()], [1, 1, "hi!", "static"]);
});

test("an arrow gets the `this` of where it was written", () => {
  const draft = createFunction(definition("() => $ths.n", [], { thisParameter: "$ths" }));
  draft.setThis({ n: 4 });
  assert.equal(draft.fn(), 4);
});

test("a bound function can be part of its own object", () => {
  const draft = createBound();
  const { fn } = draft;
  const object = { n: 2, handler: fn };
  draft.bind(
    function add(this: { n: number }, a: number, b: number) {
      return this.n + a + b;
    },
    object,
    [1],
  );
  assert.equal(object.handler(3), 6);
  assert.equal(fn.name, "bound add");
  assert.equal(fn.length, 1);
});
