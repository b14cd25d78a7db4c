/**
 * A stack of free blocks, shared by all processes, without a lock: a process that is killed in the middle of an operation
 * can lose one block but never blocks the others.
 *
 * Source: R. K. Treiber, "Systems Programming: Coping with Parallelism" (1986). The head holds the block's number in its low
 * 32 bits and, against the ABA problem, a count of operations in its high 32 bits. Block 0 does not exist and means empty.
 */

import { arena } from "./arena.ts";

const LOW = 0xffff_ffffn;

/** @param head Index into `longs`. @param linkOf Index into `words` of the word of a block that holds the next one. */
export function pushFree(head: number, block: number, linkOf: (block: number) => number): void {
  const { longs, words } = arena();
  for (;;) {
    const old = Atomics.load(longs, head);
    Atomics.store(words, linkOf(block), Number(old & LOW));
    if (Atomics.compareExchange(longs, head, old, tagged(old, block)) === old) return;
  }
}

/** Takes a block, or gives 0 when there is none. */
export function popFree(head: number, linkOf: (block: number) => number): number {
  const { longs, words } = arena();
  for (;;) {
    const old = Atomics.load(longs, head);
    const block = Number(old & LOW);
    if (block === 0) return 0;
    // The block may be taken and used by others meanwhile; then this reads rubbish, and the exchange fails on the count.
    const next = Atomics.load(words, linkOf(block));
    if (Atomics.compareExchange(longs, head, old, tagged(old, next)) === old) return block;
  }
}

function tagged(old: bigint, block: number): bigint {
  return BigInt.asIntN(64, (((old >> 32n) + 1n) << 32n) | BigInt(block >>> 0));
}
