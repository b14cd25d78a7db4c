/** The functions of a pool: sent once to each worker, and then named by a number. */

import { capture } from "../capture/index.ts";
import { encodeTo } from "../codec/index.ts";
import { HeapSink } from "../core/bytes.ts";

/** A function as it was at a call. */
export interface BookedFunction {
  /** 0 for one that holds handles: it travels with each task, since each message counts them. */
  readonly id: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The image, when the same object is given again as long as nothing has changed. */
  readonly image: object | undefined;
  /** Tasks that name it. */
  uses: number;
  isCurrent: boolean;
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
    const image = capture(fn, fn.name || "task");
    // A function that captures nothing has one image for ever.
    if (known !== undefined && known.image === image) return known;
    const bytes = withoutHandles(fn);
    if (bytes === undefined)
      return { id: 0, name: nameOf(fn), bytes: new Uint8Array(0), image: undefined, uses: 0, isCurrent: false };
    if (known !== undefined && Buffer.compare(known.bytes, bytes) === 0) return known;
    if (known !== undefined) this.#retire(known);
    const isSame = capture(fn, fn.name || "task") === image;
    const booked = {
      id: ++this.#made,
      name: nameOf(fn),
      bytes,
      image: isSame ? image : undefined,
      uses: 0,
      isCurrent: true,
    };
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

function nameOf(fn: Function): string {
  return fn.name || "an anonymous function";
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
