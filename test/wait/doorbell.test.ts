import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { Process, Queue } from "../../src/index.ts";
import { selfSlot } from "../../src/memory/index.ts";
import { keepEventLoop, onDoorbell, releaseEventLoop, ringDoorbell } from "../../src/wait/index.ts";

const descriptors = (): number => readdirSync("/proc/self/fd").length;

test("no descriptor stays open for processes that somebody else has swept", async (t) => {
  const orders = new Queue<string>();
  const news = new Queue<number | string>();
  // Its children wait for this program's bell, and it is the one that sees them end.
  const middle = new Process(async () => {
    while ((await orders.get()) === "another") {
      const child = new Process(async () => {
        const rung = new Promise<void>((resolve) => onDoorbell(resolve));
        keepEventLoop();
        await news.put(selfSlot());
        await rung;
        releaseEventLoop();
      });
      child.start();
      await child.join();
      await news.put("ended");
    }
  });
  middle.start();
  t.after(() => middle.kill());
  const ringAnother = async (): Promise<void> => {
    await orders.put("another");
    ringDoorbell((await news.get()) as number);
    assert.equal(await news.get(), "ended");
  };
  await ringAnother();
  const before = descriptors();
  for (let i = 0; i < 8; i++) await ringAnother();
  assert.ok(descriptors() <= before + 1, `${before} descriptors, later ${descriptors()}`);
  await orders.put("enough");
  await middle.join();
});
