import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allocateExtent,
  findExtentByName,
  nameOfExtent,
  unlinkExtent,
  unlinkExtentName,
} from "../../src/memory/index.ts";
import { exploreInterleavings, type Run, type Steps, type Stepwise, stepwise } from "../helpers/interleavings.ts";

test("an extent is found by its name until it is unlinked, and freed then with its last holder", () => {
  const extent = allocateExtent(1000);
  const name = nameOfExtent(extent);
  assert.equal(nameOfExtent(extent), name);
  extent.release();
  const found = findExtentByName(name);
  assert.equal(found?.byteLength, 1000);
  assert.equal(unlinkExtentName(name), true);
  assert.equal(unlinkExtentName(name), false);
  assert.equal(findExtentByName(name), undefined);
  found?.release();
  const next = allocateExtent(1000);
  assert.notEqual(nameOfExtent(next), name, "a name is not used again with the extent");
  assert.equal(findExtentByName(name), undefined);
  assert.equal(unlinkExtent(next), true);
  assert.equal(unlinkExtent(next), false);
  next.release();
});

test("names that mean nothing find nothing", () => {
  const extent = allocateExtent(10);
  const name = nameOfExtent(extent);
  const prefix = name.slice(0, name.lastIndexOf("-", name.lastIndexOf("-") - 1) + 1);
  for (const odd of [
    "",
    "other",
    "multiproc-",
    prefix,
    `${prefix}0-0`,
    `${prefix}zzzzzzzz-0`,
    `${prefix}-1-0`,
    `${prefix}1-1`,
  ]) {
    assert.equal(findExtentByName(odd), undefined, odd);
  }
  unlinkExtent(extent);
  extent.release();
});

const references = new URL("../../src/memory/references.js", import.meta.url);
const receipts = new URL("../../src/core/receipts.js", import.meta.url);
const names = new URL("../../src/memory/extent-names.js", import.meta.url);
const HEADER = { state: 0, generation: 1, sent: 2, received: 3, freer: 4, holders: 5, kind: 6 } as const;
const NAME = "multiproc-1-1-0";
type Call = (...args: unknown[]) => Steps<never>;

/** An extent with id 1 whose cell is all the memory there is; the word after its header is the name's. */
class World {
  readonly words = new Int32Array(8);
  readonly holders = new Set<number>();
  readonly errors: string[] = [];
  unlinked = 0;
  frees = 0;

  constructor() {
    this.words[HEADER.state] = 1;
    this.words[HEADER.kind] = 1;
  }

  process(slot: number, patch?: (text: string) => string): Stepwise {
    const common = {
      arena: () => ({ words: this.words }),
      CellHeader: HEADER,
      cellWord: () => 0,
    };
    const stepped = stepwise(references, {
      ...common,
      StateError: Error,
      countReceipt: stepwise(receipts, {})["countReceipt"],
      CellState: { free: 0, live: 1, freeing: 2 },
      HOLDER_WORDS: 1,
      selfSlot: () => slot,
    });
    const { hold, refer, adopt, retract, drop } = stepped as Record<string, Call>;
    const note = (claimed: boolean): void => {
      if (claimed) this.frees += 1;
    };
    const named = stepwise(
      names,
      {
        ...common,
        CellKind: { extent: 1 },
        CONTROL_BYTES: 1000,
        HEAP_OFFSET: 0,
        payloadOffset: () => 28,
        arenaFd: () => 0,
        fstatSync: () => ({ ino: 1 }),
        refer,
        openExtent: function* (ref: unknown): Steps<unknown> {
          yield* (adopt as Call)(ref);
          return ref;
        },
        retractRef: function* (ref: unknown): Steps<void> {
          note(yield* (retract as Call)(ref));
        },
      },
      patch,
    );
    const release = function* (): Steps<void> {
      note(yield* (drop as Call)(1));
    };
    return { ...named, hold: hold as Call, release: release as Call };
  }

  *finder(slot: number, patch?: (text: string) => string): Steps<void> {
    const process = this.process(slot, patch);
    const found: unknown = yield* (process["findExtentByName"] as Call)(NAME);
    if (found === undefined) return;
    this.holders.add(slot);
    yield* this.release(slot, process);
  }

  *release(slot: number, process: Stepwise): Steps<void> {
    this.holders.delete(slot);
    yield* (process["release"] as Call)();
  }

  *unlinker(slot: number, patch?: (text: string) => string): Steps<void> {
    if (yield* (this.process(slot, patch)["unlinkExtentName"] as Call)(NAME)) this.unlinked += 1;
  }

  /** Runs to the end at once: what was before the scenario. */
  before(steps: Steps): void {
    for (const _ of steps);
  }

  run(actors: Steps[]): Run {
    return {
      actors,
      state: () => this.words.join(),
      check: (finished) => {
        if (this.words[HEADER.state] === 2 && this.holders.size > 0) assert.fail("freed although it is held");
        assert.ok(this.frees <= 1, "freed twice");
        if (finished) assert.deepEqual([this.frees, this.unlinked], [1, 1], "freed and unlinked once in the end");
      },
    };
  }
}

const scenarios: ((patch?: (text: string) => string) => Run)[] = [
  // The name's reference is all that is left.
  (patch) => {
    const world = new World();
    const owner = world.process(0, patch);
    world.before((owner["hold"] as Call)(1));
    world.before((owner["nameOfExtent"] as Call)({ id: 1, word: 7, refer: () => countSent(world.words) }));
    world.before(world.release(0, owner));
    return world.run([world.finder(1, patch), world.unlinker(2, patch)]);
  },
  // Two unlink at once.
  (patch) => {
    const world = new World();
    const owner = world.process(0, patch);
    world.before((owner["hold"] as Call)(1));
    world.before((owner["nameOfExtent"] as Call)({ id: 1, word: 7, refer: () => countSent(world.words) }));
    return world.run([world.release(0, owner), world.unlinker(1, patch), world.unlinker(2, patch)]);
  },
];

function countSent(words: Int32Array): unknown {
  words[HEADER.sent] = (words[HEADER.sent] as number) + 1;
  return { id: 1, generation: 0 };
}

test("in every interleaving of finding, unlinking and letting go an extent is freed once, and not while it is held", () => {
  for (const scenario of scenarios) assert.ok(exploreInterleavings(() => scenario()) > 50);
});

test("the interleavings of names find what they are there for", () => {
  const unguarded = (text: string): string => {
    const changed = text.replace("if (old === LINKED)", "if ((old & LINKED) !== 0)");
    assert.notEqual(changed, text);
    return changed;
  };
  assert.throws(() => {
    for (const scenario of scenarios) exploreInterleavings(() => scenario(unguarded));
  }, /freed/);
});
