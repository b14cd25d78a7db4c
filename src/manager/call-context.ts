/**
 * Who calls: known to the methods of shared objects at the moment they are called, before their first `await`.
 *
 * A lock belongs to the caller's process, a waiter is forgotten when its process dies, and an item that was handed to a
 * process that died before it took it goes back.
 */

/** A process (or a stranger's connection) that calls, for as long as it is there. */
export class Caller {
  /** For error texts: `"process 4711"`. */
  readonly name: string;
  readonly #goodbyes = new Set<() => void>();
  #gone = false;

  constructor(name: string) {
    this.name = name;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Calls back once when the caller is gone. @returns ends that. */
  onGone(goodbye: () => void): () => void {
    this.#goodbyes.add(goodbye);
    return () => this.#goodbyes.delete(goodbye);
  }

  /** The caller has died, or has closed its connection. */
  leave(): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const goodbye of this.#goodbyes) goodbye();
    this.#goodbyes.clear();
  }
}

/** One call. */
export interface Call {
  readonly caller: Caller;
  /** Makes the error for a call that would have to wait, if it must not: its caller has as many that do as it may have. */
  readonly mustNotWait?: (() => Error) | undefined;
  /** Undoes what the call took, if the caller died before the reply reached it. */
  undo?: (() => void) | undefined;
}

const NOBODY: Call = { caller: new Caller("the manager itself") };
let current: Call = NOBODY;

/** The call that is being served; ask before the first `await`. */
export function currentCall(): Call {
  return current;
}

/** Serves a call: runs `method` so that it finds the call. */
export function serveCall<R>(call: Call, method: () => R): R {
  const before = current;
  current = call;
  try {
    return method();
  } finally {
    current = before;
  }
}
