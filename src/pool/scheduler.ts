/**
 * Which worker gets which task, and what becomes of tasks when workers come and go.
 *
 * Tasks are spread over the lanes of the workers, many ahead; what has not begun is taken back when another worker would
 * stand idle, when a task in between is cancelled, and when a worker ends. So each task begins once (unless `retries`
 * allows more), and a death costs what had begun.
 */

import { CancelledError, StateError, TimeoutError } from "../core/errors.ts";
import type { Exit } from "../process/child-link.ts";
import { keepEventLoop, releaseEventLoop } from "../wait/index.ts";
import { cannotStartError, diedError } from "./death.ts";
import { events } from "./events.ts";
import { FunctionBook, learnTime } from "./function-book.ts";
import { pollLater, register, unregister } from "./polling.ts";
import type { CheckedPoolOptions } from "./pool-options.ts";
import { PoolWorker, type WorkerListener } from "./pool-worker.ts";
import { PoolStats, type StatsReport } from "./stats.ts";
import { encodeTask, type Task } from "./task.ts";
import { TaskQueue } from "./task-queue.ts";

/** About what it takes to wake a worker that sleeps. */
const WAKE_MS = 0.05;
/** A worker that fails to start this often in a row means that none can. */
const MAX_FAILED_STARTS = 2;
/** A worker that is killed from outside has not failed, unless it is always so: the system may have no memory for it. */
const MAX_KILLED_STARTS = 10;
/** A lane in which nothing has moved for so long is worth taking from. */
const STEAL_AFTER_MS = 0.5;

/** Longest time that a timer can wait. */
const MAX_TIMER_MS = 2 ** 31 - 1;

type State = "open" | "closed" | "terminated";

