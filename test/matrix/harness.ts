/** What the cases of the matrix import: `check` registers a case, `send` runs a function in another process. */

import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mainModule } from "../../src/capture/main-module.ts";
import { mapStack } from "../../src/capture/source-maps.ts";
import { decode, decodeError, encode, prepare } from "../../src/codec/index.ts";

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

/** The inherited options that a child can have, too. */
function execArgv(): string[] {
  return process.execArgv.filter((option) => !/^--(?:test|inspect|input-type|eval|print|watch|cpu-prof)/.test(option));
}

export function send<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
  // The snapshot is taken here, before anything waits.
  const bytes = encode([fn, args], { root: "task" });
  const main = mainModule();
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./child.js", import.meta.url)), [], {
      serialization: "advanced",
      execArgv: execArgv(),
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => reject(new Error(`The child ended with ${code ?? signal}`)));
    child.on("message", (message) => {
      const { result, error } = message as { result?: Uint8Array; error?: Uint8Array };
      const settle = async (): Promise<void> => {
        if (error !== undefined) {
          await prepare(error);
          throw decodeError(error, mapStack);
        }
        await prepare(result as Uint8Array);
        resolve(decode(result as Uint8Array) as Awaited<R>);
      };
      settle().catch(reject);
    });
    child.send({ main, bytes });
  });
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
