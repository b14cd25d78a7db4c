/** Signals have numbers in the kernel and names in node; some have two names, of which the first is the usual one. */

import { constants } from "node:os";

export function signalName(number: number): NodeJS.Signals {
  const found = Object.entries(constants.signals).find(([, each]) => each === number);
  return (found?.[0] ?? `SIG${number}`) as NodeJS.Signals;
}
