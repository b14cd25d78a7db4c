/** A task as the pool keeps it, from the call to its end. */

import { type Encoded, encodeTo } from "../codec/index.ts";
import { type ByteSink, HeapSink } from "../core/bytes.ts";
import { performance } from "../core/timers.ts";
import type { BookedFunction } from "./function-book.ts";
import type { Written } from "./lane.ts";
import type { StreamCredit } from "./stream-credit.ts";

/** What comes of a task. */
export interface TaskListener {
  value(value: unknown, task: Task): void;
  error(error: unknown, task: Task): void;
  /** The task is a generator; `consumed` is to be called for each item taken, `stop` when nobody wants more. */
  stream?(task: Task): void;
  item?(item: unknown, task: Task): void;
  /** Outcomes of a chunk, whose others follow. */
  part?(outcomes: unknown, task: Task): void;
  /** Somebody waits for the end of all tasks of the pool. */
  poolIsJoined?(): void;
}

export interface Task {
  /** Unique in this process. */
  readonly id: number;
  /** The worker that was given the task last; 0 if none was. */
  pid: number;
  readonly kind: number;
  readonly fn: BookedFunction;
  /** Set while the task's contents are not encoded yet. */
  contents: unknown;
  bytes: Uint8Array | undefined;
  /** Shared things that the contents refer to, as long as nobody has taken them. */
  taken: Encoded | undefined;
  /** Where the contents are in the lane of its worker. */
  written: Written | undefined;
  /** Its number in the lane of its worker. */
  number: number;
  readonly listener: TaskListener;
  /** Its place among the tasks of one call. */
  readonly index: number;
  /** How many items it has. */
  readonly items: number;
  /** The place of the first one among those of its call; undefined for a task with arguments. */
  readonly firstItem: number | undefined;
  /** Milliseconds from its beginning; Infinity without a limit. */
  readonly timeout: number;
  /** How often it may be begun again when its worker dies. */
  retries: number;
  readonly queuedAt: number;
  /** Milliseconds that it waits for a worker that does not begin it before another one is given it. */
  patienceMs: number;
  /** It is in the queue of its pool. */
  queued: boolean;
  /** Its listener has been told. */
  ended: boolean;
  /** False for one that waits for its consumer, who waits for nothing: it does not keep the program. */
  isAwaited: boolean;
  /** The pool need not wait for it any more. */
  finished: boolean;
  /** Items of it may have been taken: it cannot begin again. */
  isStream: boolean;
  /** From when its first item comes until it has ended in its worker. */
  stream: StreamCredit | undefined;
  /** What was read of it before has to be waited for, since it needs modules. */
  reading: Promise<void> | undefined;
  /** Milliseconds that it ran. */
  duration: number | undefined;
  /** Milliseconds that it was expected to run when it was given to its worker. */
  expectedMs: number;
}

/** What a task is made of; the rest is its pool's. */
export interface TaskParts {
  readonly kind: number;
  readonly fn: BookedFunction;
  readonly contents: unknown;
  readonly listener: TaskListener;
  readonly index?: number;
  readonly items?: number;
  readonly firstItem?: number;
  /** Default: the pool's. */
  readonly timeout?: number | undefined;
}

/** A worker may be about to load a module that a function needs, in vain if the task is taken from it. */
const PATIENCE_MS = 1000;

let made = 0;

export function makeTask(
  { taskTimeout, retries }: { readonly taskTimeout: number; readonly retries: number },
  { kind, fn, contents, listener, index = 0, items = 1, firstItem, timeout = taskTimeout }: TaskParts,
): Task {
  return {
    id: ++made,
    pid: 0,
    kind,
    fn,
    contents,
    bytes: undefined,
    taken: undefined,
    written: undefined,
    number: 0,
    listener,
    index,
    items,
    firstItem,
    timeout,
    retries,
    queuedAt: performance.now(),
    patienceMs: PATIENCE_MS,
    queued: false,
    ended: false,
    isAwaited: true,
    finished: false,
    isStream: false,
    stream: undefined,
    reading: undefined,
    duration: undefined,
    expectedMs: 0,
  };
}

/** A function that holds handles travels with its arguments. */
export function contentsFor(booked: BookedFunction, fn: Function, args: readonly unknown[]): unknown {
  return booked.id === 0 ? [fn, args] : args;
}

const ARGS = { root: "args" } as const;

const scratch = new HeapSink();

/** Encodes what is not encoded yet, for a task that has to wait. */
export function encodeTask(task: Task): void {
  if (task.bytes !== undefined) return;
  scratch.position = 0;
  task.taken = writeContents(scratch, task);
  task.bytes = scratch.take();
  task.contents = undefined;
}

/** Writes the contents of a task. @throws {SerializationError} */
export function writeContents(sink: ByteSink, task: Task): Encoded | undefined {
  return encodeTo(
    sink,
    task.contents,
    task.firstItem === undefined || task.fn.id === 0 ? ARGS : { root: "items", firstIndex: task.firstItem },
  );
}

/** Writes bytes that are encoded. */
export function writeBytes(sink: ByteSink, bytes: Uint8Array): void {
  if (sink.limit - sink.position < bytes.length) sink.grow(bytes.length);
  sink.bytes.set(bytes, sink.position);
  sink.position += bytes.length;
}
