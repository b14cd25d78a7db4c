/** Barrier: a number of parties that go on together. */

import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { BrokenBarrierError } from "../core/errors.ts";
import { defineHandle } from "../core/handle.ts";
import { checkFunction, checkInteger, checkKnownOptions, checkObject } from "../core/options.ts";
import {
  arena,
  CellHeader,
  cellWord,
  forEachCell,
  onSweep,
  payloadOffset,
  selfSlot,
  type SlotOwner,
} from "../memory/index.ts";
import { AdaptiveSpin, type ParkOptions, TIMED_OUT, WaitQueue } from "../wait/index.ts";
import { AbandonWatch, clearNote, livingHolders, type LostHolder, readNote, Settle } from "./abandonment.ts";
import { Lock } from "./lock.ts";
import { Existing, Primitive, registerPrimitive, SyncKind } from "./primitive.ts";

const TAG = "Barrier";
const MAX_PARTIES = 1000;

/**
 * | word | holds                                                               | written by            |
 * |------|---------------------------------------------------------------------|-----------------------|
 * | 0    | parties                                                             | maker                 |
 * | 1    | how many have arrived in this generation                            | who holds the lock    |
 * | 2    | generation                                                          | who holds the lock    |
 * | 3    | BROKEN or 0                                                         | holder; sweeper       |
 * | 4–7  | the wait queue                                                      | see WaitQueue         |
 * | 8    | pid of the party whose death broke it                               | sweeper; holder       |
 * | 9    | 1 if that one was waiting here when it died                         | sweeper; holder       |
 * | 10   | slot + 1 of the maker as long as it has not come itself, else 0     | who holds the lock    |
 * | 11, 12 | the note of a lost holder (abandonment.ts)                        | sweeper; holder       |
 * | 13   | how the last 32 generations ended: bit (generation mod 32) is 1 if it passed | who holds the lock |
 * | 14–  | slot + 1 of each that has arrived                                   | who holds the lock    |
 */
const Word = {
  parties: 0,
  arrived: 1,
  generation: 2,
  broken: 3,
  queue: 4,
  deadPid: 8,
  diedWaiting: 9,
  maker: 10,
  note: 11,
  endings: 13,
  arrivals: 14,
} as const;

/** How a generation ends. */
const PASSED = 1;
const BROKEN = 2;
/** The place of who comes while the action of a full round runs. */
const TOO_LATE = -1;

const spin = new AdaptiveSpin();

/** Options of a Barrier. */
export interface BarrierOptions {
  /** Run by one party when all have arrived, before any goes on. It stays where it is: other processes run their own. */
  readonly action?: () => unknown;
  /** Default time-out of `wait`, in milliseconds. */
  readonly timeout?: number;
}

/** Why a wait was given up. */
interface Failure {
  readonly error: unknown;
}

interface Arrival {
  readonly index: number;
  readonly generation: number;
}

/**
 * A meeting point: `wait` waits until `parties` have called it; then all go on, and it can be used again.
 *
 * It breaks when a party runs out of time or dies, when its action throws, and by `abort`: then everybody gets a
 * BrokenBarrierError until `reset`.
 *
 * @example
 * ```ts
 * import { Barrier, Process } from "multiproc";
 *
 * const together = new Barrier(3, { timeout: 10_000 });
 * const work = async () => {
 *   // what each does for itself
 *   return await together.wait();
 * };
 * const children = [1, 2, 3].map(() => new Process(work).start());
 * const places = await Promise.all(children.map((child) => child.result()));
 * console.log(places.sort().join(" ")); // 0 1 2
 * ```
 */
