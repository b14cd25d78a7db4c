/**
 * The words of a lock, and the texts among them.
 *
 * | word  | holds                                                                | written by            |
 * |-------|----------------------------------------------------------------------|-----------------------|
 * | 0     | 0 when free; owner's slot + 1, with DIED if the one before died;     | acquirers, releasers, |
 * |       | DIED alone when free after a death                                   | sweepers              |
 * | 1     | how many times its owner holds it                                    | owner                 |
 * | 2     | flags: REENTRANT, DETECT                                             | who makes it          |
 * | 3     | turn: how often it was released, so that two holds can be told apart | releasers             |
 * | 4–7   | the wait queue                                                       | see WaitQueue         |
 * | 8     | the turn that the acquisition site belongs to, + 1                   | owner                 |
 * | 9     | bytes of the name                                                    | who makes it          |
 * | 10    | bytes of the site                                                    | owner                 |
 * | 16–31 | the name, UTF-8                                                      | who makes it          |
 * | 32–79 | where the owner acquired it: `file:line:column`, UTF-8               | owner                 |
 */

import { arena } from "../memory/index.ts";

export const LockField = { owner: 0, count: 1, flags: 2, turn: 3, queue: 4, waiting: 7, siteTurn: 8 } as const;
export const LOCK_BYTES = 320;
export const OWNER_MASK = 0xffff;
/** In a waiter's data, beside the time: should the wait be part of a deadlock, it may be ended. */
export const GIVES_WAY: number = 1 << 30;
export const LockFlag = { reentrant: 1, detect: 2 } as const;

const NAME = { bytes: 9, text: 16, limit: 64 } as const;
const SITE = { bytes: 10, text: 32, limit: 192 } as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Gives a lock its name; what does not fit is left out. */
export function writeName(word: number, name: string): void {
  writeText(word, NAME, name);
}

/** The name of a lock; empty if it has none. */
export function readName(word: number): string {
  return readText(word, NAME);
}

/** Says where the lock, which this process holds, was acquired. Of a long path the end is kept. */
export function writeSite(word: number, site: string): void {
  const { words } = arena();
  // Not valid while it is being written.
  Atomics.store(words, word + LockField.siteTurn, 0);
  writeText(word, SITE, site.length <= SITE.limit ? site : `…${site.slice(-SITE.limit / 2)}`);
  Atomics.store(words, word + LockField.siteTurn, ((words[word + LockField.turn] as number) + 1) | 0);
}

/** Where the present owner acquired it; undefined when that was not recorded. */
export function readSite(word: number): string | undefined {
  const { words } = arena();
  const turn = Atomics.load(words, word + LockField.turn);
  const recorded = (): boolean => Atomics.load(words, word + LockField.siteTurn) === ((turn + 1) | 0);
  if (!recorded()) return undefined;
  const site = readText(word, SITE);
  return recorded() && Atomics.load(words, word + LockField.turn) === turn ? site : undefined;
}

function writeText(word: number, field: typeof NAME | typeof SITE, text: string): void {
  const { words, bytes } = arena();
  const start = (word + field.text) * 4;
  words[word + field.bytes] = encoder.encodeInto(text, bytes.subarray(start, start + field.limit)).written;
}

function readText(word: number, field: typeof NAME | typeof SITE): string {
  const { words, bytes } = arena();
  const start = (word + field.text) * 4;
  return decoder.decode(bytes.slice(start, start + (words[word + field.bytes] as number)));
}
