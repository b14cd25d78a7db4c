/** Starting, watching and ending processes. */

export { cpuCount } from "./cpu-count.ts";
export { type CurrentProcess, currentProcess, type ParentProcess, parentProcess } from "./current.ts";
export { activeChildren, Process, type Result, setListed } from "./process.ts";
export type { ProcessOptions, StdioChoice } from "./process-options.ts";
export type { Sentinel } from "./sentinel.ts";
export {
  checkStartMethod,
  getAllStartMethods,
  getStartMethod,
  setStartMethod,
  type StartMethod,
} from "./start-method.ts";
