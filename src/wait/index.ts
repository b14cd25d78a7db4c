/** How one sleeps and is woken. */

export {
  doorbellFd,
  hearDoorbell,
  keepEventLoop,
  onDoorbell,
  prepareDoorbell,
  releaseEventLoop,
  ringDoorbell,
} from "./doorbell.ts";
export { AdaptiveSpin } from "./spin.ts";
export { isWaitable, type Readiness, WAITABLE, type Waitable } from "./waitable.ts";
export { NOT_PARKED, type ParkOptions, SLICE_MS, TIMED_OUT, WaitQueue } from "./wait-queue.ts";
export { wait, waitSync } from "./wait-any.ts";
export { forEachWaiting, type Waiting } from "./waiting.ts";