export class Barrier extends Primitive {
  static {
    defineHandle(Barrier, (barrier) =>
      barrier.transfer(TAG, { lock: barrier.#lock, timeout: barrier.#timeout, action: barrier.#action }),
    );
    registerPrimitive(TAG, (existing) => new Barrier(existing as never));
  }

  readonly #lock: Lock;
  readonly #queue: WaitQueue;
  readonly #timeout: number | undefined;
  readonly #action: (() => unknown) | undefined;

  /** @throws {RangeError} If `parties` is no integer of at least 1. */
  constructor(parties: number, options?: BarrierOptions);
  constructor(first: number | Existing, options: BarrierOptions = {}) {
    const existing = first instanceof Existing ? first : undefined;
    if (existing === undefined) {
      checkInteger("parties", first, 1, MAX_PARTIES);
      checkObject("options", options);
      checkKnownOptions("Barrier", options, ["action", "timeout"]);
      if (options.action !== undefined) checkFunction("action", options.action);
      Deadline.from({ timeout: options.timeout });
    }
    super(existing, 4 * (Word.arrivals + Number(existing === undefined ? first : 0)), SyncKind.barrier);
    if (existing === undefined) {
      this.words[this.word + Word.parties] = first as number;
      this.words[this.word + Word.maker] = selfSlot() + 1;
    }
    const { lock, timeout, action } = (existing?.options ?? { lock: new Lock(), ...options }) as {
      lock: Lock;
    } & BarrierOptions;
    this.#lock = lock;
    this.#timeout = timeout;
    this.#action = action;
    this.#queue = new WaitQueue(this.word + Word.queue);
  }

  /** How many have to meet. */
  get parties(): number {
    return this.words[this.word + Word.parties] as number;
  }

  /** How many wait just now. */
  get nWaiting(): number {
    return this.broken ? 0 : Atomics.load(this.words, this.word + Word.arrived);
  }

  /** True when it is broken; `reset` mends it. */
  get broken(): boolean {
    return Atomics.load(this.words, this.word + Word.broken) !== 0;
  }

  /**
   * Waits until all parties are there.
   * @returns a number from 0 to parties - 1, different for each.
   * @throws {BrokenBarrierError} If it is broken, or breaks meanwhile, or the time runs out (which breaks it).
   */
  async wait(options?: WaitOptions): Promise<number> {
    const deadline = this.#deadline(options);
    deadline.throwIfAborted();
    for (;;) {
      const arrival = this.#arrive();
      if (arrival.index === this.parties - 1) {
        if (this.#action !== undefined) await this.#finish(arrival, this.#action);
        return arrival.index;
      }
      let failure: Failure | undefined;
      try {
        await this.#park(deadline, arrival);
      } catch (error) {
        failure = { error };
      }
      if (this.#passed(arrival, failure)) return arrival.index;
    }
  }

  async #park(deadline: Deadline, arrival: Arrival): Promise<void> {
    let token: number;
    do token = await this.#queue.park(deadline, this.#parkOptions(arrival, false));
    while (token !== TIMED_OUT && this.#isWaiting(arrival.generation));
  }

  /** What the last one does if there is an action: runs it, then lets all go on. */
  async #finish(arrival: Arrival, action: () => unknown): Promise<void> {
    try {
      await action();
      this.#open(arrival);
    } catch (error) {
      this.#breakGeneration(arrival.generation);
      throw error;
    }
  }

  /** As `wait`, blocking. An action that returns a promise is not awaited. */
  waitSync(options?: WaitOptions): number {
    const deadline = this.#deadline(options);
    deadline.throwIfAborted();
    for (;;) {
      const arrival = this.#arrive();
      if (arrival.index === this.parties - 1) {
        if (this.#action !== undefined) this.#finishSync(arrival, this.#action);
        return arrival.index;
      }
      let failure: Failure | undefined;
      try {
        this.#parkSync(deadline, arrival);
      } catch (error) {
        failure = { error };
      }
      if (this.#passed(arrival, failure)) return arrival.index;
    }
  }

  #parkSync(deadline: Deadline, arrival: Arrival): void {
    if (!deadline.expired && spin.until(() => !this.#isWaiting(arrival.generation))) return;
    let token: number;
    do token = this.#queue.parkSync(deadline, this.#parkOptions(arrival, true));
    while (token !== TIMED_OUT && this.#isWaiting(arrival.generation));
  }

  #finishSync(arrival: Arrival, action: () => unknown): void {
    try {
      action();
      this.#open(arrival);
    } catch (error) {
      this.#breakGeneration(arrival.generation);
      throw error;
    }
  }

  /** Mends it; who waits just now gets a BrokenBarrierError. */
  reset(): void {
    this.#lock.useSync(() => {
      this.#nextRound(BROKEN);
      Atomics.store(this.words, this.word + Word.broken, 0);
      this.words[this.word + Word.deadPid] = 0;
      clearNote(this.word + Word.note);
    });
  }

  /** Breaks it: who waits, and who comes, gets a BrokenBarrierError until `reset`. */
  abort(): void {
    this.#locked(() => this.#break());
  }

  #deadline(options: WaitOptions | undefined): Deadline {
    return Deadline.from(options?.timeout === undefined ? { ...options, timeout: this.#timeout } : options);
  }

  /**
   * Takes a place in this round, and ends the round with the last one, unless an action is to be run first: outside of the lock, which
   * is only ever held for moments, so that an event loop can wait for it. Meanwhile the round is full, and who comes waits for the next.
   */
  #arrive(): Arrival {
    return this.#locked(() => {
      this.checkOpen();
      if (this.broken) throw this.#error();
      const { words, word, parties } = this;
      const generation = words[word + Word.generation] as number;
      const index = words[word + Word.arrived] as number;
      if (index === parties) return { index: TOO_LATE, generation };
      words[word + Word.arrivals + index] = selfSlot() + 1;
      if (words[word + Word.maker] === selfSlot() + 1) words[word + Word.maker] = 0;
      Atomics.store(words, word + Word.arrived, index + 1);
      if (index === parties - 1 && this.#action === undefined) this.#nextRound(PASSED);
      return { index, generation };
    });
  }

  /** Who died while it held the lock may have left things half done. */
  #locked<R>(act: () => R): R {
    return this.#lock.useSync(() => {
      if (this.#lock.ownerDied) this.#break();
      return act();
    });
  }

  #parkOptions({ generation }: Arrival, blocking: boolean): ParkOptions {
    return { validate: () => this.#isWaiting(generation), onSlice: this.#partyCheck(generation, blocking) };
  }

  #isWaiting(generation: number): boolean {
    return Atomics.load(this.words, this.word + Word.generation) === generation && !this.broken;
  }

