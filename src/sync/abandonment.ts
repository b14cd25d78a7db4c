/**
 * Whether a wait for a condition, a semaphore, an event or a barrier can still be satisfied.
 *
 * Each object keeps a note of the last process that held it and is gone. When there is one, and all who still hold the object
 * wait for it themselves, nobody is left who could notify, release or set it. That is
 *
 * - certain where they are all blocked without a time-out: their threads do nothing else;
 * - as good as certain where promises wait, if the one who is gone died (was killed, or failed) and nothing has changed for
 *   SETTLE_MS, in which the event loops turned. Another task of such a process, or a new process that it starts, could still
 *   come to act, but had the time to.
 *
 * A reference that is under way in a message makes its receiver another holder, so as long as there is one nothing is said.
 */

import type { Deadline } from "../core/deadline.ts";
import { ProcessDiedError } from "../core/errors.ts";
import { performance } from "../core/timers.ts";
import {
  aliveOrSwept,
  arena,
  CellHeader,
  cellWord,
  forEachCell,
  holdersOf,
  isHolder,
  onSweep,
  payloadOffset,
  selfSlot,
  Slot,
  type SlotOwner,
  slotWord,
} from "../memory/index.ts";
import { forEachWaiting, WaitQueue } from "../wait/index.ts";
import { SETTLE_MS } from "./deadlocks.ts";
import { NOTE_WORD } from "./primitive.ts";

/** The note: the pid of the last holder that is gone, 0 if there is none; and whether one of them died. */
const Note = { pid: 0, died: 1 } as const;

/** What a waker hands to those whom nobody else will wake. */
export const ABANDONED = 9;

/** A process that held the object and is gone. */
export interface LostHolder {
  readonly pid: number;
  /** It was killed or failed; it did not just end. */
  readonly died: boolean;
}

/** Watches one wait; asked about every 100 ms. */
export class AbandonWatch {
  readonly #id: number;
  readonly #queue: number;
  readonly #note: number;
  readonly #blocking: boolean;
  readonly #settle = new Settle();

  /**
   * @param id The object's cell.
   * @param kind Its SyncKind.
   * @param queue The first word of its wait queue.
   * @param blocking Whether the wait blocks its thread.
   */
  constructor(id: number, kind: number, queue: number, blocking: boolean) {
    this.#id = id;
    this.#note = payloadOffset(id) / 4 + (NOTE_WORD.get(kind) as number);
    this.#queue = queue;
    this.#blocking = blocking;
  }

  /**
   * Ends the waits of all when nobody is left who could do it: they get ABANDONED. One that would have ended by itself is ended
   * alone, since those who wait on are still in its hands.
   * @throws {Error} What `error` gives, for such a wait.
   */
  check(deadline: Deadline, error: () => Error): void {
    if (this.look() === undefined) return;
    if (deadline.isLimited) throw error();
    new WaitQueue(this.#queue).unpark(Infinity, ABANDONED);
  }

  /** Who is gone, if nobody is left who could end the wait. */
  look(): LostHolder | undefined {
    const holders = livingHolders(this.#id);
    const lost = readNote(this.#note);
    const loops = lost === undefined || holders === undefined ? undefined : this.#loopsOf(holders);
    if (loops?.length === 0) return lost;
    return this.#settle.hasSettled(lost?.died === true ? loops : undefined) ? lost : undefined;
  }

  /** Those of the holders that wait in their event loops; undefined if one of them does not wait, or for a time only. */
  #loopsOf(holders: readonly number[]): number[] | undefined {
    const waiting = new Map<number, "blocked" | "inLoop" | "limited">();
    forEachWaiting(({ slot, queue, inLoop, limited }) => {
      if (queue !== this.#queue || waiting.get(slot) === "limited") return;
      if (limited) waiting.set(slot, "limited");
      else if (!inLoop || !waiting.has(slot)) waiting.set(slot, inLoop ? "inLoop" : "blocked");
    });
    // This very wait, be it limited or not.
    waiting.set(selfSlot(), this.#blocking ? "blocked" : "inLoop");
    if (holders.some((slot) => (waiting.get(slot) ?? "limited") === "limited")) return undefined;
    return holders.filter((slot) => waiting.get(slot) === "inLoop");
  }
}

/** Tells when something has stood for SETTLE_MS, in which all the event loops that it depends on have turned. */
export class Settle {
  #seen: { readonly key: string; readonly at: number; readonly beats: readonly number[] } | undefined;

  /** @param loops The slots; undefined if it does not stand now. */
  hasSettled(loops: readonly number[] | undefined): boolean {
    if (loops === undefined) {
      this.#seen = undefined;
      return false;
    }
    const key = loops.join();
    const beats = loops.map((slot) => Atomics.load(arena().words, slotWord(slot) + Slot.beat));
    const now = performance.now();
    if (this.#seen?.key !== key) this.#seen = { key, at: now, beats };
    const { at, beats: before } = this.#seen;
    // Twice, since the first turn may have been due before.
    return now - at >= SETTLE_MS && beats.every((count, i) => ((count - (before[i] as number)) | 0) >= 2);
  }
}

/** Those who hold an object and live, the dead are swept; undefined while a reference to it is under way. */
export function livingHolders(id: number): number[] | undefined {
  const { slots, underWay } = holdersOf(id);
  const living = slots.filter(aliveOrSwept);
  return underWay ? undefined : living;
}

/** @param note The first word of the note. */
export function readNote(note: number): LostHolder | undefined {
  const { words } = arena();
  const pid = Atomics.load(words, note + Note.pid);
  return pid === 0 ? undefined : { pid, died: Atomics.load(words, note + Note.died) !== 0 };
}

export function clearNote(note: number): void {
  arena().words.fill(0, note, note + 2);
}

/** @param action What cannot be done: "wait for the condition". @param remedy What nobody could do: "notify". */
export function abandoned(action: string, remedy: string, lost: LostHolder | undefined): ProcessDiedError {
  const who = lost === undefined ? "a process died" : `process ${lost.pid} ${lost.died ? "died" : "ended"}`;
  return new ProcessDiedError(`Cannot ${action}: ${who}, and nobody is left who could ${remedy}`, { pid: lost?.pid });
}

function noteLoss({ slot, pid, ended }: SlotOwner): void {
  const { words } = arena();
  forEachCell((id) => {
    const at = NOTE_WORD.get(words[cellWord(id) + CellHeader.kind] as number);
    if (at === undefined || !isHolder(id, slot)) return;
    const note = payloadOffset(id) / 4 + at;
    if (ended && Atomics.load(words, note + Note.died) !== 0) return;
    Atomics.store(words, note + Note.died, ended ? 0 : 1);
    Atomics.store(words, note + Note.pid, pid);
  });
}

onSweep(noteLoss);
