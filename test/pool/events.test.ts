/** What diagnostics channels tell: each task that starts ends, once, whatever becomes of it. */

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { CancelledError, Pool, TimeoutError, WorkerDiedError } from "../../src/index.ts";

interface Message {
  readonly pool: string;
  readonly pid: number;
  readonly task: string;
  readonly id: number;
  readonly duration?: number;
  readonly error?: unknown;
}
type Name = "start" | "end" | "error";

/** What was told of one task. */
type Story = { readonly name: Name; readonly message: Message }[];

/** Listens while `use` runs. @returns what was told of each task. */
async function storiesOf(use: (pool: Pool) => Promise<void>): Promise<Map<number, Story>> {
  const stories = new Map<number, Story>();
  const listeners = (["start", "end", "error"] as const).map((name) => ({
    channel: `multiproc:pool:task:${name}`,
    listen: (message: unknown): void => {
      const { id, pool } = message as Message;
      if (pool !== "told") return;
      const story = stories.get(id) ?? [];
      stories.set(id, story);
      story.push({ name, message: message as Message });
    },
  }));
  for (const { channel, listen } of listeners) subscribe(channel, listen);
  try {
    await using pool = new Pool(2, { name: "told" });
    await use(pool);
  } finally {
    for (const { channel, listen } of listeners) unsubscribe(channel, listen);
  }
  return stories;
}

/** Each story is a start and then an end or an error, of one task. @returns the stories of the tasks of that name. */
function paired(stories: Map<number, Story>, task: string): Story[] {
  for (const story of stories.values()) {
    assert.equal(story.length, 2, JSON.stringify(story));
    assert.equal(story[0]?.name, "start");
    assert.notEqual(story[1]?.name, "start");
    assert.equal(story[0]?.message.task, story[1]?.message.task);
  }
  return [...stories.values()].filter(([first]) => first?.message.task === task);
}

test("tasks that are moved from one worker to another start once", async () => {
  const stories = await storiesOf(async (pool) => {
    const work = function work(n: number): number {
      for (const until = performance.now() + 2; performance.now() < until;);
      return n;
    };
    await pool.map(
      work,
      Array.from({ length: 100 }, (_, i) => i),
      { chunkSize: 1 },
    );
  });
  const works = paired(stories, "work");
  assert.equal(works.length, 100);
  for (const [, end] of works) {
    assert.equal(end?.name, "end");
    assert.ok((end?.message.duration as number) >= 2);
  }
});

test("a task that fails, is cancelled, runs too long, or loses its worker ends with an error that says so", async () => {
  const stories = await storiesOf(async (pool) => {
    const failing = (): never => {
      throw new RangeError("no");
    };
    const dying = (): void => process.exit(3);
    const endless = (): void => {
      for (;;);
    };
    await assert.rejects(pool.apply(failing), RangeError);
    await assert.rejects(pool.apply(dying), WorkerDiedError);
    const tooLong = pool.applyAsync(endless, [], { timeout: 20 });
    await assert.rejects(tooLong.get(), TimeoutError);
    const cancelled = pool.applyAsync(function forgotten() {
      return new Promise(() => {});
    });
    const behind = [0, 1, 2, 3].map(() => pool.applyAsync(endless));
    while (pool.stats().running < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const each of [cancelled, ...behind]) each.cancel();
    for (const each of [cancelled, ...behind]) await assert.rejects(each.get(), CancelledError);
  });
  const errorOf = (task: string): unknown => paired(stories, task)[0]?.[1]?.message.error;
  assert.ok(errorOf("failing") instanceof RangeError);
  assert.ok(errorOf("dying") instanceof WorkerDiedError);
  assert.ok(errorOf("endless") instanceof TimeoutError);
  assert.ok(errorOf("forgotten") instanceof CancelledError);
});

test("what a loop leaves behind when it ends is told of, too", async () => {
  const stories = await storiesOf(async (pool) => {
    const each = function each(n: number): number {
      return n;
    };
    for await (const n of pool.imap(each, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], { chunkSize: 1 })) if (n === 2) break;
  });
  assert.ok(paired(stories, "each").length >= 2);
});

test("a task that is begun again when its worker died has one start and one end", async () => {
  const stories = new Map<number, Story>();
  const listen = (name: Name) => (message: unknown) => {
    const { id, task } = message as Message;
    if (task !== "dies") return;
    stories.set(id, [...(stories.get(id) ?? []), { name, message: message as Message }]);
  };
  for (const name of ["start", "end", "error"] as const) subscribe(`multiproc:pool:task:${name}`, listen(name));
  await using pool = new Pool(1, { retries: 2 });
  await assert.rejects(
    pool.apply(function dies() {
      process.exit(1);
    }),
    WorkerDiedError,
  );
  assert.equal(paired(stories, "dies").length, 1);
});
