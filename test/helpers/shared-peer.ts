/** A child that works on shared data at request; see fixtures/shared-peer.ts for what it can do. */

import assert from "node:assert/strict";
import { type ArenaChild, startArenaChild } from "./arena-child.ts";

export interface SharedPeer extends ArenaChild {
  /** Has it do something: operation, handle as text (or ""), argument. Gives its answer. */
  ask(...fields: (string | number)[]): Promise<string>;
  /** Lets it end by itself. */
  end(): Promise<void>;
}

export async function startPeer(): Promise<SharedPeer> {
  const child = await startArenaChild("shared-peer");
  assert.equal(await child.line(), "ready");
  return {
    ...child,
    ask(...fields) {
      child.process.stdin?.write(`${fields.join("\t")}\n`);
      return child.line();
    },
    async end() {
      child.process.stdin?.end();
      assert.equal(await child.ended(), 0);
    },
  };
}
