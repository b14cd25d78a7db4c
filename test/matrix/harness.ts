/** What the cases of the matrix import: `check` registers a case, `send` runs a function in another process. */

import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { Process } from "../../src/index.ts";

type Case = readonly [name: string, run: () => Promise<void>];

const cases: Case[] = [];

export function check(name: string, run: () => Promise<void>): void {
  cases.push([name, run]);
}

/** Runs all cases and writes a line of JSON for each; called at the end of the main file. */
export async function runCases(): Promise<void> {
  const out = process.env["MATRIX_OUT"] as string;
  for (const [name, run] of cases) {
    let failure: string | undefined;
    try {
      await run();
    } catch (error) {
      failure = (error as Error).stack;
    }
    appendFileSync(out, `${JSON.stringify({ name, failure })}\n`);
  }
}

/** Runs the function in a process of its own; the snapshot is taken before anything waits. */
export function send<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
  // A child prints the error that it ends with: here these are expected.
  const child = new Process({ target: fn, args, stdio: ["ignore", "inherit", "ignore"] });
  return child.start().result() as Promise<Awaited<R>>;
}

/** Checks that sending is refused with a message that names the path and the reason. */
export async function refused(action: () => unknown, ...patterns: RegExp[]): Promise<void> {
  const error = await (async () => action())().then(
    () => assert.fail("was not refused"),
    (reason: Error) => reason,
  );
  assert.equal(error.name, "SerializationError", String(error.stack));
  for (const pattern of patterns) assert.match(error.message, pattern);
}
