/**
 * Waiters: a small record in shared memory for each blocked call or pending promise that waits in a WaitQueue.
 *
 * A process cuts its nodes from pages (cells of the kind `waiters`), so a sweeper finds the nodes of a dead process.
 *
 * | word | holds                                              | written by                          |
 * |------|----------------------------------------------------|-------------------------------------|
 * | 0    | state: IDLE, WAITING, WOKEN; blocked ones sleep on it | owner; wakers, holding the queue's lock |
 * | 1    | slot of the owner                                  | owner                               |
 * | 2    | how the owner waits, a Sleep                       | owner                               |
 * | 3    | the queue's first word, 0 when in none             | owner                               |
 * | 4, 5 | next and previous node in the queue                | who holds the queue's lock          |
 * | 6    | token: what the waker hands over                   | waker                               |
 * | 7    | data of the waiter, for wakers that choose         | owner                               |
 * | 8    | 1 when the wait may end by itself: it has a time-out or can be aborted | owner           |
 */

import {
  allocateCell,
  arena,
  type Cell,
  CellHeader,
  CellKind,
  cellWord,
  forEachCell,
  MAX_CELL_PAYLOAD,
  payloadOffset,
  selfSlot,
} from "../memory/index.ts";

export const Node = {
  state: 0,
  owner: 1,
  how: 2,
  queue: 3,
  next: 4,
  previous: 5,
  token: 6,
  data: 7,
  limited: 8,
} as const;
/** What a wait gives instead of a token: the time ran out, or it was given up. */
export const TIMED_OUT = -1;
/** How a waiter is to be woken: by its futex, by its doorbell, or not at all, since it looks by itself. */
export const Sleep = { futex: 0, loop: 1, looking: 2 } as const;
export const NodeState = { idle: 0, waiting: 1, woken: 2 } as const;

const NODE_WORDS = 16;
const NODES_PER_PAGE: number = Math.floor(MAX_CELL_PAYLOAD / (NODE_WORDS * 4));

const pages: Cell[] = [];
const free: number[] = [];

/** A node of this process, idle; an index into `words`. */
export function takeNode(how: number): number {
  const node = free.pop() ?? cutPage();
  const { words } = arena();
  words[node + Node.owner] = selfSlot();
  words[node + Node.how] = how;
  return node;
}

export function isWoken(node: number): boolean {
  return Atomics.load(arena().words, node + Node.state) === NodeState.woken;
}

/** Gives a node back that is in no queue any more. */
export function giveNode(node: number): void {
  const { words } = arena();
  Atomics.store(words, node + Node.queue, 0);
  Atomics.store(words, node + Node.state, NodeState.idle);
  free.push(node);
}

/** Calls back for every node of every process that waits or was woken; of one process only, if `owner` is given. */
export function forEachNode(visit: (node: number) => void, owner?: number): void {
  const { words } = arena();
  forEachCell((id) => {
    if (words[cellWord(id) + CellHeader.kind] !== CellKind.waiters) return;
    const first = payloadOffset(id) / 4;
    for (let node = first; node < first + NODES_PER_PAGE * NODE_WORDS; node += NODE_WORDS) {
      if (Atomics.load(words, node + Node.state) === NodeState.idle) continue;
      if (owner === undefined || words[node + Node.owner] === owner) visit(node);
    }
  });
}

function cutPage(): number {
  const page = allocateCell(MAX_CELL_PAYLOAD, CellKind.waiters);
  pages.push(page);
  for (let i = NODES_PER_PAGE - 1; i > 0; i--) free.push(page.word + i * NODE_WORDS);
  return page.word;
}
