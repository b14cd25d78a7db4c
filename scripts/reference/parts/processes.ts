/**
 * Processes
 *
 * Functions at work in processes of their own. What for and how stands in [Processes](../../../docs/processes.md) and
 * [Functions that travel](../../../docs/functions.md).
 *
 * @module
 */

export {
  activeChildren,
  type Context,
  cpuCount,
  type CurrentProcess,
  currentProcess,
  fromModule,
  getAllStartMethods,
  getContext,
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
  wait,
  type WaitOptions,
  waitSync,
} from "../../../src/index.ts";
