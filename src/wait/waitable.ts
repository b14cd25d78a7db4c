/** What `wait()` accepts: connections, queues, events, processes, sentinels. */

export const WAITABLE: unique symbol = Symbol.for("multiproc.waitable") as typeof WAITABLE;

/** How to wait for something to become ready, without taking anything. */
export interface Readiness {
  /** Asks now. */
  isReady(): boolean;
  /**
   * Calls `wake` in the event loop when it may have become ready (at least once after it did; spurious calls are allowed).
   * @returns ends the subscription.
   */
  subscribe(wake: () => void): () => void;
}

export interface Waitable {
  [WAITABLE](): Readiness;
}

export function isWaitable(value: unknown): value is Waitable {
  return (typeof value === "object" || typeof value === "function") && value !== null && WAITABLE in value;
}
