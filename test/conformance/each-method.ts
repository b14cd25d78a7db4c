/** One statement of the contract, checked for both start methods. */

import { test } from "node:test";
import { type Context, getContext } from "multiproc";

export const METHODS = ["spare", "spawn"] as const;

export function eachMethod(statement: string, check: (context: Context) => Promise<void> | void): void {
  for (const method of METHODS) test(`${statement} (${method})`, () => check(getContext(method)));
}
