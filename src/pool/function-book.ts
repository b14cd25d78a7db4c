/** The functions of a pool: sent once to each worker, and then named by a number. */

import { constantImage } from "../capture/index.ts";
import { encodeTo } from "../codec/index.ts";
import { HeapSink } from "../core/bytes.ts";

/** A function as it was at a call. */
export interface BookedFunction {
  /** 0 for one that holds handles: it travels with each task, since each message counts them. */
  readonly id: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The image, if it is the same for ever. */
  readonly image: object | undefined;
  /** Tasks that name it. */
  uses: number;
  isCurrent: boolean;
  /** How long it takes for an item, lately, in milliseconds. */
  itemMs: number;
}

/** Before anything is known: long, so that tasks are spread over the workers. */
const UNKNOWN_MS = 1;
/** Weight of the newest of the tasks. */
const NEWEST = 1 / 16;

/** A task of the function has ended. */
export function learnTime(booked: BookedFunction, items: number, duration: number): void {
  const ms = duration / items;
  booked.itemMs = booked.itemMs === UNKNOWN_MS ? ms : booked.itemMs + (ms - booked.itemMs) * NEWEST;
}

export class FunctionBook {
  readonly #current = new WeakMap<Function, BookedFunction>();
  readonly #forget: (id: number) => void;
  readonly #collected: FinalizationRegistry<BookedFunction>;
  #made = 0;

  /** @param forget Called when a number is not used any more. */
  constructor(forget: (id: number) => void) {
    this.#forget = forget;
    this.#collected = new FinalizationRegistry((booked) => this.#retire(booked));
  }

  /**
   * The function as it is now; captured variables are read at every call.
   * @throws {SerializationError} If it cannot travel.
   */
  book(fn: Function): BookedFunction {
    const known = this.#current.get(fn);
    if (known?.image !== undefined && known.image === constantImage(fn)) return known;
    const bytes = withoutHandles(fn);
    if (bytes === undefined)
      return makeBooked(fn, { id: 0, bytes: new Uint8Array(0), image: undefined, isCurrent: false });
    if (known !== undefined && Buffer.compare(known.bytes, bytes) === 0) return known;
    if (known !== undefined) this.#retire(known);
    const booked = makeBooked(fn, { id: ++this.#made, bytes, image: constantImage(fn), isCurrent: true });
    this.#current.set(fn, booked);
    this.#collected.register(fn, booked);
    return booked;
  }

  /** A task that named it has ended. */
  release(booked: BookedFunction): void {
    booked.uses -= 1;
    if (booked.uses === 0 && !booked.isCurrent && booked.id !== 0) this.#forget(booked.id);
  }

  #retire(booked: BookedFunction): void {
    if (!booked.isCurrent) return;
    booked.isCurrent = false;
    if (booked.uses === 0) this.#forget(booked.id);
  }
}

function makeBooked(fn: Function, parts: Pick<BookedFunction, "id" | "bytes" | "image" | "isCurrent">): BookedFunction {
  return { ...parts, name: fn.name || "<anonymous>", uses: 0, itemMs: UNKNOWN_MS };
}

const sink = new HeapSink();

/** The bytes of a function; undefined if there are handles in it. */
function withoutHandles(fn: Function): Uint8Array | undefined {
  sink.position = 0;
  const taken = encodeTo(sink, fn, { root: fn.name || "task" });
  if (taken === undefined) return sink.take();
  for (const transfer of taken.transfers) transfer.abort?.();
  return undefined;
}
