/**
 * A queue of waiters on a condition in shared memory: the one protocol above both ways to sleep. A blocked thread sleeps on
 * a futex in slices, a promise waits for the doorbell of its process. FIFO; a waker hands a token to whom it wakes.
 *
 * As in WebKit's ParkingLot (F. Pizlo, "Locking in WebKit", 2016), a waiter checks its condition once more under the
 * queue's lock before it is queued, and a waker changes the condition before it takes that lock: no wake-up is lost.
 *
 * | word | holds                                        | written by                     |
 * |------|----------------------------------------------|--------------------------------|
 * | 0    | lock: slot of the owner + 1                  | lockers                        |
 * | 1    | first node, 0 if none                        | who holds the lock             |
 * | 2    | last node, 0 if none                         | who holds the lock             |
 * | 3    | number of waiters; others may read it        | who holds the lock             |
 *
 * Wake-ups can be spurious when a process died in the middle of one: look at the condition again.
 */

import { Deadline } from "../core/deadline.ts";
import { arena, onSweep, type SlotOwner, slotsInUse } from "../memory/index.ts";
import { futexWait, futexWake } from "../platform/index.ts";
import { ringAnyway, ringDoorbell } from "./doorbell.ts";
import { parkInLoop } from "./loop-parker.ts";
import { lockQueue, takeOverLock, unlockQueue } from "./queue-lock.ts";
import type { AdaptiveSpin } from "./spin.ts";
import { forEachNode, giveNode, isWoken, Node, NodeState, Sleep, takeNode, TIMED_OUT } from "./waiter-nodes.ts";

export { TIMED_OUT };

/** What `park` gives instead of a token: the last check said that there is nothing to wait for. */
export const NOT_PARKED = -2;

/** Longest sleep in one go: signal handlers and exits cannot run meanwhile. */
export const SLICE_MS = 100;
/** What a patient waiter comes to: a slice costs 0.2 ms of a processor that was asleep. */
const LONGEST_SLICE_MS = 500;

export interface ParkOptions {
  /** Asked under the queue's lock; false means: do not wait after all. Must be short and use no wait queue. */
  readonly validate: () => boolean;
  /** Called about every 100 ms while waiting, in the waiter: to see whether the one waited for is alive. May throw to end the wait. */
  readonly onSlice?: (() => void) | undefined;
  /** Slices may grow to half a second: for waits that go on for long, where somebody else will most likely notice deaths. */
  readonly patient?: boolean | undefined;
  /** Called once when the waiter is queued, before it sleeps: to release what it held until then. */
  readonly onParked?: (() => void) | undefined;
  /** For a blocking wait that cannot spin before it is queued: spins before it sleeps. */
  readonly spin?: AdaptiveSpin | undefined;
  /** A number for wakers that choose by it; default 0. */
  readonly data?: number | undefined;
}

const Queue = { lock: 0, head: 1, tail: 2, count: 3 } as const;

export class WaitQueue {
  /** Room that a queue takes in shared memory. */
  static readonly BYTES = 16;

  readonly #word: number;

  /** @param word Index into `arena().words` of zeroed room for a queue; several handles may stand for one queue. */
  constructor(word: number) {
    this.#word = word;
  }

