/** What all synchronization objects have in common: a cell in shared memory, and travelling as a handle of it. */

import { StateError } from "../core/errors.ts";
import { type HandleTransfer, registerHandle } from "../core/handle.ts";
import {
  allocateCell,
  arena,
  type BlockRef,
  type Cell,
  forgetObject,
  knownObject,
  openCell,
  rememberObject,
  retractRef,
} from "../memory/index.ts";

/** Kinds of cells, for sweepers. */
export const SyncKind = { lock: 16, semaphore: 17, condition: 18, event: 19, barrier: 20 } as const;

/** Where objects of a kind keep the note of a lost holder (abandonment.ts): a word of the payload, and the one after it. */
export const NOTE_WORD: ReadonlyMap<number, number> = new Map([
  [SyncKind.semaphore, 25],
  [SyncKind.condition, 4],
  [SyncKind.event, 2],
  [SyncKind.barrier, 11],
]);

/** Stands in the place of a constructor's arguments when a handle arrives. */
export class Existing {
  readonly cell: Cell;
  readonly options: unknown;

  constructor(cell: Cell, options: unknown) {
    this.cell = cell;
    this.options = options;
  }
}

interface Transferred {
  readonly ref: BlockRef;
  readonly options: unknown;
}

/** The base of Lock, Semaphore and so on. */
export abstract class Primitive {
  protected readonly cell: Cell;
  protected readonly words: Int32Array = arena().words;
  /** Index into `words` of the first word of the object. */
  protected readonly word: number;
  #closed = false;

  constructor(existing: Existing | undefined, byteLength: number, kind: number) {
    this.cell = existing?.cell ?? allocateCell(byteLength, kind);
    this.word = this.cell.word;
    rememberObject(this.cell.id, this);
  }

  /** Lets go of the shared memory, which is freed when no process holds it any more. Repeatable. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    forgetObject(this.cell.id, this);
    this.cell.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  protected checkOpen(): void {
    if (this.#closed) throw new StateError(`Cannot use this ${this.constructor.name}: it is closed`);
  }

  /** What a message carries. @param options A plain value, or handles, for the constructor there. */
  protected transfer(tag: string, options: unknown): HandleTransfer {
    this.checkOpen();
    const ref = this.cell.refer();
    const data: Transferred = { ref, options };
    return { tag, data, abort: () => retractRef(ref) };
  }
}

/** Registers a class under a tag. @param make Calls its constructor with what exists. */
export function registerPrimitive(tag: string, make: (existing: Existing) => object): void {
  registerHandle(tag, ({ ref, options }: Transferred) => {
    const cell = openCell(ref);
    const known = knownObject(ref.id);
    if (known === undefined) return make(new Existing(cell, options));
    // This process has the object already, which holds the cell itself.
    cell.release();
    return known;
  });
}
