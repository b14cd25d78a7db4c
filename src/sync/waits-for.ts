/**
 * The waits-for graph: which process waits for what another one holds, read out of the locks and wait queues as they are.
 *
 * Nothing is locked for it, so one reading may show what never was at one time. What stands in two readings, one after the
 * other, with the same turns of the locks in between, was there between them: nobody can have got what he waited for.
 *
 * An edge is *firm* if the waiting thread is blocked: whatever its process holds, stays held. A promise that waits leaves the
 * other tasks of its process running, and locks do not know tasks: one of those may be the holder and let go.
 */

import { arena, CellHeader, cellWord, forEachCell, payloadOffset, slotGeneration } from "../memory/index.ts";
import { forEachWaiting } from "../wait/index.ts";
import { LockField, LockFlag, OWNER_MASK } from "./lock-layout.ts";
import { SemaphoreWord, soleHolder } from "./permit-holders.ts";
import { SyncKind } from "./primitive.ts";

/** Something that one process holds at a time: a Lock, an RLock, a BoundedSemaphore of one permit. */
export interface Resource {
  readonly id: number;
  /** Index of its first word. */
  readonly word: number;
  readonly kind: "Lock" | "RLock" | "BoundedSemaphore";
}

/** A process waits for what another one (or itself) holds. */
export interface Edge {
  readonly slot: number;
  readonly generation: number;
  readonly resource: Resource;
  readonly firm: boolean;
  /** When it began to wait, on the clock of the lock, with GIVES_WAY. */
  readonly since: number;
  /** Who holds it. */
  readonly holder: number;
  /** How often it was released before: tells this hold from the next one. */
  readonly turn: number;
}

/** One reading of the graph. */
export class WaitsFor {
  readonly #edges = new Map<number, Edge[]>();

  constructor() {
    const resources = readResources();
    forEachWaiting(({ slot, queue, inLoop, data }) => {
      const resource = resources.get(queue);
      if (resource !== undefined) this.#add(edge(slot, resource, !inLoop, data));
    });
  }

  #add(found: Edge | undefined): void {
    if (found === undefined) return;
    const list = this.#edges.get(found.slot);
    if (list === undefined) this.#edges.set(found.slot, [found]);
    else list.push(found);
  }

  /** The processes that wait. */
  slots(): Iterable<number> {
    return this.#edges.keys();
  }

  /** What a process waits for. */
  from(slot: number): readonly Edge[] {
    return this.#edges.get(slot) ?? [];
  }

  /** Whether this reading shows the very same wait for the very same hold. */
  has(one: Edge): boolean {
    return this.from(one.slot).some((other) => sameEdge(one, other));
  }
}

/** The edge of a wait; undefined if nobody holds it, or if it may be a task of the same process. */
export function edge(slot: number, resource: Resource, firm: boolean, since: number): Edge | undefined {
  const turn = turnOf(resource);
  const holder = holderOf(resource);
  if (holder === undefined || (holder === slot && !firm) || turnOf(resource) !== turn) return undefined;
  return { slot, generation: slotGeneration(slot), resource, firm, since, holder, turn };
}

export function sameEdge(one: Edge, other: Edge): boolean {
  return keyOf(one) === keyOf(other);
}

/** Tells an edge from all others, also later ones. */
export function keyOf({ slot, generation, resource, since, holder, turn }: Edge): string {
  return [slot, generation, resource.id, since, holder, turn].join(":");
}

/** The lock in a cell. */
export function lockResource(id: number): Resource {
  const word = payloadOffset(id) / 4;
  const flags = arena().words[word + LockField.flags] as number;
  return { id, word, kind: (flags & LockFlag.reentrant) === 0 ? "Lock" : "RLock" };
}

/** By the word of their wait queue. */
function readResources(): Map<number, Resource> {
  const { words } = arena();
  const resources = new Map<number, Resource>();
  forEachCell((id) => {
    const kind = words[cellWord(id) + CellHeader.kind];
    const word = payloadOffset(id) / 4;
    if (kind === SyncKind.lock) {
      // Most locks are waited for by nobody.
      if (words[word + LockField.waiting] !== 0) resources.set(word + LockField.queue, lockResource(id));
    } else if (kind === SyncKind.semaphore && words[word + SemaphoreWord.limit] === 1) {
      resources.set(word + SemaphoreWord.queue, { id, word, kind: "BoundedSemaphore" });
    }
  });
  return resources;
}

function holderOf({ kind, word }: Resource): number | undefined {
  const { words } = arena();
  if (kind === "BoundedSemaphore") return soleHolder(words, word);
  const owner = Atomics.load(words, word + LockField.owner) & OWNER_MASK;
  return owner === 0 ? undefined : owner - 1;
}

function turnOf({ kind, word }: Resource): number {
  return Atomics.load(arena().words, word + (kind === "BoundedSemaphore" ? SemaphoreWord.turn : LockField.turn));
}