export class Scheduler implements WorkerListener {
  readonly options: CheckedPoolOptions;
  readonly processes: number;
  readonly book: FunctionBook = new FunctionBook((id) => this.#forget(id));
  readonly #workers: PoolWorker[] = [];
  readonly #queue: TaskQueue = new TaskQueue();
  readonly #stats = new PoolStats();
  readonly #joining: (() => void)[] = [];
  readonly #onEnd: (() => void)[] = [];
  #state: State = "open";
  #failure: { readonly error: unknown } | undefined;
  #failedStarts = 0;
  #killedStarts = 0;
  #started = 0;
  #pending = 0;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;
  #dispatching = false;

  constructor(processes: number, options: CheckedPoolOptions) {
    this.processes = processes;
    this.options = options;
  }

  get state(): State {
    return this.#state;
  }

  get pending(): number {
    return this.#pending;
  }

  get workers(): readonly PoolWorker[] {
    return this.#workers;
  }

  /** @throws {StateError} If the pool takes no more tasks. */
  assertOpen(action: string): void {
    if (this.#state === "open") return;
    const what = this.#state === "closed" ? "closed" : "terminated";
    throw new StateError(`Cannot ${action} pool "${this.options.name}": it was ${what}`);
  }

  /** Takes a task. What it holds is encoded before this returns. @throws {SerializationError} */
  submit(task: Task): void {
    if (this.#failure !== undefined) return this.#reject(task, this.#failure.error);
    if (this.#state === "terminated") return this.#reject(task, this.#terminated());
    const worker = this.#queue.size === 0 ? this.#idleOrNew() : undefined;
    task.fn.uses += 1;
    try {
      if (worker === undefined) encodeTask(task);
      else this.#give(worker, task);
    } catch (error) {
      this.book.release(task.fn);
      throw error;
    }
    if (this.#pending++ === 0) this.#hold();
    if (worker === undefined) {
      this.#queue.push(task);
      this.dispatch();
    }
    pollLater(task.queuedAt);
  }

  /** Gives queued tasks to workers. */
  dispatch(): void {
    if (this.#dispatching) return;
    this.#dispatching = true;
    try {
      while (this.#queue.size > 0) {
        const worker = this.#idleOrNew();
        if (worker === undefined) break;
        const task = this.#queue.shift() as Task;
        if (!task.ended) this.#giveOrFail(worker, task);
      }
      this.#steal();
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
      if (worker.begun.includes(task)) worker.end();
    }
    this.#queue.delete(task);
    this.#reject(task, error);
    this.#finish(task);
    this.dispatch();
    return true;
  }

  /** Ends tasks of one call. */
  cancelAll(tasks: readonly Task[], error: unknown): void {
    const open = new Set(tasks.filter((task) => !task.ended));
    for (const task of open) this.#queue.delete(task);
    for (const worker of this.#workers.slice()) {
      if (![...worker.tasks].some((task) => open.has(task))) continue;
      worker.read();
      this.#requeue(worker);
      if (worker.begun.some((task) => open.has(task) && !task.ended)) worker.end();
    }
    for (const task of open) this.#queue.delete(task);
    for (const task of open) {
      if (task.ended) continue;
      this.#reject(task, error);
      this.#finish(task);
    }
    this.dispatch();
  }

  /** Nobody wants what comes of a task: one that waits is dropped, one that runs may end; a generator is ended. */
  drop(task: Task): void {
    if (task.ended) return;
    task.ended = true;
    const worker = this.#workerOf(task);
    if (worker !== undefined && worker.begun.includes(task)) return worker.stopStream(task);
    if (worker !== undefined) this.#requeue(worker);
    this.#queue.delete(task);
    for (const transfer of task.taken?.transfers ?? []) transfer.abort?.();
    this.#finish(task);
    this.dispatch();
  }

  #workerOf(task: Task): PoolWorker | undefined {
    return task.queued ? undefined : this.#workers.find(({ tasks }) => tasks.includes(task));
  }

  streamConsumed(task: Task): void {
    this.#workers.find(({ current }) => current === task)?.consumed();
  }

  stopStream(task: Task): void {
    task.ended = true;
    this.#workers.find(({ current }) => current === task)?.stopStream(task);
  }

  close(): void {
    if (this.#state === "open") this.#state = "closed";
    this.#checkDone();
  }

  terminate(): void {
    if (this.#state === "terminated") return;
    this.#state = "terminated";
    for (const worker of this.#workers) worker.read();
    this.#failAll(() => this.#terminated());
    for (const worker of this.#workers) worker.end();
    this.#checkDone();
  }

  /** Calls back once, when the pool is closed and all its workers have ended. */
  onEnd(listener: () => void): void {
    this.#onEnd.push(listener);
  }

  /** Resolves when all workers have ended. */
  async join(): Promise<void> {
    const underWay = [...this.#queue, ...this.#workers.flatMap(({ tasks }) => [...tasks])];
    for (const { listener } of underWay) listener.poolIsJoined?.();
    for (const { link } of this.#workers) link.hold();
    this.#checkDone();
    if (this.#workers.length === 0 && this.#pending === 0) return;
    await new Promise<void>((resolve) => this.#joining.push(resolve));
  }

  /** True when `join` has nothing to wait for. */
  get isDone(): boolean {
    return this.#state !== "open" && this.#workers.length === 0;
  }

  stats(): StatsReport {
    this.noticeDeaths();
    let inLanes = 0;
    let running = 0;
    for (const worker of this.#workers) {
      inLanes += worker.waiting;
      running += worker.tasks.size - worker.waiting;
    }
    return this.#stats.report(this.#workers, { queued: this.#queue.size + inLanes, running });
  }

  /** Looks for results. @returns how many there were. */
  read(): number {
    let count = 0;
    for (const worker of this.#workers.slice()) count += worker.read();
    this.#noticeReady();
    if (this.#queue.size > 0 || this.#mayIdle) this.dispatch();
    else this.#checkDone();
    return count;
  }

  /** Asks the kernel which workers have died; for who cannot wait until the event loop tells. */
  noticeDeaths(): void {
    for (const worker of this.#workers.slice()) void worker.link.exit;
  }

  get hasResults(): boolean {
    return this.#workers.some((worker) => worker.hasResults);
  }

  ended(worker: PoolWorker, task: Task, duration: number, isError: boolean): void {
    this.#startsSucceed();
    this.#stats.taskEnded(task, duration, isError);
    learnTime(task.fn, task.items, duration);
    events.ended(this.options.name, worker.pid, task, duration, isError);
    if (task.finished !== true) this.#finish(task);
    if (worker.given >= this.options.maxTasksPerChild && worker.tasks.size === 0) worker.close();
  }

  died(worker: PoolWorker, exit: Exit): void {
    const began = worker.begun;
    const tasks = worker.tasks.drain();
    for (const task of tasks) worker.keepContents(task);
    const others = tasks.filter((task) => !began.includes(task));
    const wasReady = worker.ready || worker.wasReady;
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    for (const task of others.reverse()) this.#queue.unshift(task);
    for (const task of began) this.#lost(worker, task, exit);
    if (this.#state === "open" || this.#pending > 0) this.#stats.restarts += 1;
    if (!wasReady && (!worker.retiring || worker.broken !== undefined)) this.#startFailed(worker, exit);
    if (this.#state !== "terminated") {
      events.restarted(this.options.name, worker.pid, exit);
      this.dispatch();
    }
    this.#checkDone();
  }

  /** A task that was running when its worker died. */
  #lost(worker: PoolWorker, task: Task, exit: Exit): void {
    if (task.ended) return void (task.finished === true || this.#finish(task));
    if (task.retries > 0 && task.bytes !== undefined && task.isStream !== true) {
      task.retries -= 1;
      this.#queue.unshift(task);
      return;
    }
    this.#stats.failed += 1;
    this.#reject(task, diedError(worker, task, exit, this.options.maxMemory));
    this.#finish(task);
  }

  #startFailed(worker: PoolWorker, exit: Exit): void {
    if (exit.signal === "SIGKILL") this.#killedStarts += 1;
    else this.#failedStarts += 1;
    const isHopeless = this.#failedStarts >= MAX_FAILED_STARTS || this.#killedStarts >= MAX_KILLED_STARTS;
    if (worker.broken === undefined && !isHopeless) return;
    const error = worker.broken === undefined ? cannotStartError(this.options.name, worker, exit) : worker.broken.error;
    if (isHopeless) this.#failure = { error };
    this.#failAll(() => error);
  }

  #terminated(): CancelledError {
    return new CancelledError(`The task was cancelled: pool "${this.options.name}" was terminated`);
  }

  #failAll(makeError: () => unknown): void {
    const tasks = this.#queue.drain();
    for (const worker of this.#workers) {
      tasks.push(...worker.takeBack());
      tasks.push(...worker.tasks);
    }
    for (const task of tasks) {
      if (task.ended) continue;
      this.#reject(task, makeError());
      this.#finish(task);
    }
  }

  #reject(task: Task, error: unknown): void {
    task.ended = true;
    for (const transfer of task.taken?.transfers ?? []) transfer.abort?.();
    task.taken = undefined;
    task.listener.error(error, task);
  }

  /** A task that the pool need not wait for any more. */
  #finish(task: Task): void {
    if (task.finished === true) return;
    task.finished = true;
    this.book.release(task.fn);
    if (--this.#pending === 0) this.#let();
  }

  #hold(): void {
    keepEventLoop();
    register(this);
  }

  #let(): void {
    releaseEventLoop();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /**
   * The ready worker with the least to do; a new one when all are at work and there may be more. One that is awake and will have
   * done its tasks before a sleeping one could be woken goes first: for short tasks waking costs more than they do. Always the
   * first such one, so that the others may fall asleep and leave their processors to it and to the pool.
   */
  #idleOrNew(): PoolWorker | undefined {
    let best: PoolWorker | undefined;
    let awake: PoolWorker | undefined;
    let alive = 0;
    for (const worker of this.#workers) {
      if (worker.retiring) continue;
      alive += 1;
      if (!this.#canTake(worker)) continue;
      if (best === undefined || worker.tasks.size < best.tasks.size) best = worker;
      if (awake === undefined && worker.tasks.expectedMs < WAKE_MS && !worker.asleep) awake = worker;
    }
    if (awake !== undefined) best = awake;
    if ((best === undefined || best.tasks.size > 0) && alive < this.processes && this.#failure === undefined) {
      // One for each task that waits.
      const wanted = Math.max(1, this.#queue.size);
      const booting = this.#workers.filter((worker) => !worker.ready && !worker.retiring).length;
      if (booting < wanted) this.#startWorker();
    }
    return best;
  }

  #canTake(worker: PoolWorker): boolean {
    return worker.hasRoom && worker.ready && worker.given < this.options.maxTasksPerChild;
  }

  #startWorker(): void {
    if (this.#state === "terminated") return;
    const number = ++this.#started;
    try {
      const worker = new PoolWorker(this.options.name, number, this.options, this);
      this.#workers.push(worker);
      // Who joins waits for this one, too.
      if (this.#joining.length > 0) worker.link.hold();
      register(this);
    } catch (error) {
      this.#failure = { error };
      queueMicrotask(() => this.#failAll(() => error));
    }
  }

  #giveOrFail(worker: PoolWorker, task: Task): void {
    try {
      this.#give(worker, task);
    } catch (error) {
      this.#reject(task, error);
      this.#finish(task);
    }
  }

  #give(worker: PoolWorker, task: Task): void {
    worker.give(task);
    if (task.retries > 0) worker.keepCopy(task);
    worker.wake();
    if (events.wanted) events.started(this.options.name, worker.pid, task);
    if (task.timeout !== Infinity) this.#watchTime(task);
  }

  /** Takes from the fullest lane for a worker that has nothing to do. */
  #steal(): void {
    if (this.#queue.size > 0) return;
    const idle = this.#workers.filter((worker) => worker.tasks.size === 0 && this.#canTake(worker));
    if (idle.length === 0) return;
    const victim = this.#workers.reduce<PoolWorker | undefined>(
      (most, worker) => (worker.waiting > (most?.waiting ?? 0) ? worker : most),
      undefined,
    );
    if (victim === undefined) return;
    if (victim.runningMs < STEAL_AFTER_MS && victim.ready) return this.#stealSoon();
    // The eldest first, whatever deaths have done to the order: an ordered stream may wait for it.
    const tasks = victim.takeBack().toSorted((a, b) => a.queuedAt - b.queuedAt);
    // Every other one: the victim will go on soon.
    const lanes = [...idle, victim];
    tasks.forEach((task, i) => {
      const to = lanes[i % lanes.length] as PoolWorker;
      if (this.#canTake(to)) this.#giveOrFail(to, task);
      else this.#queue.push(task);
    });
  }

  get #mayIdle(): boolean {
    return this.#pending > 0 && this.#workers.some((worker) => worker.tasks.size === 0);
  }

  #stealTimer: NodeJS.Timeout | undefined;

  #stealSoon(): void {
    if (this.#stealTimer !== undefined) return;
    this.#stealTimer = setTimeout(() => {
      this.#stealTimer = undefined;
      this.dispatch();
    }, 1);
  }

  #requeue(worker: PoolWorker): void {
    for (const task of worker.takeBack().reverse()) this.#queue.unshift(task);
  }

  /** Workers that have just become ready may take tasks of others. */
  #noticeReady(): void {
    for (const worker of this.#workers) {
      if (worker.wasReady || !worker.ready) continue;
      worker.wasReady = true;
      this.#startsSucceed();
    }
  }

  #startsSucceed(): void {
    this.#failedStarts = 0;
    this.#killedStarts = 0;
  }

  #watchTime(task: Task): void {
    this.#checkTimesIn(task.timeout);
  }

  /** Unless they are checked sooner. */
  #checkTimesIn(ms: number): void {
    const at = performance.now() + ms;
    if (this.#timer !== undefined && this.#timerAt <= at) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(() => this.#checkTimes(), Math.min(MAX_TIMER_MS, Math.max(1, Math.ceil(ms))));
  }

  #checkTimes(): void {
    this.#timer = undefined;
    let next = Infinity;
    for (const worker of this.#workers.slice()) {
      worker.read();
      const task = worker.current;
      for (const each of worker.tasks) if (each !== task) next = Math.min(next, each.timeout);
      if (task === undefined || task.ended || task.timeout === Infinity) continue;
      const left = task.timeout - worker.runningMs;
      if (left > 0) next = Math.min(next, left);
      else
        this.cancel(
          task,
          new TimeoutError(`The task ${task.fn.name} was ended: it ran longer than ${task.timeout} ms`),
        );
    }
    for (const task of this.#queue) next = Math.min(next, task.timeout);
    if (next !== Infinity) this.#checkTimesIn(next);
  }

  #forget(id: number): void {
    for (const worker of this.#workers) worker.forget(id);
  }

  #checkDone(): void {
    if (this.#state === "open" || this.#pending > 0) return;
    for (const worker of this.#workers) if (worker.tasks.size === 0) worker.close();
    if (this.#workers.length > 0) return;
    unregister(this);
    for (const listener of this.#onEnd.splice(0)) listener();
    for (const resolve of this.#joining.splice(0)) resolve();
  }
}
