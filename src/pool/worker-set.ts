/** The workers of a pool: which there are, which takes the next task, and when there shall be more. */

import { cpuCount } from "../process/index.ts";
import type { CheckedPoolOptions } from "./pool-options.ts";
import { PoolWorker, type WorkerListener } from "./pool-worker.ts";

/** About what it takes to wake a worker that sleeps. */
const WAKE_MS = 0.05;
/** At least so many workers may be on their way at a time. */
const MIN_BOOTING = 4;

export class WorkerSet {
  readonly list: PoolWorker[] = [];
  readonly #processes: number;
  readonly #options: CheckedPoolOptions;
  readonly #listener: WorkerListener;
  readonly #maxBooting = Math.max(MIN_BOOTING, cpuCount());
  #started = 0;
  #isHeld = false;

  /** @param processes How many there may be. */
  constructor(processes: number, options: CheckedPoolOptions, listener: WorkerListener) {
    this.#processes = processes;
    this.#options = options;
    this.#listener = listener;
  }

  remove(worker: PoolWorker): void {
    this.list.splice(this.list.indexOf(worker), 1);
  }

  /** Keeps the event loop until all workers have ended, those that are still to come, too. */
  hold(): void {
    this.#isHeld = true;
    for (const { link } of this.list) link.hold();
  }

  canTake(worker: PoolWorker): boolean {
    return worker.hasRoom && worker.ready && worker.given < this.#options.maxTasksPerChild;
  }

  /** Those that have nothing to do, and would begin at once. */
  idle(): PoolWorker[] {
    return this.list.filter((worker) => worker.tasks.size === 0 && this.canTake(worker) && !worker.isStuck);
  }

  /** Those on their way up that may have a task, to begin with as soon as they are up. */
  vacant(): PoolWorker[] {
    return this.list.filter((worker) => worker.isVacant);
  }

  /** The one with the most tasks that others may take; undefined if there are none. */
  fullest(): PoolWorker | undefined {
    let fullest: PoolWorker | undefined;
    for (const worker of this.list) if (worker.surplus > (fullest?.surplus ?? 0)) fullest = worker;
    return fullest;
  }

  /**
   * The ready worker with the least to do. One that is awake and will have done its tasks before a sleeping one could be woken
   * goes first: for short tasks waking costs more than they do. Always the first such one, so that the others may fall asleep
   * and leave their processors to it and to the pool. One that is held up only when there is no other.
   */
  leastBusy(): PoolWorker | undefined {
    let best: PoolWorker | undefined;
    let awake: PoolWorker | undefined;
    let heldUp: PoolWorker | undefined;
    for (const worker of this.list) {
      if (!this.canTake(worker)) continue;
      if (isHeldUp(worker)) {
        if (heldUp === undefined || worker.tasks.size < heldUp.tasks.size) heldUp = worker;
        continue;
      }
      if (best === undefined || worker.tasks.size < best.tasks.size) best = worker;
      if (awake === undefined && worker.tasks.expectedMs < WAKE_MS && !worker.asleep) awake = worker;
    }
    return awake ?? best ?? heldUp;
  }

  /** True when there may be more. Those that are about to end do not count. */
  get mayGrow(): boolean {
    let alive = 0;
    for (const worker of this.list) if (!worker.retiring) alive += 1;
    return alive < this.#processes;
  }

  /**
   * Starts workers for tasks that wait, also for those that wait behind others: a worker takes many ahead. Not all at once, since
   * more than there are processors would not be ready sooner, and short tasks are done by then.
   * @param queued Tasks that no worker has. @throws If a worker cannot be started.
   */
  startWanted(queued: number): void {
    let alive = 0;
    let booting = 0;
    let waiting = queued;
    for (const worker of this.list) {
      if (worker.isBooting) booting += 1;
      waiting += Math.max(0, Math.min(worker.waiting, worker.tasks.size - 1));
      if (worker.retiring) continue;
      alive += 1;
      if (!worker.ready && worker.tasks.size === 0) waiting -= 1;
    }
    const wanted = Math.min(waiting, this.#processes - alive, this.#maxBooting - booting);
    for (let i = 0; i < wanted; i++) this.#start();
  }

  #start(): void {
    const worker = new PoolWorker(this.#options.name, ++this.#started, this.#options, this.#listener);
    this.list.push(worker);
    if (this.#isHeld) worker.link.hold();
  }
}

/** True for one that does not get on, and for one that has a generator which waits for its consumer, or whose consumer does not wait. */
function isHeldUp({ isStuck, tasks: { first } }: PoolWorker): boolean {
  return isStuck || (first !== undefined && first.isStream && (!first.isAwaited || first.stream?.isUsedUp === true));
}