  /** After the action: lets everybody go on, unless the round was broken or reset meanwhile. */
  #open({ generation }: Arrival): void {
    this.#locked(() => {
      if (!this.#isWaiting(generation)) throw this.#error();
      this.#nextRound(PASSED);
    });
  }

  /** Under the lock. */
  #break(): void {
    Atomics.store(this.words, this.word + Word.broken, BROKEN);
    this.#nextRound(BROKEN);
  }

  /** Under the lock: begins the next round, notes how this one ended, and wakes those who wait to look. */
  #nextRound(ending: typeof PASSED | typeof BROKEN): void {
    const { words, word } = this;
    const bit = 1 << ((words[word + Word.generation] as number) & 31);
    const endings = words[word + Word.endings] as number;
    Atomics.store(words, word + Word.endings, ending === PASSED ? endings | bit : endings & ~bit);
    words.fill(0, word + Word.arrivals, word + Word.arrivals + this.parties);
    Atomics.store(words, word + Word.arrived, 0);
    Atomics.add(words, word + Word.generation, 1);
    // All came: whoever died was no party, or another one has taken its place.
    if (ending === PASSED) clearNote(word + Word.note);
    this.#queue.unpark();
  }

  /** A wait that failed breaks its generation, if that still waits. @returns whether it did. */
  #breakGeneration(generation: number): boolean {
    if (!this.#isWaiting(generation)) return false;
    return this.#locked(() => {
      const waits = this.#isWaiting(generation);
      if (waits) this.#break();
      return waits;
    });
  }

  /**
   * How a wait ended. Who gave up before the round was over breaks it. Who gave up just as it ended goes on: the others rely on him.
   * @returns false for who came too late for a round that is over now: he tries the next.
   */
  #passed({ index, generation }: Arrival, failure: Failure | undefined): boolean {
    const gaveUp = this.#breakGeneration(generation);
    if (this.#hasPassed(generation)) return index !== TOO_LATE;
    if (failure !== undefined) throw failure.error;
    throw gaveUp ? new BrokenBarrierError("The barrier is broken: a party ran out of time") : this.#error();
  }

  /** Whether a generation that does not wait any longer has ended well. */
  #hasPassed(generation: number): boolean {
    const { words, word } = this;
    const ending = (Atomics.load(words, word + Word.endings) >>> (generation & 31)) & 1;
    // After the look: of one so long ago nothing is known any more.
    const ago = (Atomics.load(words, word + Word.generation) - generation) | 0;
    return ending === 1 && ago > 0 && ago < 32;
  }

  /** While one waits: breaks the barrier when a party is gone that the round needs. */
  #partyCheck(generation: number, blocking: boolean): () => void {
    let watch: AbandonWatch | undefined;
    const settle = new Settle();
    return () => {
      // Asks who lives. The dead are swept, which breaks it if they were waiting here.
      const tooFew = this.#tooFewLive();
      watch ??= new AbandonWatch(this.cell.id, SyncKind.barrier, this.word + Word.queue, blocking);
      const lost = watch.look() ?? (settle.hasSettled(tooFew ? [] : undefined) ? this.#lost : undefined);
      if (lost !== undefined) this.#breakWithout(lost, generation);
    };
  }

  #breakWithout({ pid }: LostHolder, generation: number): void {
    this.#locked(() => {
      // Of a full round somebody runs the action.
      if (!this.#isWaiting(generation) || this.nWaiting === this.parties || this.#lost === undefined) return;
      this.words[this.word + Word.deadPid] = pid;
      this.words[this.word + Word.diedWaiting] = 0;
      this.#break();
    });
  }

  get #lost(): LostHolder | undefined {
    return readNote(this.word + Word.note);
  }

  /**
   * Whether one who held it died, and those who are left are too few: each counts as one party, or as many as it has sent. The maker
   * counts if it has ever come, or if those to whom it gave the barrier are too few even with the dead one.
   */
  #tooFewLive(): boolean {
    const { words, word, parties } = this;
    const live = livingHolders(this.cell.id);
    if (live === undefined || this.#lost?.died !== true) return false;
    const others = live.filter((slot) => slot + 1 !== words[word + Word.maker]);
    const counted = others.length + 1 < parties ? live : others;
    const arrived = words.slice(word + Word.arrivals, word + Word.arrivals + parties);
    const sentBy = (slot: number): number => arrived.filter((entry) => entry === slot + 1).length;
    return counted.reduce((sum, slot) => sum + Math.max(1, sentBy(slot)), 0) < parties;
  }

  #error(): BrokenBarrierError {
    const { words, word } = this;
    const pid = words[word + Word.deadPid] as number;
    if (pid === 0) return new BrokenBarrierError("The barrier is broken");
    const how = words[word + Word.diedWaiting] === 1 ? "died while it waited there" : "is gone, and will not come";
    return new BrokenBarrierError(`The barrier is broken: process ${pid} ${how}`);
  }
}

/** Breaks the barriers at which a dead process was waiting. */
function breakBarriers({ slot, pid }: SlotOwner): void {
  const { words } = arena();
  forEachCell((id) => {
    if (words[cellWord(id) + CellHeader.kind] !== SyncKind.barrier) return;
    const word = payloadOffset(id) / 4;
    // Its slot may be given to somebody else, who is not the maker.
    Atomics.compareExchange(words, word + Word.maker, slot + 1, 0);
    const arrived = Atomics.load(words, word + Word.arrived);
    const arrivals = words.subarray(word + Word.arrivals, word + Word.arrivals + arrived);
    if (!arrivals.includes(slot + 1)) return;
    words[word + Word.deadPid] = pid;
    words[word + Word.diedWaiting] = 1;
    Atomics.store(words, word + Word.broken, BROKEN);
    new WaitQueue(word + Word.queue).unpark();
  });
}

onSweep(breakBarriers);
