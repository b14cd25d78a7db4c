/** Loading the packages that this one depends on. */

import { createRequire } from "node:module";
import { ownFolder } from "../core/own-modules.ts";
import { assertCanOpen } from "./descriptors-left.ts";

/** @throws {SystemError} EMFILE or ENFILE, if there is no descriptor to read it with. */
export function loadPackage(name: string): unknown {
  assertCanOpen(name);
  return createRequire(ownFolder)(name) as unknown;
}
