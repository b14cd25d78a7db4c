/**
 * Pools
 *
 * Many tasks on a few processes. What for and how stands in [Pool](../../../docs/pool.md).
 *
 * @module
 */

export {
  type ApplyOptions,
  AsyncResult,
  type ItemResult,
  type MapAsyncOptions,
  type MapOptions,
  type Percentiles,
  Pool,
  type PoolOptions,
  type Progress,
  type ProgressOption,
  type StatsReport,
  type StreamedResult,
  type TaskFunction,
  type TaskResult,
  type WorkerStats,
} from "../../../src/index.ts";
