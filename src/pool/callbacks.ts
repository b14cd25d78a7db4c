/** Callbacks of users: whatever they do costs no task. */

/** Calls a callback. One that throws, or is async and rejects, becomes a process warning. */
export function callBack<T>(name: string, callback: ((value: T) => unknown) | undefined, value: T): void {
  if (callback === undefined) return;
  try {
    const returned = callback(value);
    if (returned instanceof Promise) returned.catch((error: unknown) => warn(name, error));
  } catch (error) {
    warn(name, error);
  }
}

function warn(name: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`The ${name} callback of a pool has thrown: ${text}`, "PoolCallbackWarning");
}
