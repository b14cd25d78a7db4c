/**
 * The façade registers every kind of handle that there is. A process that was started for one purpose, as a pool's worker or a manager's,
 * has only what it needs, and loads the façade when the first handle arrives.
 */

import { ownModule } from "./own-modules.ts";

let loading: Promise<void> | undefined;
let loaded = false;

/** Loads the façade. @returns undefined when it is there. */
export function loadFacade(): Promise<void> | undefined {
  if (loaded) return undefined;
  return (loading ??= import(ownModule("index.js")).then(() => void (loaded = true)));
}
