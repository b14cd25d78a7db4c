/** A full garbage collection, then the finalizers. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { setImmediate as turn } from "node:timers/promises";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

export async function collectGarbage(): Promise<void> {
  collect();
  await turn();
  collect();
  await turn();
}
