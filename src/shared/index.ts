/** Data in shared memory. */

export type { ElementName, ElementOf, ElementType, ViewOf } from "./element-types.ts";
export type { ShareableValue } from "./shareable-layout.ts";
export { ShareableList, type ShareableListOptions } from "./shareable-list.ts";
export { SharedArray } from "./shared-array.ts";
export { SharedMemory, type SharedMemoryOptions } from "./shared-memory.ts";
export { Value } from "./value.ts";
