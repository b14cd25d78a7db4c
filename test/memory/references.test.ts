import assert from "node:assert/strict";
import { test } from "node:test";
import { StateError } from "../../src/core/errors.ts";
import { exploreInterleavings, type Run, type Steps, type Stepwise, stepwise } from "../helpers/interleavings.ts";

const file = new URL("../../src/memory/references.js", import.meta.url);
const receipts = new URL("../../src/core/receipts.js", import.meta.url);

/** A cell's header with two words of holders, so that a scan of them can be overtaken: slots 0 and 40 are in different ones. */
const HEADER = { state: 0, generation: 1, sent: 2, received: 3, freer: 4, holders: 5 } as const;
const HOLDER_WORDS = 2;
const STATE = { free: 0, live: 1, freeing: 2 } as const;
const SLOTS = [0, 40, 33];

interface Message {
  ref?: unknown;
}

/** What the actors share, and what a bystander knows who sees everything. */
class World {
  readonly words = new Int32Array(7);
  readonly processes: Stepwise[];
  /** Who is known to hold the block, or to have a reference under way. */
  readonly entitled = new Set<string>();
  frees = 0;
  error: string | undefined;

  constructor(patch?: (text: string) => string) {
    this.words[HEADER.state] = STATE.live;
    this.processes = SLOTS.map((slot) =>
      stepwise(
        file,
        {
          StateError,
          countReceipt: stepwise(receipts, {})["countReceipt"],
          arena: () => ({ words: this.words }),
          CellHeader: HEADER,
          CellState: STATE,
          cellWord: () => 0,
          HOLDER_WORDS,
          selfSlot: () => slot,
        },
        patch,
      ),
    );
  }

  /** Process `who` holds the block from the start. */
  holding(who: number): void {
    for (const _ of (this.processes[who] as Stepwise)["hold"]!(1));
    this.entitled.add(`holder ${who}`);
  }

  /** Sends a reference. */
  *send(who: number, message: Message): Steps<void> {
    const ref: unknown = yield* (this.processes[who] as Stepwise)["refer"]!(1);
    this.entitled.add(`message from ${who}`);
    message.ref = ref;
  }

  *receive(who: number, message: Message, from: number): Steps<void> {
    yield* (this.processes[who] as Stepwise)["adopt"]!(message.ref);
    this.entitled.add(`holder ${who}`);
    this.entitled.delete(`message from ${from}`);
  }

  *drop(who: number): Steps<void> {
    this.entitled.delete(`holder ${who}`);
    this.free(yield* (this.processes[who] as Stepwise)["drop"]!(1));
  }

  *retract(who: number, message: Message): Steps<void> {
    this.entitled.delete(`message from ${who}`);
    this.free(yield* (this.processes[who] as Stepwise)["retract"]!(message.ref));
  }

  /** Process `who` sweeps the dead process `dead`. */
  *sweep(who: number, dead: number): Steps<void> {
    this.entitled.delete(`holder ${dead}`);
    this.free(yield* (this.processes[who] as Stepwise)["clearHolder"]!(1, SLOTS[dead]));
  }

  free(claimed: unknown): void {
    if (claimed === true) this.frees += 1;
  }

  check(finished: boolean): void {
    const freeing = this.words[HEADER.state] === STATE.freeing;
    if (freeing && this.entitled.size > 0) assert.fail(`freed although there is ${[...this.entitled].join()}`);
    assert.ok(this.frees <= 1, "freed twice");
    if (finished) assert.equal(this.frees, 1, "freed in the end");
  }

  run(actors: Steps[], blocked?: (actor: number) => boolean): Run {
    return {
      actors,
      blocked: (actor) => blocked?.(actor) ?? false,
      state: () => this.words.join(),
      check: (finished) => this.check(finished),
    };
  }
}

/** Each scenario begins with process 0 holding the block, and ends with nobody holding it. */
const scenarios: Record<string, (patch?: (text: string) => string) => Run> = {
  "two holders let go at once": (patch) => {
    const world = new World(patch);
    world.holding(0);
    world.holding(1);
    return world.run([world.drop(0), world.drop(1)]);
  },
  "a reference is sent and its sender lets go, while the receiver takes it and lets go": (patch) => {
    const world = new World(patch);
    const message: Message = {};
    world.holding(0);
    const sender = (function* (): Steps<void> {
      yield* world.send(0, message);
      yield* world.drop(0);
    })();
    const receiver = (function* (): Steps<void> {
      yield* world.receive(1, message, 0);
      yield* world.drop(1);
    })();
    return world.run([sender, receiver], (actor) => actor === 1 && message.ref === undefined);
  },
  "a third process lets go while a reference goes from one to another": (patch) => {
    const world = new World(patch);
    const message: Message = {};
    world.holding(0);
    world.holding(1);
    const sender = (function* (): Steps<void> {
      yield* world.send(1, message);
      yield* world.drop(1);
    })();
    const receiver = (function* (): Steps<void> {
      yield* world.receive(2, message, 1);
      yield* world.drop(2);
    })();
    return world.run([world.drop(0), sender, receiver], (actor) => actor === 2 && message.ref === undefined);
  },
  "a reference is taken back while another holder lets go": (patch) => {
    const world = new World(patch);
    const message: Message = {};
    world.holding(0);
    world.holding(1);
    const sender = (function* (): Steps<void> {
      yield* world.send(0, message);
      yield* world.drop(0);
      yield* world.retract(0, message);
    })();
    return world.run([sender, world.drop(1)]);
  },
  "a dead holder is swept while others let go": (patch) => {
    const world = new World(patch);
    for (const who of [0, 1, 2]) world.holding(who);
    const sweeper = (function* (): Steps<void> {
      yield* world.sweep(0, 2);
      yield* world.drop(0);
    })();
    return world.run([sweeper, world.drop(1)]);
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`in every interleaving a block is freed exactly once, and never too early: ${name}`, () => {
    assert.ok(exploreInterleavings(() => scenario()) > 20);
  });
}

test("the interleavings find what they are there for", () => {
  const explore = (patch: (text: string) => string): void => {
    for (const scenario of Object.values(scenarios)) exploreInterleavings(() => scenario(patch));
  };
  const replace = (from: RegExp, to: string) => (text: string) => {
    assert.match(text, from);
    return text.replace(from, to);
  };
  const noSecondLook = replace(/if \(Atomics\.load\(words, at \+ CellHeader\.sent\) !== sent\)\s+continue;/, "");
  assert.throws(() => explore(noSecondLook), /freed although/);
  const noExchange = replace(/if \(Atomics\.compareExchange\([^;]*\{\s*return false;\s*\}/, "");
  assert.throws(() => explore(noExchange), /freed twice/);
  const countedTooEarly = replace(
    /hold\(id\);\s+Atomics\.add\(words, cellWord\(id\) \+ CellHeader\.received, 1\);/,
    "Atomics.add(words, cellWord(id) + CellHeader.received, 1); hold(id);",
  );
  assert.throws(() => explore(countedTooEarly), /freed although|does not exist/);
});
