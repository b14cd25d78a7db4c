/** Process: the object that users hold. Source of its behaviour: CPython's `multiprocessing.Process`. */

import type { Readable, Writable } from "node:stream";
import type { inspect, InspectOptions } from "node:util";
import { refuseReason } from "../capture/index.ts";
import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { ProcessDiedError, SerializationError, StateError, TimeoutError } from "../core/errors.ts";
import { TO_HANDLE } from "../core/handle.ts";
import { inheritance } from "../core/inheritance.ts";
import { checkBoolean, checkString, isRecord, typeError } from "../core/options.ts";
import { type Readiness, WAITABLE } from "../wait/index.ts";
import { baseRunOf } from "./current.ts";
import type { Payload } from "./bootstrap.ts";
import type { ChildLink } from "./child-link.ts";
import { Outcome } from "./outcome.ts";
import { type CheckedOptions, checkOptions, type ProcessOptions } from "./process-options.ts";
import { Sentinel } from "./sentinel.ts";
import { startChild } from "./start-child.ts";
import { waitForChild } from "./wait-for-child.ts";

/** What `result()` gives for a target that returns R. */
export type Result<R> = R extends Generator<unknown, infer T> | AsyncGenerator<unknown, infer T> ? T : Awaited<R>;

interface Started {
  readonly link: ChildLink;
  readonly outcome: Outcome;
  readonly sentinel: Sentinel;
}

/** What this process knows of a child. Not in private fields: instances of the user's classes travel, without this. */
interface State {
  /** Once it is started, without target and arguments: what they hold may be large. */
  options: CheckedOptions;
  readonly identity: readonly number[];
  name: string;
  daemon: boolean;
  started: Started | undefined;
  closed: boolean;
}

const states = new WeakMap<object, State>();
const active = new Set<Process>();
/** The one that is being encoded for its own child. */
let starting: object | undefined;
let made = 0;

/**
 * A function at work in a process of its own.
 *
 * - A started process keeps this program alive until it ends, unless it is a daemon; daemons are ended with this program.
 * - No process outlives its parent, however the parent ends.
 * - What the target captures is copied at `start()`, as it is then. What it imports is imported again.
 *
 * @example
 * ```ts
 * import { Process } from "multiproc";
 *
 * const factor = 3;
 * const child = new Process((n: number) => n * factor, 14).start();
 * console.log(await child.result()); // 42
 * ```
 *
 * @example A class of one's own, with a method "run"
 * ```ts
 * import { Process } from "multiproc";
 *
 * class Job extends Process<number> {
 *   constructor(readonly n: number) {
 *     super();
 *   }
 *   override run() {
 *     return this.n * 2;
 *   }
 * }
 * console.log(await new Job(21).start().result()); // 42
 * ```
 */
export class Process<R = unknown, A extends readonly unknown[] = any[]> {
  /** @throws {TypeError | RangeError} If an option is wrong. */
  constructor(options?: ProcessOptions<A, R>);
  constructor(target: new (...args: A) => R, ...args: A);
  constructor(target: (...args: A) => R, ...args: A);
  constructor(...given: unknown[]) {
    const checked = checkOptions(optionsOf(given));
    const identity = [...inheritance.identity, ++made];
    states.set(this, {
      options: checked,
      identity,
      name: checked.name ?? `${new.target.name || "Process"}-${identity.join(":")}`,
      daemon: checked.daemon ?? inheritance.daemon,
      started: undefined,
      closed: false,
    });
  }

  /** `Process-1` and so on unless set; `Process-1:2` is the second child of `Process-1`. */
  get name(): string {
    return states.get(this)?.name ?? inheritance.name;
  }

  set name(name: string) {
    checkString("name", name);
    openState(this, "set the name of").name = name;
  }

  /** True for one that is ended when its parent ends. Default: as the parent is. */
  get daemon(): boolean {
    return states.get(this)?.daemon ?? inheritance.daemon;
  }

  /** @throws {StateError} If the process was started. */
  set daemon(daemon: boolean) {
    const state = openState(this, "make a daemon of");
    if (state.started !== undefined) throw new StateError(`Cannot make a daemon of ${state.name}: it was started`);
    checkBoolean("daemon", daemon);
    state.daemon = daemon;
  }

  /** undefined before `start()`. */
  get pid(): number | undefined {
    const state = states.get(this);
    return state === undefined ? process.pid : state.started?.link.pid;
  }

  /** null while it runs (and before), then its exit code; -N when signal N ended it. */
  get exitCode(): number | null {
    if (!states.has(this)) return null;
    return openState(this, "ask for the exit code of").started?.link.exit?.exitCode ?? null;
  }

  /** Becomes ready when the process ends; for `wait()`. @throws {StateError} Before `start()`. */
  get sentinel(): Sentinel {
    return startedOf(this, "ask for the sentinel of").sentinel;
  }

  /** With `stdio: "pipe"`: writes to the child's standard input; else null. */
  get stdin(): Writable | null {
    return states.get(this)?.started?.link.child.stdin ?? null;
  }

