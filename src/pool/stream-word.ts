/**
 * The word of a stream: how far its consumer is. One of a table in the worker's cell, with a place for each task that the worker
 * can have in hand.
 *
 * The worker takes a free one when a generator begins to stream, and names it to the pool. From then on the pool alone writes it:
 * how many items were consumed, that nobody wants more, and that it is free again, which is when it has read how the task ended.
 */

/** Streamed items that may be under way to their consumer. */
export const STREAM_WINDOW = 64;

/** No stream has it. */
export const FREE = 0;
/** Nobody wants more. */
export const UNWANTED: number = -1;
/** Nothing was consumed yet. */
export const NONE_CONSUMED = 1;

/** Counts go round before they would be negative. */
const COUNT_MASK = 2 ** 30 - 1;

/** @param consumed How many items were consumed. */
export function consumedWord(consumed: number): number {
  return NONE_CONSUMED + (consumed & COUNT_MASK);
}

/** How many items are on their way. @param sent How many were sent. @param word What the word holds, if it is a count. */
export function itemsAhead(sent: number, word: number): number {
  return (sent - (word - NONE_CONSUMED)) & COUNT_MASK;
}