  /** How many wait, or are about to. Read without the lock; 0 is certain for who has changed the condition before. */
  get waiting(): number {
    return Atomics.load(arena().words, this.#word + Queue.count);
  }

  /**
   * Blocks the thread until woken.
   * @returns the waker's token (0 or more), TIMED_OUT or NOT_PARKED.
   */
  parkSync(deadline: Deadline, { validate, onSlice, onParked, spin, patient, data = 0 }: ParkOptions): number {
    const node = takeNode(spin === undefined ? Sleep.futex : Sleep.looking);
    if (!this.#enqueue(node, deadline, validate, data)) return NOT_PARKED;
    this.#parked(node, onParked);
    let failure: { error: unknown } | undefined;
    try {
      if (spin?.until(() => isWoken(node)) !== true) {
        // Says that it must be woken, then looks: a waker marks the node first, then asks how to wake.
        if (spin !== undefined) Atomics.store(arena().words, node + Node.how, Sleep.futex);
        this.#sleep(node, deadline, onSlice, patient === true ? LONGEST_SLICE_MS : SLICE_MS);
      }
    } catch (error) {
      failure = { error };
    }
    const token = this.#leave(node);
    // Woken before it gave up: what it was handed must not be dropped.
    if (failure !== undefined && token === TIMED_OUT) throw failure.error;
    return token;
  }

  /**
   * Waits in the event loop until woken.
   * @returns the waker's token (0 or more), TIMED_OUT or NOT_PARKED; rejects with `signal.reason` when aborted. Who was woken
   *   before the abort gets the token all the same: take what it stands for, or pass it on.
   */
  park(deadline: Deadline, { validate, onSlice, onParked, data = 0 }: ParkOptions): Promise<number> {
    if (deadline.signal?.aborted) return Promise.reject(deadline.signal.reason as Error);
    const node = takeNode(Sleep.loop);
    if (!this.#enqueue(node, deadline, validate, data)) return Promise.resolve(NOT_PARKED);
    this.#parked(node, onParked);
    return parkInLoop(node, deadline, onSlice, () => this.#leave(node));
  }

  /**
   * Wakes the first waiter.
   * @param decide Called under the lock, whether there is a waiter or not; gives the token (default 0). For handing something
   *   over: change the condition here.
   * @returns true when somebody was woken.
   */
  unparkOne(decide?: (found: boolean, more: boolean, owner: number, data: number) => number): boolean {
    if (decide === undefined && this.waiting === 0) return false;
    this.#lock();
    const { words } = arena();
    const node = words[this.#word + Queue.head] as number;
    const more = (words[this.#word + Queue.count] as number) > 1;
    let token = 0;
    try {
      token = decide?.(node !== 0, more, words[node + Node.owner] as number, words[node + Node.data] as number) ?? 0;
      if (node !== 0) this.#pop(node, token);
    } finally {
      unlockQueue(this.#word);
    }
    if (node !== 0) wake(node);
    return node !== 0;
  }

  /**
   * Wakes up to `limit` waiters, first come first.
   * @param accepts Says by their `data` which ones; default all.
   * @returns how many were woken.
   */
  unpark(limit: number = Infinity, token = 0, accepts?: (data: number) => boolean): number {
    if (this.waiting === 0) return 0;
    this.#lock();
    const { words } = arena();
    const woken: number[] = [];
    for (let node = words[this.#word + Queue.head] as number; node !== 0 && woken.length < limit;) {
      const next = words[node + Node.next] as number;
      if (accepts === undefined || accepts(words[node + Node.data] as number)) {
        this.#pop(node, token);
        woken.push(node);
      }
      node = next;
    }
    unlockQueue(this.#word);
    for (const node of woken) wake(node);
    return woken.length;
  }

  /** The slots of those who wait, first come first. */
  waiters(): number[] {
    this.#lock();
    const { words } = arena();
    const owners: number[] = [];
    for (let node = words[this.#word + Queue.head] as number; node !== 0; node = words[node + Node.next] as number) {
      owners.push(words[node + Node.owner] as number);
    }
    unlockQueue(this.#word);
    return owners;
  }

  /**
   * Takes a dead process's node out; if it was woken already, wakes the next one in its place. With token 0: what the dead
   * one was handed belongs to it, and is passed on by whoever sweeps that.
   */
  removeDead(node: number): void {
    const { words } = arena();
    this.#lock();
    const wasWoken = words[node + Node.state] === NodeState.woken;
    if (words[node + Node.state] === NodeState.waiting) this.#unlink(node);
    Atomics.store(words, node + Node.queue, 0);
    Atomics.store(words, node + Node.state, NodeState.idle);
    unlockQueue(this.#word);
    if (wasWoken) this.unparkOne();
  }

  /** Repairs a queue whose lock was just taken over from a dead process: everybody is woken and looks for himself. */
  static repair(word: number): void {
    const { words } = arena();
    const woken: number[] = [];
    forEachNode((node) => {
      if (words[node + Node.queue] !== word || words[node + Node.state] !== NodeState.waiting) return;
      Atomics.store(words, node + Node.token, 0);
      Atomics.store(words, node + Node.state, NodeState.woken);
      woken.push(node);
    });
    words.fill(0, word + Queue.head, word + Queue.count + 1);
    unlockQueue(word);
    for (const node of woken) wake(node);
  }

  #lock(): void {
    while (lockQueue(this.#word)) WaitQueue.repair(this.#word);
  }

  /** @returns false when `validate` said no; the node is given back then. */
  #enqueue(node: number, deadline: Deadline, validate: () => boolean, data: number): boolean {
    const { words } = arena();
    words[node + Node.limited] = deadline.isLimited ? 1 : 0;
    this.#lock();
    // Counted before the check: a waker changes the condition and then reads the count without the lock, so at least one of
    // the two sees the other.
    Atomics.add(words, this.#word + Queue.count, 1);
    let valid = false;
    try {
      valid = validate();
    } finally {
      if (valid) this.#append(words, node, data);
      else Atomics.sub(words, this.#word + Queue.count, 1);
      unlockQueue(this.#word);
      if (!valid) giveNode(node);
    }
    return valid;
  }

  #append(words: Int32Array, node: number, data: number): void {
    const tail = words[this.#word + Queue.tail] as number;
    words[node + Node.next] = 0;
    words[node + Node.previous] = tail;
    words[node + Node.data] = data;
    words[node + Node.queue] = this.#word;
    Atomics.store(words, node + Node.state, NodeState.waiting);
    words[tail === 0 ? this.#word + Queue.head : tail + Node.next] = node;
    words[this.#word + Queue.tail] = node;
  }

  #unlink(node: number): void {
    const { words } = arena();
    const next = words[node + Node.next] as number;
    const previous = words[node + Node.previous] as number;
    words[previous === 0 ? this.#word + Queue.head : previous + Node.next] = next;
    words[next === 0 ? this.#word + Queue.tail : next + Node.previous] = previous;
    Atomics.sub(words, this.#word + Queue.count, 1);
  }

  #pop(node: number, token: number): void {
    const { words } = arena();
    this.#unlink(node);
    words[node + Node.token] = token;
    Atomics.store(words, node + Node.state, NodeState.woken);
  }

  #parked(node: number, onParked: (() => void) | undefined): void {
    try {
      onParked?.();
    } catch (error) {
      const token = this.#leave(node);
      if (token !== TIMED_OUT) this.unparkOne(() => token);
      throw error;
    }
  }

  #sleep(node: number, deadline: Deadline, onSlice: (() => void) | undefined, longest: number): void {
    const { words, address } = arena();
    let slice = SLICE_MS;
    while (Atomics.load(words, node) === NodeState.waiting) {
      const left = deadline.remaining();
      if (left === 0) return;
      const timedOut = !futexWait(address + 4 * node, NodeState.waiting, Math.min(slice, left));
      if (!timedOut) continue;
      onSlice?.();
      slice = Math.min(longest, 1.25 * slice);
    }
  }

  /** Ends a wait: takes the node out if it is still in, and gives it back. */
  #leave(node: number): number {
    const { words } = arena();
    let token = TIMED_OUT;
    if (Atomics.load(words, node + Node.state) === NodeState.waiting) {
      this.#lock();
      if (words[node + Node.state] === NodeState.waiting) this.#unlink(node);
      else token = words[node + Node.token] as number;
      unlockQueue(this.#word);
    } else {
      token = words[node + Node.token] as number;
    }
    giveNode(node);
    return token;
  }
}

function wake(node: number): void {
  const { words, address } = arena();
  const how = Atomics.load(words, node + Node.how);
  if (how === Sleep.loop) ringDoorbell(words[node + Node.owner] as number);
  else if (how === Sleep.futex) futexWake(address + 4 * node, 1);
}

/** Removes what a dead process left in wait queues. */
function sweepWaiters({ slot }: SlotOwner): void {
  const held = takeOverLock(slot);
  if (held !== undefined) WaitQueue.repair(held);
  const { words } = arena();
  forEachNode((node) => {
    const queue = words[node + Node.queue] as number;
    if (queue !== 0) new WaitQueue(queue).removeDead(node);
  }, slot);
  // It may have died between handing over and waking: let everybody look.
  for (const other of slotsInUse()) if (other !== slot) ringAnyway(other);
}

onSweep(sweepWaiters);
