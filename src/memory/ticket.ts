/** Tickets (core/receipts.ts) in shared memory: whether a child has received what it was started with. */

import { provideTickets, Ticket } from "../core/receipts.ts";
import { arena } from "./arena.ts";
import { allocateCell, type Cell } from "./block.ts";

const TICKET_BYTES = 4;

/** A ticket of the sender; `word` is what the receiver must know. Released by `withdraw`. */
export function makeTicket(): Cell {
  return allocateCell(TICKET_BYTES);
}

/** The receiver is dead. @returns true if it has received nothing, and never will: the sender must take its references back. */
export function withdraw(ticket: Cell): boolean {
  const found = Atomics.compareExchange(arena().words, ticket.word, Ticket.open, Ticket.withdrawn);
  ticket.release();
  return found === Ticket.open;
}

provideTickets((word) => void Atomics.store(arena().words, word, Ticket.received));
