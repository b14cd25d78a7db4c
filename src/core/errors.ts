/**
 * All errors that are the library's own.
 *
 * Bad arguments are the built-in `TypeError` and `RangeError` with a `code` (see options.ts); what stands here is what a
 * caller may want to catch: a wrong state, a time-out, the death of somebody else. Every class has a stable `code`.
 * `instanceof` also works between two loaded copies of the package: it asks for a brand, not for the class object.
 */

const BRAND = Symbol.for("multiproc.error");

/** What a dead process leaves behind: who it was and how it ended. */
export interface Death {
  /** Its process id. */
  readonly pid?: number | undefined;
  /** The exit code; -N when signal N ended it. */
  readonly exitCode?: number | null | undefined;
  /** The signal that ended it: `"SIGKILL"`; null if it ended by itself. */
  readonly signal?: string | null | undefined;
}

/** The base class of all errors of this library. Match on `code`, which never changes. */
export class MultiprocError extends Error {
  /** The code of all errors of this class. */
  static readonly code: string = "ERR_MULTIPROC";

  /** Stable, for programs: `"ERR_QUEUE_EMPTY"` and so on. */
  readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = new.target.code;
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true, writable: true });
    Object.defineProperty(this, BRAND, { value: brandsOf(new.target) });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== "object" || value === null) return false;
    const brands: unknown = (value as { [BRAND]?: unknown })[BRAND];
    // A class that a user derived has no code of its own: then only the prototype chain tells.
    if (brands instanceof Set && Object.hasOwn(this, "code")) return brands.has(this.code);
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

function brandsOf(cls: typeof MultiprocError): Set<string> {
  const brands = new Set<string>();
  for (let c: unknown = cls; typeof c === "function" && c !== Error; c = Object.getPrototypeOf(c)) {
    if (Object.hasOwn(c, "code")) brands.add((c as typeof MultiprocError).code);
  }
  return brands;
}

/** The operating system, the processor or the Node version is not supported. */
export class UnsupportedPlatformError extends MultiprocError {
  static override readonly code: string = "ERR_UNSUPPORTED_PLATFORM";
}

/** A call that does not fit the state: start twice, join before start, use after close. */
export class StateError extends MultiprocError {
  static override readonly code: string = "ERR_STATE";
}

/** A value, or a variable that a function captures, cannot travel to another process. */
export class SerializationError extends MultiprocError {
  static override readonly code: string = "ERR_SERIALIZATION";

  /** Where the offending value is: ``"`ctx.server`"``, `"args[0].socket"`. */
  readonly path: string | undefined;

  constructor(message: string, options?: ErrorOptions & { path?: string | undefined }) {
    super(message, options);
    this.path = options?.path;
  }
}

/** A wait ran out of time where there is no value to say so with: `recv`, `result`, `AsyncResult.get`, a task. */
export class TimeoutError extends MultiprocError {
  static override readonly code: string = "ERR_TIMEOUT";
}

/** A task was cancelled, or its pool was terminated before the task ended. */
export class CancelledError extends MultiprocError {
  static override readonly code: string = "ERR_CANCELLED";
}

/** Base of everything that tells of a process that died. */
abstract class DeathError extends MultiprocError implements Death {
  /** The process id of the dead. */
  readonly pid: number | undefined;
  /** Its exit code; -N when signal N ended it. */
  readonly exitCode: number | null | undefined;
  /** The signal that ended it: `"SIGKILL"`; null if it ended by itself. */
  readonly signal: string | null | undefined;

  constructor(message: string, death: Death = {}, options?: ErrorOptions) {
    super(message, options);
    this.pid = death.pid;
    this.exitCode = death.exitCode;
    this.signal = death.signal;
  }
}

/** A process ended without delivering the result of its target. */
export class ProcessDiedError extends DeathError {
  static override readonly code: string = "ERR_PROCESS_DIED";
}

