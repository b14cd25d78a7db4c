/** Data in shared memory. */

export type { ElementName, ElementOf, ElementType, ViewOf } from "./element-types.ts";
export { SharedArray } from "./shared-array.ts";
export { Value } from "./value.ts";
