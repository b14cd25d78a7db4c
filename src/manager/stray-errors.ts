/**
 * Errors that no caller can be told of: of a promise that nobody awaits, of a timer or a listener of an object in the manager. They are
 * reported, and the manager goes on: others use what it holds. A failure of the manager itself ends it, so that nobody waits for ever.
 */

import { inspect } from "node:util";

/** Reports such errors as warnings, unless the program listens to them itself. @param name The manager's. */
export function reportStrayErrors(name: string): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(event, (error: unknown) => {
      if (process.listenerCount(event) > 1) return;
      const message = `An object of the manager "${name}" left an error uncaught; the manager goes on`;
      process.emitWarning(message, { type: "ManagerWarning", code: "UNCAUGHT_IN_MANAGER", detail: inspect(error) });
    });
  }
}

/** Runs what must not fail; if it does, the manager ends, and all callers are told. */
export function orEnd(work: () => void): void {
  try {
    work();
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}
