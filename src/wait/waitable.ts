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
  /**
   * For who blocks: a descriptor that is readable when it is ready. Without one, whoever makes it ready must ring the doorbell
   * of those who have subscribed.
   */
  descriptor?(): number | undefined;
}

export interface Waitable {
  [WAITABLE](): Readiness;
}

export function isWaitable(value: unknown): value is Waitable {
  return (typeof value === "object" || typeof value === "function") && value !== null && WAITABLE in value;
}
