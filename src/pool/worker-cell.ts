/**
 * What a pool and one of its workers share besides their two lanes: a cell of words, each group on a cache line of its own.
 *
 * | word    | holds                                                            | written by |
 * |---------|------------------------------------------------------------------|------------|
 * | 0       | tasks: bytes ever published                                      | pool       |
 * | 16      | tasks: bytes ever consumed                                       | worker     |
 * | 32      | results: bytes ever published                                    | worker     |
 * | 48      | results: bytes ever consumed                                     | pool       |
 * | 64      | turn: number of the next task to begin; by compare-and-exchange  | both       |
 * | 80      | 1 while the worker sleeps and wants its doorbell rung            | both       |
 * | 81      | state: see WorkerState                                           | worker     |
 * | 82      | the worker's slot in the process table                           | worker     |
 * | 83      | 1 while the worker waits for room in the results lane            | both       |
 * | 96      | 1 while the pool is about to look at the lanes anyway            | pool       |
 * | 112     | 1 + number of a task of which nobody wants more                  | pool       |
 * | 128–129 | when the last task to begin began (double, milliseconds of `monotonicNow`) | worker |
 * | 130     | number of the task that runs, or ran last                        | worker     |
 * | 144–655 | streams: see `stream-word.ts`                                    | both       |
 *
 * A task belongs to who moves `turn` past it: the worker by one to begin it, the pool to the end to take back what has not
 * begun. So a death costs the begun task only, and nothing runs twice.
 */

import { performance } from "../core/timers.ts";

/** Tasks in the hands of a worker at a time: many, since what has not begun can be taken back. A power of two. */
export const MAX_TASKS = 512;

export const CELL_BYTES: number = 4 * (144 + MAX_TASKS);

export const Word = {
  tasksTail: 0,
  tasksHead: 16,
  resultsTail: 32,
  resultsHead: 48,
  turn: 64,
  asleep: 80,
  state: 81,
  slot: 82,
  needsRoom: 83,
  polled: 96,
  unwanted: 112,
  startedAt: 128,
  running: 130,
  streams: 144,
} as const;

/** `adopted`: it has opened the shared memory. `ready`: it takes tasks. */
export const WorkerState = { booting: 0, adopted: 1, ready: 2 } as const;

/** What a record of a lane is. */
export const Kind = {
  /** To the worker: a function and its number. */
  define: 1,
  /** To the worker: a function that is not used any more. */
  forget: 2,
  /** To the worker: exit. */
  close: 3,
  /** To the worker, tasks: one call, a chunk of calls with one argument, with an array of arguments, with outcomes one by one. */
  call: 4,
  map: 5,
  starmap: 6,
  settle: 7,
  /** To the pool: what came of a task. */
  value: 16,
  error: 17,
  /** To the pool: outcomes of a chunk, one by one: [true, value] or [false, bytes of the error]. */
  settled: 18,
  /** To the pool: the task is a generator (the header holds its stream, and when it began); an item of it. */
  stream: 19,
  item: 20,
  /** To the pool: the initializer has failed. */
  broken: 21,
  /** To the pool: as `settled`, and more comes. */
  part: 22,
} as const;

/** Bytes before the contents of a task: number, function. */
export const TASK_HEADER = 8;
/** Bytes before the contents of a result: number, stream, milliseconds. */
export const RESULT_HEADER = 16;

const OFFSET: number = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** Milliseconds on a clock that all processes of this machine share. */
export function monotonicNow(): number {
  return performance.now() + OFFSET;
}
