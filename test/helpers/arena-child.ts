/** Starts a fixture as a child that shares this process's arena; child and test talk in lines. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { arenaFd, selfSlot } from "../../src/memory/index.ts";

export interface ArenaChild {
  readonly process: ChildProcess;
  readonly pid: number;
  /** The next line that the child prints; fails when it ends first. */
  line(): Promise<string>;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
  /** Waits until it ended by itself. */
  ended(): Promise<number | null>;
}

/** @param fixture Name of a file in test/fixtures, without ending. It finds the arena on descriptor 3. */
export async function startArenaChild(fixture: string, ...args: (string | number)[]): Promise<ArenaChild> {
  const file = fileURLToPath(new URL(`../fixtures/${fixture}.js`, import.meta.url));
  const child = spawn(process.execPath, [file, String(selfSlot()), ...args.map(String)], {
    stdio: ["pipe", "pipe", "inherit", arenaFd()],
  });
  const exited = once(child, "exit") as Promise<[number | null]>;
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  await once(child, "spawn");
  return {
    process: child,
    pid: child.pid as number,
    async line() {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`${fixture} ended without another line`);
      return value;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    ended: async () => (await exited)[0],
  };
}
