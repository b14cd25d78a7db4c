/** The bar as a terminal is told to draw it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const index = new URL("../../src/index.js", import.meta.url).href;

/** What a program writes to a standard error that says that it is a terminal, without the moves of the cursor. */
async function drawnBy(text: string): Promise<string> {
  const program = `import { Pool } from ${JSON.stringify(index)};
    import { setTimeout as sleep } from "node:timers/promises";
    Object.assign(process.stderr, { isTTY: true, columns: 120 });
    // Loaded before the first call, so that no call ends before its bar is there.
    await import("cli-progress");
    const slow = (n) => new Promise((resolve) => setTimeout(resolve, 20, n));
    ${text}`;
  const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  // oxlint-disable-next-line no-control-regex -- Moves of the cursor begin with one.
  return stderr.replaceAll(/\u001B\[[\d;?]*[A-Za-z]/g, "");
}

test("each of several bars at once has the name and the counts of its own pool", async () => {
  const drawn = await drawnBy(`
    const pools = [new Pool(1, { name: "left" }), new Pool(1, { name: "right" })];
    const lengths = [30, 40];
    await Promise.all(pools.map((pool, i) =>
      pool.map(slow, Array.from({ length: lengths[i] }, (_, n) => n), { progress: true, chunkSize: 1 })));
  `);
  assert.match(drawn, /left \S+ 100% \| 30\/30/);
  assert.match(drawn, /right \S+ 100% \| 40\/40/);
});

test("a bar whose total is not known yet counts, and draws a part when it is", async () => {
  const drawn = await drawnBy(`
    const pool = new Pool(1, { name: "open" });
    async function* inputs() {
      for (let n = 0; n < 20; n++) yield n;
      // All that came before is drawn without a total.
      await sleep(200);
    }
    for await (const _ of pool.imap(slow, inputs(), { progress: true, chunkSize: 1 }));
  `);
  assert.match(drawn, /open \d+ done/);
  assert.match(drawn, /open \S+ 100% \| 20\/20/);
  assert.doesNotMatch(drawn, /\d\/0/);
});

test("what is no terminal is told nothing", async () => {
  const drawn = await drawnBy(`
    process.stderr.isTTY = false;
    const pool = new Pool(1);
    await pool.map(slow, [1, 2, 3], { progress: true, chunkSize: 1 });
  `);
  assert.equal(drawn, "");
});
