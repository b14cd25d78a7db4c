/**
 * The cell that all processes of the family know a manager by.
 *
 * | word | holds                                                    | written by                    |
 * |------|----------------------------------------------------------|-------------------------------|
 * | 0    | state: STARTING, SERVING, ENDED                          | server; owner (ENDED)         |
 * | 1    | slot of the server + 1                                   | server                        |
 * | 2    | 1 while the server sleeps: ring its doorbell             | server; who rings it clears it |
 * | 3    | id of the link that arrived last, 0 if none              | clients push, server takes all |
 * | 4    | pid of the server                                        | server                        |
 * | 5    | 1 when words 6 and 7 say how the server ended            | owner                         |
 * | 6    | its exit code                                            | owner                         |
 * | 7    | number of the signal that ended it, 0 if none            | owner                         |
 */

import { constants } from "node:os";
import type { Death } from "../core/errors.ts";
import { arena, isSlotAlive } from "../memory/index.ts";

export const MANAGER_CELL_BYTES = 64;

export const ManagerState = { starting: 0, serving: 1, ended: 2 } as const;

const Word = { state: 0, slot: 1, sleeping: 2, arrivals: 3, pid: 4, exitKnown: 5, exitCode: 6, signal: 7 } as const;

/** The words of a manager's cell. */
export class ManagerCell {
  readonly #word: number;

  /** @param word Index into `arena().words` of the payload. */
  constructor(word: number) {
    this.#word = word;
  }

  get state(): number {
    return this.#load(Word.state);
  }

  /** The server's slot; undefined while it is still coming up. */
  get serverSlot(): number | undefined {
    const slot = this.#load(Word.slot);
    return slot === 0 ? undefined : slot - 1;
  }

  /** The server says that it is there. */
  attach(slot: number): void {
    this.#store(Word.pid, process.pid);
    this.#store(Word.slot, slot + 1);
    this.#store(Word.state, ManagerState.serving);
  }

  /** Asks the kernel (about 40 µs). A server that is still coming up is alive. */
  isServerAlive(): boolean {
    if (this.state === ManagerState.ended) return false;
    const slot = this.serverSlot;
    return slot === undefined || isSlotAlive(slot);
  }

  /** The owner says how the server ended. */
  end({ exitCode, signal }: { exitCode: number | undefined; signal: number }): void {
    if (exitCode !== undefined && this.#load(Word.exitKnown) === 0) {
      this.#store(Word.exitCode, exitCode);
      this.#store(Word.signal, signal);
      this.#store(Word.exitKnown, 1);
    }
    this.#store(Word.state, ManagerState.ended);
  }

  /** Who the server was and how it ended, as far as that is known. */
  death(): Death {
    const pid = this.#load(Word.pid) || undefined;
    if (this.#load(Word.exitKnown) === 0) return { pid };
    const number = this.#load(Word.signal);
    const signal =
      number === 0 ? null : (Object.entries(constants.signals).find(([, each]) => each === number)?.[0] ?? null);
    return { pid, exitCode: this.#load(Word.exitCode), signal };
  }

  get exitKnown(): boolean {
    return this.#load(Word.exitKnown) !== 0;
  }

  /** Adds a link to the list of those that arrived. @param setNext Writes the id of the one before into the link. */
  arrive(link: number, setNext: (id: number) => void): void {
    const { words } = arena();
    for (;;) {
      const first = this.#load(Word.arrivals);
      setNext(first);
      // The server takes the whole list, so an id that comes back means the same list.
      if (Atomics.compareExchange(words, this.#word + Word.arrivals, first, link) === first) return;
    }
  }

  /** True when links have arrived. */
  get hasArrivals(): boolean {
    return this.#load(Word.arrivals) !== 0;
  }

  /** Takes the list of links that arrived; gives the last one's id. */
  takeArrivals(): number {
    return Atomics.exchange(arena().words, this.#word + Word.arrivals, 0);
  }

  /** The server is about to sleep; it must look for work once more afterwards. */
  set sleeping(sleeping: boolean) {
    this.#store(Word.sleeping, sleeping ? 1 : 0);
  }

  /** True for who has to wake the server. */
  takeSleeping(): boolean {
    if (this.#load(Word.sleeping) === 0) return false;
    return Atomics.exchange(arena().words, this.#word + Word.sleeping, 0) === 1;
  }

  #load(word: number): number {
    return Atomics.load(arena().words, this.#word + word);
  }

  #store(word: number, value: number): void {
    Atomics.store(arena().words, this.#word + word, value);
  }
}
