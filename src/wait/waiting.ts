/** Who waits where, as others see it. */

import { arena } from "../memory/index.ts";
import { forEachNode, Node, NodeState, Sleep } from "./waiter-nodes.ts";

/** A wait that has not been answered yet. */
export interface Waiting {
  /** The process, by its slot. */
  readonly slot: number;
  /** The first word of the queue it waits in. */
  readonly queue: number;
  /** True: a promise, and the rest of the process goes on. False: its thread is blocked. */
  readonly inLoop: boolean;
  /** It has a time-out or can be aborted. */
  readonly limited: boolean;
  /** What it gave as `data`. */
  readonly data: number;
}

/**
 * Calls back for each wait of each process. Nothing is locked meanwhile: what it gives was true a moment ago, each for itself.
 */
export function forEachWaiting(visit: (waiting: Waiting) => void): void {
  const { words } = arena();
  forEachNode((node) => {
    const slot = words[node + Node.owner] as number;
    const queue = words[node + Node.queue] as number;
    const inLoop = words[node + Node.how] !== Sleep.futex;
    const limited = words[node + Node.limited] !== 0;
    const data = words[node + Node.data] as number;
    // Last, so that a node which was taken and filled meanwhile is not seen half.
    if (Atomics.load(words, node + Node.state) === NodeState.waiting && queue !== 0) {
      visit({ slot, queue, inLoop, limited, data });
    }
  });
}
