/**
 * Which worker gets which task, and what becomes of tasks when workers come and go.
 *
 * Tasks are spread over the lanes of the workers, many ahead; what has not begun is taken back when another worker would
 * stand idle, when a task in between is cancelled, and when a worker ends. So each task begins once (unless `retries`
 * allows more), and a death costs what had begun.
 */

import { CancelledError, StateError, TimeoutError } from "../core/errors.ts";
import { queueMicrotask } from "../core/timers.ts";
import type { Exit } from "../process/child-link.ts";
import { keepEventLoop, releaseEventLoop } from "../wait/index.ts";
import { cannotStartError, diedError } from "./death.ts";
import { events, type Failure } from "./events.ts";
import { type BookedFunction, FunctionBook, learnTime } from "./function-book.ts";
import { pollLater, register, unregister } from "./polling.ts";
import type { CheckedPoolOptions } from "./pool-options.ts";
import { expectWorker, type PoolWorker, type WorkerListener } from "./pool-worker.ts";
import { StartFailures } from "./start-failures.ts";
import { PoolStats, type StatsReport } from "./stats.ts";
import { Stealing } from "./stealing.ts";
import { encodeTask, type Task } from "./task.ts";
import { TaskQueue } from "./task-queue.ts";
import { TimeLimits } from "./time-limits.ts";
import { WorkerSet } from "./worker-set.ts";

type State = "open" | "closed" | "terminated";

export class Scheduler implements WorkerListener {
  readonly options: CheckedPoolOptions;
  readonly processes: number;
  readonly #book = new FunctionBook((id) => this.#forget(id));
  readonly #workers: WorkerSet;
  readonly #queue: TaskQueue = new TaskQueue();
  readonly #stealing: Stealing;
  readonly #limits: TimeLimits;
  readonly #startFailures = new StartFailures();
  readonly #stats = new PoolStats();
  readonly #joining: (() => void)[] = [];
  readonly #onEnd: (() => void)[] = [];
  #state: State = "open";
  /** Why no task can run any more. */
  #failure: Failure | undefined;
  #pending = 0;
  #unawaited = 0;
  #isHeld = false;
  #dispatching = false;

