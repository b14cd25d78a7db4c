/** Pools of worker processes. */

export { AsyncResult } from "./async-result.ts";
export { type ItemResult, Pool, type StreamedResult, type TaskFunction, type TaskResult } from "./pool.ts";
export type { PoolOptions } from "./pool-options.ts";
export type { Progress, ProgressOption } from "./progress.ts";
export type { Percentiles, StatsReport, WorkerStats } from "./stats.ts";
export type { ApplyOptions, MapAsyncOptions, MapOptions } from "./call-options.ts";
