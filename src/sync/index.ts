/** Locks and what is made of them. */

export { Barrier, type BarrierOptions } from "./barrier.ts";
export { Condition } from "./condition.ts";
export { deadlocks } from "./deadlocks.ts";
export type { Deadlock } from "./deadlock-report.ts";
export { Event } from "./event.ts";
export { Guard } from "./guard.ts";
export type { LockOptions } from "./lock-options.ts";
export { Lock } from "./lock.ts";
export { RLock } from "./rlock.ts";
export { BoundedSemaphore, Semaphore } from "./semaphore.ts";
