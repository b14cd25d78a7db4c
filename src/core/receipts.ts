/**
 * Receipts: each reference that is taken out of a message is counted, once it can be seen who has it now.
 *
 * Somebody who dies in the middle of a message has counted some of its references and not the others, and nobody can tell which.
 * For what a child is started with this is decided by a ticket, a shared word: the child reads all, and counts all of it after it has
 * marked the ticket; a parent whose child has died without a mark takes all references back.
 */

/** States of a ticket. */
export const Ticket = { open: 0, received: 1, withdrawn: 2 } as const;

interface Receipt {
  readonly words: Int32Array;
  readonly index: number;
}

let pending: Receipt[] | undefined;
let mark: ((ticket: number) => void) | undefined;

/** Says how a ticket is marked; by who knows the shared memory, which is loaded when there are handles. */
export function provideTickets(markTicket: (ticket: number) => void): void {
  mark = markTicket;
}

/** Counts one more reference as received: now, or, in `receiveAtOnce`, when all have been read. */
export function countReceipt(words: Int32Array, index: number): void {
  if (pending === undefined) Atomics.add(words, index, 1);
  else pending.push({ words, index });
}

/** Reads a message; its references are received at once, or, if reading fails or this process dies, not at all. */
export function receiveAtOnce<R>(ticket: number, read: () => R): R {
  const receipts: Receipt[] = (pending = []);
  let value: R;
  try {
    value = read();
  } finally {
    pending = undefined;
  }
  mark?.(ticket);
  for (const { words, index } of receipts) Atomics.add(words, index, 1);
  return value;
}
