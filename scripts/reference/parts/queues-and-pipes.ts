/**
 * Queues and pipes
 *
 * How data moves between processes. What for and how stands in [Queues and pipes](../../../docs/queues-and-pipes.md).
 *
 * @module
 */

export * from "../../../src/channel/index.ts";
