import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { AdaptiveSpin } from "../../src/wait/index.ts";

test("what is so already is seen at the first look; what never is, is given up", () => {
  const spin = new AdaptiveSpin();
  assert.equal(
    spin.until(() => true),
    true,
  );
  for (let i = 0; i < 200; i++) {
    let looks = 0;
    assert.equal(
      spin.until(() => ++looks < 0),
      false,
    );
  }
});

test("it looks less and less for what does not come, and more again for what does", (t) => {
  if (availableParallelism() === 1) return t.skip("one processor: it yields instead");
  const spin = new AdaptiveSpin();
  const looks = (until: number): number => {
    let count = 0;
    spin.until(() => ++count >= until);
    return count;
  };
  const first = looks(Infinity);
  for (let i = 0; i < 10; i++) looks(Infinity);
  const later = looks(Infinity);
  assert.ok(later < first, `${later} < ${first}`);
  for (let i = 0; i < 10; i++) looks(later - 10);
  assert.ok(looks(Infinity) > later);
  return undefined;
});

test("two processes on one processor answer each other through every primitive", () => {
  const fixture = fileURLToPath(new URL("../fixtures/one-processor.js", import.meta.url));
  const { stdout, stderr } = spawnSync("taskset", ["-c", "0", process.execPath, fixture], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.equal(stdout, "500 500 500 500 500 500 500 500\n", stderr);
});