  /** With `stdio: "pipe"`: what the child writes to its standard output; else null. */
  get stdout(): Readable | null {
    return states.get(this)?.started?.link.child.stdout ?? null;
  }

  /** With `stdio: "pipe"`: what the child writes to its standard error; else null. */
  get stderr(): Readable | null {
    return states.get(this)?.started?.link.child.stderr ?? null;
  }

  /** What runs in the process; calls the target. Override it in a class of your own: the instance travels with its fields. */
  run(): unknown {
    const { target, args = [] } = states.get(this)?.options ?? baseRunOf(this) ?? {};
    return target === undefined ? undefined : (target as (...args: readonly unknown[]) => unknown)(...args);
  }

  /**
   * Starts the process.
   * @throws {StateError} If it was started before.
   * @throws {SerializationError} If something that the target captures, or an argument, cannot travel; nothing is started.
   */
  start(): this {
    const state = openState(this, "start");
    if (state.started !== undefined) throw new StateError(`Cannot start ${state.name} twice`);
    const { signal, maxMemory } = state.options;
    const link = startWith(this, state);
    const outcome = new Outcome(link, () => `${state.name} (process ${link.pid})`, maxMemory);
    state.started = { link, outcome, sentinel: new Sentinel(link) };
    state.options = { ...state.options, target: undefined, args: [] };
    active.add(this as Process);
    if (!state.daemon) link.hold();
    link.onExit(() => {
      active.delete(this as Process);
      if (!state.daemon) link.release();
    });
    if (signal !== undefined) endWith(signal, link, outcome);
    return this;
  }

  /** True from `start()` until it ends. */
  isAlive(): boolean {
    if (!states.has(this)) return true;
    const { started } = openState(this, "ask for the state of");
    return started !== undefined && started.link.exit === undefined;
  }

  /**
   * Waits until the process ends.
   * @returns Its exit code; null when the time ran out. Rejects with the reason when the wait is aborted. (A process that its own
   *   `signal` ended has exit code -9; it is its result that rejects with the reason.)
   * @throws {StateError} Before `start()`.
   */
  async join(options?: WaitOptions): Promise<number | null> {
    const { link, outcome } = startedOf(this, "join");
    return waitForChild(
      link,
      () => outcome.exitCode(),
      Deadline.from(options),
      () => null,
    );
  }

  /** As `join`, blocking. */
  joinSync(options?: WaitOptions): number | null {
    const { link } = startedOf(this, "join");
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    while (link.exit === undefined) {
      if (deadline.expired) return null;
      link.waitSync(deadline.remaining());
    }
    return link.exit.exitCode;
  }

  /**
   * What the target returned, as soon as it is known; the process may still have something to do then (`join` waits for its
   * end). Can be asked for more than once, and need not be.
   *
   * Rejects with the target's error, with ProcessDiedError when the process ended without a result, with TimeoutError when
   * the time ran out, with the reason when aborted.
   * @throws {StateError} Before `start()`.
   */
  async result(options?: WaitOptions): Promise<Result<R>> {
    const { link, outcome } = startedOf(this, "ask for the result of");
    const late = (): never => {
      throw tooLate(this.name, options);
    };
    try {
      return (await waitForChild(link, () => outcome.result(), Deadline.from(options), late)) as Result<R>;
    } catch (error) {
      throw askedHere(error, link.pid);
    }
  }

  /** As `result`, blocking. */
  resultSync(options?: WaitOptions): Result<R> {
    const { link, outcome } = startedOf(this, "ask for the result of");
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    for (link.drain(); !outcome.known && link.exit === undefined;) {
      if (deadline.expired) throw tooLate(this.name, options);
      link.waitSync(deadline.remaining());
    }
    try {
      return outcome.resultNow() as Result<R>;
    } catch (error) {
      throw askedHere(error, link.pid);
    }
  }

  /** Asks it to end, with SIGTERM. Nothing happens if it has ended. @throws {StateError} Before `start()`. */
  terminate(): void {
    startedOf(this, "terminate").link.signal("SIGTERM");
  }

  /** Ends it at once, with SIGKILL. Nothing happens if it has ended. @throws {StateError} Before `start()`. */
  kill(): void {
    startedOf(this, "kill").link.signal("SIGKILL");
  }

  /** Lets go of it; it cannot be used any more then. Can be repeated. @throws {StateError} While it runs. */
  close(): void {
    const state = states.get(this);
    if (state === undefined || state.closed) return;
    if (this.isAlive()) throw new StateError(`Cannot close ${state.name}: it still runs`);
    state.closed = true;
  }

  /** Ends the process if it runs (SIGTERM), waits for that, and closes. */
  async [Symbol.asyncDispose](): Promise<void> {
    const state = states.get(this);
    if (state === undefined || state.closed) return;
    if (state.started !== undefined) {
      const { link, outcome } = state.started;
      link.signal("SIGTERM");
      await waitForChild(
        link,
        () => outcome.exitCode(),
        Deadline.never,
        () => 0,
      );
    }
    this.close();
  }