  constructor(processes: number, options: CheckedPoolOptions) {
    this.processes = processes;
    this.options = options;
    this.#workers = new WorkerSet(processes, options, this);
    this.#stealing = new Stealing(this.#workers, {
      giveOrQueue: (worker, task) => this.#giveOrQueue(worker, task),
      dispatch: () => this.dispatch(),
    });
    this.#limits = new TimeLimits({
      workers: this.workers,
      queue: this.#queue,
      overrun: (task) => this.#overrun(task),
    });
  }

  get state(): State {
    return this.#state;
  }

  get pending(): number {
    return this.#pending;
  }

  get workers(): readonly PoolWorker[] {
    return this.#workers.list;
  }

  /** @throws {StateError} If the pool takes no more tasks. */
  assertOpen(action: string): void {
    if (this.#state === "open") return;
    const what = this.#state === "closed" ? "closed" : "terminated";
    throw new StateError(`Cannot ${action} pool "${this.options.name}": it was ${what}`);
  }

  /**
   * The function as it is now. While a program's first one is looked at, a first worker's process comes up.
   * @throws {SerializationError} If it cannot travel.
   */
  book(fn: Function): BookedFunction {
    if (this.workers.length === 0 && this.#state === "open") expectWorker(this.options);
    return this.#book.book(fn);
  }

  /** Takes a task. What it holds is encoded before this returns. @throws {SerializationError} */
  submit(task: Task): void {
    if (this.#failure !== undefined) return this.#refuse(task, this.#failure.error);
    if (this.#state === "terminated") return this.#refuse(task, this.#terminated());
    const worker = this.#queue.size === 0 ? this.#workers.leastBusy() : undefined;
    task.fn.uses += 1;
    try {
      if (worker === undefined) encodeTask(task);
      else this.#give(worker, task);
    } catch (error) {
      this.#book.release(task.fn);
      throw error;
    }
    this.#pending += 1;
    this.#updateHold();
    if (worker === undefined) {
      this.#queue.push(task);
      this.dispatch();
    } else if (worker.tasks.size > 1) this.#startWanted();
    pollLater(task.queuedAt);
  }

  /** Gives queued tasks to workers. */
  dispatch(): void {
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      while (this.#queue.size > 0) {
        const worker = this.#workers.leastBusy();
        if (worker === undefined) break;
        const task = this.#queue.shift() as Task;
        if (!task.ended) this.#giveOrFail(worker, task);
      }
      if (this.#queue.size === 0) this.#stealing.share();
      this.#startWanted();
      this.#occupy();
    } finally {
      this.#dispatching = false;
    }
    this.#checkDone();
  }

  /** Ends a task from outside. @returns false when it has ended already. */
  cancel(task: Task, error: unknown): boolean {
    if (task.ended) return false;
    const worker = this.#workerOf(task);
    if (worker !== undefined) {
      worker.read();
      if (task.ended) return false;
      this.#requeue(worker);
      this.#endBegun(worker, (each) => each === task);
    }
    this.#queue.delete(task);
    this.#reject(task, error);
    this.dispatch();
    return true;
  }

  /** Ends tasks of one call. */
  cancelAll(tasks: readonly Task[], error: unknown): void {
    const open = new Set(tasks.filter((task) => !task.ended));
    for (const task of open) this.#queue.delete(task);
    for (const worker of this.workers.slice()) {
      if (![...worker.tasks].some((task) => open.has(task))) continue;
      worker.read();
      this.#requeue(worker);
      this.#endBegun(worker, (task) => open.has(task) && !task.ended);
    }
    for (const task of open) this.#queue.delete(task);
    for (const task of open) if (!task.ended) this.#reject(task, error);
    this.dispatch();
  }

  /**
   * Ends tasks that a worker has begun, and the worker with them. Generators that wait for their consumers are left instead when others
   * are in the same worker, which would be lost.
   */
  #endBegun(worker: PoolWorker, isMeant: (task: Task) => boolean): void {
    const { begun } = worker;
    const meant = begun.filter(isMeant);
    if (meant.length === 0) return;
    const canBeLeft = meant.length < begun.length && meant.every((task) => worker.isAside(task));
    if (!canBeLeft) return worker.end();
    for (const task of meant) worker.stopStream(task);
  }

  /** Nobody wants what comes of a task: one that waits is dropped, one that runs may end; a generator is ended. */
  drop(task: Task): void {
    if (task.ended) return;
    const worker = this.#workerOf(task);
    if (worker !== undefined && worker.begun.includes(task)) return this.stopStream(task);
    if (worker !== undefined) this.#requeue(worker);
    this.#queue.delete(task);
    this.#giveUp(task);
    this.#stopped(task, new CancelledError("The task was dropped: nobody waits for its result any more"));
    this.dispatch();
  }

  #workerOf(task: Task): PoolWorker | undefined {
    return task.queued ? undefined : this.workers.find(({ tasks }) => tasks.includes(task));
  }

  streamConsumed(task: Task): void {
    task.stream?.consumed();
  }

  stopStream(task: Task): void {
    task.ended = true;
    // Its `finally` is waited for.
    this.setAwaited(task, true);
    this.#workerOf(task)?.stopStream(task);
  }

  /** Whether somebody waits for what comes of a task; the program can end with one that is a generator which nobody reads. */
  setAwaited(task: Task, isAwaited: boolean): void {
    if (task.finished || task.isAwaited === isAwaited) return;
    task.isAwaited = isAwaited;
    this.#unawaited += isAwaited ? -1 : 1;
    this.#updateHold();
  }

  close(): void {
    if (this.#state === "open") this.#state = "closed";
    this.#checkDone();
  }

  terminate(): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    for (const worker of this.workers) worker.read();
    this.#failAll(() => this.#terminated());
    for (const worker of this.workers) worker.end();
    this.#checkDone();
  }

  /** Calls back once, when the pool is closed and all its workers have ended. */
  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  /** Resolves when all workers have ended. */
  async join(): Promise<void> {
    const underWay = [...this.#queue, ...this.workers.flatMap(({ tasks }) => [...tasks])];
    for (const { listener } of underWay) listener.poolIsJoined?.();
    this.#workers.hold();
    this.#checkDone();
    if (this.workers.length === 0 && this.#pending === 0) return;
    await new Promise<void>((resolve) => this.#joining.push(resolve));
  }

  /** True when `join` has nothing to wait for. */
  get isDone(): boolean {
    return this.#state !== "open" && this.workers.length === 0;
  }

  stats(): StatsReport {
    this.noticeDeaths();
    let inLanes = 0;
    let running = 0;
    for (const worker of this.workers) {
      inLanes += worker.waiting;
      running += worker.tasks.size - worker.waiting;
    }
    return this.#stats.report(this.workers, { queued: this.#queue.size + inLanes, running });
  }

  /** Looks for results. @returns how many there were. */
  read(): number {
    let count = 0;
    for (const worker of this.workers.slice()) count += worker.read();
    this.#noticeReady();
    if (this.#queue.size > 0 || this.#mayIdle) this.dispatch();
    else this.#checkDone();
    return count;
  }

  /** For who blocks, so that timers do not fire: ends tasks that are over their time. */
  checkTimeLimits(): void {
    this.#limits.checkIfDue();
  }

  /** Asks the kernel which workers have died; for who cannot wait until the event loop tells. */
  noticeDeaths(): void {
    for (const worker of this.workers.slice()) void worker.link.exit;
  }

  get hasResults(): boolean {
    return this.workers.some((worker) => worker.hasResults);
  }

  ended(worker: PoolWorker, task: Task, duration: number, failure: Failure | undefined): void {
    this.#startFailures.clear();
    learnTime(task.fn, task.items, duration);
    if (!task.finished) {
      this.#stats.taskEnded(task, duration, failure !== undefined);
      events.ended(this.options.name, task, failure);
      this.#finish(task);
    }
    if (worker.given >= this.options.maxTasksPerChild && worker.tasks.size === 0) worker.close();
  }

  died(worker: PoolWorker, exit: Exit): void {
    const began = worker.begun;
    const tasks = worker.drain();
    const others = tasks.filter((task) => !began.includes(task));
    const wasReady = worker.ready || worker.wasReady;
    this.#workers.remove(worker);
    for (const task of others.reverse()) this.#queue.unshift(task);
    for (const task of began) this.#lost(worker, task, exit);
    if (this.#state === "open" || this.#pending > 0) this.#stats.restarts += 1;
    if (!wasReady && (!worker.retiring || worker.failure !== undefined)) this.#startFailed(worker, exit);
    if (this.#state !== "terminated") {
      events.restarted(this.options.name, worker.pid, exit);
      this.dispatch();
    }
    this.#checkDone();
  }

  /** A task that was running when its worker died. */
  #lost(worker: PoolWorker, task: Task, exit: Exit): void {
    const error = diedError(worker, task, exit, this.options.maxMemory);
    if (task.ended) return this.#stopped(task, error);
    if (task.retries > 0 && task.bytes !== undefined && !task.isStream) {
      task.retries -= 1;
      this.#queue.unshift(task);
      return;
    }
    this.#stats.failed += 1;
    this.#reject(task, error);
  }

  #startFailed(worker: PoolWorker, exit: Exit): void {
    this.#startFailures.add(exit);
    const { isHopeless } = this.#startFailures;
    if (worker.failure === undefined && !isHopeless) return;
    const error =
      worker.failure === undefined ? cannotStartError(this.options.name, worker, exit) : worker.failure.error;
    if (isHopeless) this.#failure = { error };
    this.#failAll(() => error);
  }

  /** What becomes of tasks once the pool was terminated; undefined before. */
  get termination(): CancelledError | undefined {
    return this.#state === "terminated" ? this.#terminated() : undefined;
  }

  #terminated(): CancelledError {
    return new CancelledError(`The task was cancelled: pool "${this.options.name}" was terminated`);
  }

  #failAll(makeError: () => unknown): void {
    const tasks = this.#queue.drain();
    for (const worker of this.workers) {
      tasks.push(...worker.takeBack());
      tasks.push(...worker.tasks);
    }
    for (const task of tasks) if (!task.ended) this.#reject(task, makeError());
  }

  /** Does not take a task. */
  #refuse(task: Task, error: unknown): void {
    task.ended = task.finished = true;
    task.listener.error(error, task);
  }

  /** Ends a task that has not ended with an error. */
  #reject(task: Task, error: unknown): void {
    this.#giveUp(task);
    task.listener.error(error, task);
    this.#stopped(task, error);
  }

  /** Nobody is told any more what comes of a task. */
  #giveUp(task: Task): void {
    task.ended = true;
    for (const transfer of task.taken?.transfers ?? []) transfer.abort?.();
    task.taken = undefined;
  }

  /** A task will not end by itself any more. */
  #stopped(task: Task, reason: unknown): void {
    if (task.finished) return;
    events.stopped(this.options.name, task, reason);
    this.#finish(task);
  }

  /** A task that the pool need not wait for any more. */
  #finish(task: Task): void {
    task.finished = true;
    this.#book.release(task.fn);
    if (!task.isAwaited) this.#unawaited -= 1;
    if (--this.#pending === 0) this.#limits.stop();
    this.#updateHold();
  }

  /** Keeps the program as long as somebody waits for a task. */
  #updateHold(): void {
    const isHeld = this.#pending > this.#unawaited;
    if (isHeld === this.#isHeld) return;
    this.#isHeld = isHeld;
    if (isHeld) keepEventLoop();
    else releaseEventLoop();
    if (isHeld) register(this);
  }

  #startWanted(): void {
    if (this.#failure !== undefined || this.#state === "terminated" || !this.#workers.mayGrow) return;
    try {
      this.#workers.startWanted(this.#queue.size);
    } catch (error) {
      this.#failure = { error };
      queueMicrotask(() => this.#failAll(() => error));
    }
  }

  /** Spares a worker on its way up the way to the pool and back. One task for each: more would only have to be taken back. */
  #occupy(): void {
    if (this.#queue.size === 0) return;
    for (const worker of this.#workers.vacant()) {
      const task = this.#queue.shift();
      if (task === undefined) return;
      if (!task.ended) this.#giveOrFail(worker, task);
    }
  }

  /** Ends a task that has run longer than it may. */
  #overrun(task: Task): void {
    const text = `The task ${task.fn.name} was ended: it ran longer than ${task.timeout} ms`;
    this.cancel(task, new TimeoutError(text));
  }

  #giveOrQueue(worker: PoolWorker, task: Task): void {
    if (this.#workers.canTake(worker)) this.#giveOrFail(worker, task);
    else this.#queue.push(task);
  }

  #giveOrFail(worker: PoolWorker, task: Task): void {
    try {
      this.#give(worker, task);
    } catch (error) {
      this.#reject(task, error);
    }
  }

  #give(worker: PoolWorker, task: Task): void {
    worker.give(task);
    events.given(this.options.name, worker.pid, task);
    this.#limits.watch(task);
  }

  get #mayIdle(): boolean {
    return this.#pending > 0 && this.workers.some((worker) => worker.tasks.size === 0);
  }

  #requeue(worker: PoolWorker): void {
    for (const task of worker.takeBack().reverse()) this.#queue.unshift(task);
  }

  /** Workers that have just become ready may take tasks of others. */
  #noticeReady(): void {
    for (const worker of this.workers) {
      if (worker.wasReady || !worker.ready) continue;
      worker.wasReady = true;
      this.#startFailures.clear();
    }
  }

  #forget(id: number): void {
    for (const worker of this.workers) worker.forget(id);
  }

  #checkDone(): void {
    if (this.#state === "open" || this.#pending > 0) return;
    for (const worker of this.workers) if (worker.tasks.size === 0) worker.close();
    if (this.workers.length > 0) return;
    unregister(this);
    for (const listener of this.#onEnd.splice(0)) listener();
    for (const resolve of this.#joining.splice(0)) resolve();
  }
}
