import assert from "node:assert/strict";
import { test } from "node:test";
import { exploreInterleavings, type Run, type Steps, type Stepwise, stepwise } from "../helpers/interleavings.ts";

const file = new URL("../../src/memory/free-list.js", import.meta.url);
type Call = (...args: unknown[]) => Steps<never>;

/** A list of the blocks 1 to 3; the link of block n is word n. */
class World {
  readonly longs = new BigInt64Array(1);
  readonly words = new Int32Array(4);
  readonly owned: number[] = [];
  readonly #list: Stepwise;

  constructor(patch?: (text: string) => string) {
    this.#list = stepwise(file, { arena: () => ({ longs: this.longs, words: this.words }) }, patch);
    for (const block of [3, 2, 1]) for (const _ of this.push(block));
  }

  *push(block: number): Steps<void> {
    const at = this.owned.indexOf(block);
    if (at !== -1) this.owned.splice(at, 1);
    yield* (this.#list["pushFree"] as Call)(0, block, (n: number) => n);
  }

  *pop(): Steps<number> {
    const block: number = yield* (this.#list["popFree"] as Call)(0, (n: number) => n);
    if (block !== 0) this.owned.push(block);
    return block;
  }

  /** What is in the list now; only when nobody is at it. */
  listed(): number[] {
    const found = [];
    for (let block = Number(this.longs[0]! & 0xffff_ffffn); block !== 0; block = this.words[block] as number) {
      found.push(block);
      if (found.length > 3) assert.fail("the list runs in a circle");
    }
    return found;
  }

  run(actors: Steps[]): Run {
    return {
      actors,
      state: () => `${this.longs.join()} ${this.words.join()} ${this.owned.join()}`,
      check: (finished) => {
        assert.equal(new Set(this.owned).size, this.owned.length, "a block has two owners");
        if (finished)
          assert.deepEqual(
            [...this.owned, ...this.listed()].toSorted((a, b) => a - b),
            [1, 2, 3],
            "every block is somewhere, once",
          );
      },
    };
  }
}

/** One takes a block while the other takes two and puts the first one back: the ABA problem. */
function aba(patch?: (text: string) => string): Run {
  const world = new World(patch);
  const other = (function* (): Steps<void> {
    const first = yield* world.pop();
    yield* world.pop();
    yield* world.push(first);
  })();
  return world.run([world.pop(), other]);
}

function three(): Run {
  const world = new World();
  const takeAndGive = function* (): Steps<void> {
    const block = yield* world.pop();
    if (block !== 0) yield* world.push(block);
  };
  return world.run([world.pop(), world.pop(), takeAndGive()]);
}

test("in every interleaving of taking and giving, no block is lost and none has two owners", () => {
  assert.ok(exploreInterleavings(() => aba()) > 50);
  assert.ok(exploreInterleavings(three) > 200);
});

test("without the count in the head they would", () => {
  const uncounted = (text: string): string => {
    const changed = text.replace("(old >> 32n) + 1n", "(old >> 32n)");
    assert.notEqual(changed, text);
    return changed;
  };
  assert.throws(() => exploreInterleavings(() => aba(uncounted)), /two owners|once|circle/);
});
