export type * from "./image.ts";
export { capture, referenceTo } from "./capture.ts";
export { refuseReason } from "./refuse.ts";