  /** Ends the process if it runs (SIGKILL), and closes. */
  [Symbol.dispose](): void {
    const state = states.get(this);
    if (state === undefined || state.closed) return;
    state.started?.link.signal("SIGKILL");
    while (state.started !== undefined && state.started.link.exit === undefined) state.started.link.waitSync(Infinity);
    this.close();
  }
}

Object.defineProperty(Process.prototype, WAITABLE, {
  value(this: Process): Readiness {
    return (this.sentinel as unknown as { [WAITABLE](): Readiness })[WAITABLE]();
  },
});

/** What `console.log` shows: who it is, how it is, and the fields of a class of the user's. */
Object.defineProperty(Process.prototype, Symbol.for("nodejs.util.inspect.custom"), {
  value(this: Process, _depth: number, options: InspectOptions, show: typeof inspect): string {
    const { name, pid, daemon } = this;
    const about = { name, ...(pid === undefined ? {} : { pid }), ...(daemon ? { daemon } : {}), ...stateOf(this) };
    return `${this.constructor.name} ${show(Object.assign(about, this), options)}`;
  },
});

function stateOf(self: Process): { state: string; exitCode?: number } {
  const { started, closed = false } = states.get(self) ?? {};
  const exitCode = started?.link.exit?.exitCode;
  if (exitCode !== undefined) return { state: closed ? "closed" : "ended", exitCode };
  if (closed) return { state: "closed" };
  return { state: started === undefined && states.has(self) ? "not started" : "running" };
}

// A process is no value to send: only its parent can use it. But it is known to its own child, where it is the current process.
Object.defineProperty(Process.prototype, TO_HANDLE, {
  get(this: Process) {
    return this === starting ? undefined : () => refuseToSend(this);
  },
});

/** Says whether a process is among the active children; one that a layer above keeps for later is not. */
export function setListed(process: Process, listed: boolean): void {
  if (listed) active.add(process);
  else active.delete(process);
}

/**
 * The children of this process that are alive.
 *
 * @example
 * ```ts
 * import { activeChildren, Process } from "multiproc";
 *
 * new Process({ target: () => new Promise(() => setInterval(() => {}, 1000)), daemon: true }).start();
 * for (const child of activeChildren()) child.terminate();
 * ```
 */
export function activeChildren(): Process[] {
  return [...active].filter((each) => each.isAlive());
}

function refuseToSend({ name }: Process): never {
  throw new SerializationError(`Cannot send the process ${name}: only the process that made it can use it`);
}

function optionsOf([first, ...args]: readonly unknown[]): ProcessOptions {
  // Without anything, as from `super()`; but not a target that turned out undefined.
  if (first === undefined && args.length === 0) return {};
  if (typeof first === "function") return { target: first as () => unknown, args };
  if (isRecord(first)) return first;
  throw typeError("target", "a function, or an object of options", first);
}

function openState(self: object, action: string): State {
  const state = states.get(self);
  if (state === undefined) throw new StateError(`Cannot ${action} this process from within itself`);
  if (state.closed) throw new StateError(`Cannot ${action} ${state.name}: it is closed`);
  return state;
}

function startedOf(self: object, action: string): Started {
  const { started, name } = openState(self, action);
  if (started === undefined) throw new StateError(`Cannot ${action} ${name}: it was not started`);
  return started;
}

function startWith(self: Process<never> | Process, state: State): ChildLink {
  starting = self;
  try {
    return startChild(state, payloadOf(self, state), state.options);
  } finally {
    starting = undefined;
  }
}

/** The target with its arguments; or the object, if its class has a `run` of its own. */
function payloadOf(self: Process<never> | Process, { options, name }: State): Payload {
  if (self.run === Process.prototype.run) return { target: options.target ?? nothing, args: options.args };
  const reason = refuseReason(self);
  if (reason !== undefined) throw new SerializationError(`Cannot start ${name}: it is ${reason}`, { path: "this" });
  const { target, args } = options;
  return target === undefined ? { self } : { self, base: { target, args } };
}

function nothing(): void {}

/** A death is noticed where no code of the user's runs: its stack is of who asked for the result. */
function askedHere(error: unknown, pid: number): unknown {
  if (error instanceof ProcessDiedError && error.pid === pid) Error.captureStackTrace(error, askedHere);
  return error;
}

function tooLate(name: string, options: WaitOptions | undefined): TimeoutError {
  return new TimeoutError(`Cannot give the result of ${name}: there is none after ${String(options?.timeout)} ms`);
}

/** Ends the process when the signal is aborted. */
function endWith(signal: AbortSignal, link: ChildLink, outcome: Outcome): void {
  const abort = (): void => {
    outcome.abort(signal.reason);
    link.signal("SIGKILL");
  };
  signal.addEventListener("abort", abort, { once: true });
  link.onExit(() => signal.removeEventListener("abort", abort));
}
