/** The places that a DeadlockError of another process names: those of its text become those of the source. */

import type { DeadlockError } from "../core/errors.ts";
import { sourcePlace } from "../core/source-place.ts";

/** @param mapStack Knows the sources of the functions that this process has sent. */
export function mapDeadlockPlaces(error: DeadlockError, mapStack: (stack: string) => string): void {
  let { message } = error;
  const processes = error.processes.map((party) => {
    if (party.acquiredAt === undefined) return party;
    const acquiredAt = sourcePlace(party.acquiredAt, mapStack);
    message = message.replace(`(acquired at ${party.acquiredAt})`, `(acquired at ${acquiredAt})`);
    return { ...party, acquiredAt };
  });
  error.message = message;
  Object.defineProperty(error, "processes", { value: processes, configurable: true, enumerable: true, writable: true });
}
