/** Pools of worker processes. */

export { AsyncResult } from "./async-result.ts";
export {
  type ApplyOptions,
  type ItemResult,
  type MapAsyncOptions,
  type MapOptions,
  Pool,
  type StreamedResult,
  type TaskResult,
} from "./pool.ts";
export type { PoolOptions } from "./pool-options.ts";
export type { Progress, ProgressOption } from "./progress.ts";
export type { Percentiles, StatsReport, WorkerStats } from "./stats.ts";