/** A pool's worker died in the middle of a task. */
export class WorkerDiedError extends DeathError {
  static override readonly code: string = "ERR_WORKER_DIED";
}

/** The manager's server process is gone. */
export class ManagerDiedError extends DeathError {
  static override readonly code: string = "ERR_MANAGER_DIED";
}

/** `get` found the queue empty and ran out of time. */
export class QueueEmptyError extends MultiprocError {
  static override readonly code: string = "ERR_QUEUE_EMPTY";
}

/** `put` found the queue full and ran out of time. */
export class QueueFullError extends MultiprocError {
  static override readonly code: string = "ERR_QUEUE_FULL";
}

/** The queue was shut down. */
export class QueueShutdownError extends MultiprocError {
  static override readonly code: string = "ERR_QUEUE_SHUTDOWN";
}

/** The other end of a connection is closed or dead, and all that it sent has been read. */
export class EndOfStreamError extends MultiprocError {
  static override readonly code: string = "ERR_END_OF_STREAM";
}

/** Nobody is left to read what is sent. */
export class BrokenPipeError extends MultiprocError {
  static override readonly code: string = "ERR_BROKEN_PIPE";
}

/** A message is longer than the reader allowed; it was dropped. */
export class BufferTooShortError extends MultiprocError {
  static override readonly code: string = "ERR_BUFFER_TOO_SHORT";

  /** The message, when it was to go into a buffer. */
  readonly value: Uint8Array | undefined;

  constructor(message: string, options?: ErrorOptions & { value?: Uint8Array | undefined }) {
    super(message, options);
    this.value = options?.value;
  }
}

/** The barrier is broken: aborted, reset, timed out, or a party died. */
export class BrokenBarrierError extends MultiprocError {
  static override readonly code: string = "ERR_BROKEN_BARRIER";
}

/** Release, wait or notify by somebody who does not hold the lock. */
export class LockNotHeldError extends MultiprocError {
  static override readonly code: string = "ERR_LOCK_NOT_HELD";
}

/** A process in a deadlock. */
export interface DeadlockParty {
  /** Its process id. */
  readonly pid: number;
  /** Its name, as `currentProcess().name` gives it there. */
  readonly name: string;
  /** The lock that another process of the cycle waits for: `Lock "accounts"`, or `Lock 4711` if it has no name. */
  readonly holds: string;
  /** The lock that it waits for itself. */
  readonly waitsFor: string;
  /**
   * Where it acquired what it holds, `file:line`; undefined when that was not recorded. With a column it is a place in the text that
   * a child runs, which need not be the source: a child cannot know, and its parent puts it right when the error arrives.
   */
  readonly acquiredAt: string | undefined;
}

/** This wait is part of a cycle of processes that wait for each other. */
export class DeadlockError extends MultiprocError {
  static override readonly code: string = "ERR_DEADLOCK";

  /** The cycle: each waits for what the next one holds, and the last one for what the first holds. */
  readonly processes: readonly DeadlockParty[];

  constructor(message: string, options?: ErrorOptions & { processes?: readonly DeadlockParty[] | undefined }) {
    super(message, options);
    this.processes = options?.processes ?? [];
  }
}

/** The key of the other side is wrong, or it does not speak the protocol. */
export class AuthenticationError extends MultiprocError {
  static override readonly code: string = "ERR_AUTHENTICATION";
}

/** A call of the operating system failed. */
export class SystemError extends MultiprocError {
  static override readonly code: string = "ERR_SYSTEM";

  /** The call: `"mmap"`. */
  readonly syscall: string;
  /** The number: 12. */
  readonly errno: number;
  /** The name: `"ENOMEM"`. */
  readonly errname: string;

  constructor(syscall: string, errno: number, errname: string, detail = "") {
    super(`${syscall} failed with ${errname}${detail && `: ${detail}`}`);
    this.syscall = syscall;
    this.errno = errno;
    this.errname = errname;
  }
}
