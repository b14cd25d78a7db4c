/** What the operating system does for us; the only folder that knows which one it is. */

export * from "./linux/descriptors.ts";
export { populateSharedMemory, prepareFreshMemory } from "./linux/fresh-memory.ts";
export * from "./linux/futex.ts";
export * from "./linux/memory.ts";
export * from "./linux/named-memory.ts";
export * from "./linux/process.ts";
export * from "./linux/sockets.ts";
export { type Program, spawnProgram } from "./linux/spawn.ts";
export { isMainThread } from "./linux/thread-owned.ts";
export * from "./linux/watch.ts";
export { EEXIST, ENOENT, ENOSPC, systemError } from "./errno.ts";
export { assertSupported } from "./support.ts";
