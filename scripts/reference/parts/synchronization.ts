/**
 * Synchronization
 *
 * Locks and what is made of them. What for and how stands in [Synchronization](../../../docs/synchronization.md).
 *
 * @module
 */

export * from "../../../src/sync/index.ts";
