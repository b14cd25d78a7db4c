/**
 * Shared memory
 *
 * Data that several processes read and write in place. What for and how stands in [Shared memory](../../../docs/shared-memory.md).
 *
 * @module
 */

export * from "../../../src/shared/index.ts";
