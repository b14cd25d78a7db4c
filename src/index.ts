/** multiproc: Python's multiprocessing for TypeScript. */

import "./platform/check.ts";

export { fromModule } from "./capture/index.ts";
export * from "./channel/index.ts";
export type { WaitOptions } from "./core/deadline.ts";
export * from "./core/errors.ts";
export {
  activeChildren,
  cpuCount,
  type CurrentProcess,
  currentProcess,
  getAllStartMethods,
  getStartMethod,
  type ParentProcess,
  parentProcess,
  Process,
  type ProcessOptions,
  type Result,
  type Sentinel,
  setStartMethod,
  type StartMethod,
  type StdioChoice,
} from "./process/index.ts";
export * from "./manager/index.ts";
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
} from "./pool/index.ts";
export * from "./shared/index.ts";
export * from "./sync/index.ts";
export { wait, waitSync } from "./wait/index.ts";
export { type Context, getContext } from "./context.ts";
