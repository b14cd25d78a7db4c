import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { EndOfStreamError, Pipe, Process, SharedArray } from "../../src/index.ts";
import { use } from "../fixtures/stuck-import.ts";
import { countBlocks } from "../helpers/count-blocks.ts";

for (const method of ["spawn", "spare"] as const) {
  test(`a child that is killed while it imports its target's module (${method}) has received nothing: its pipe ends, its memory is freed`, async () => {
    const before = countBlocks().extents;
    const [here, there] = Pipe<number>();
    const array = new SharedArray("float64", 1000);
    const child = new Process({ method, target: use, args: [there, array], stdio: ["ignore", "pipe", "inherit"] });
    child.start();
    assert.equal(String(await once(child.stdout as NonNullable<typeof child.stdout>, "data")), "importing");
    child.kill();
    await assert.rejects(here.recv({ timeout: 20_000 }), EndOfStreamError);
    await child.join();
    array.close();
    here.close();
    assert.equal(countBlocks().extents, before);
  });
}
