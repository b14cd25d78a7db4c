/** What has come of the items of an imap, in the order in which its consumer gets it. */

import { mapStack } from "../capture/index.ts";
import { decodeError } from "../codec/index.ts";
import type { Task } from "./task.ts";

/** What `next` gives or rejects with, or the end of a chunk that came bit by bit. `stream`: the task of such a chunk. */
export type Settled =
  | { readonly ok: true; readonly value: unknown; readonly stream?: Task; readonly isItem?: true }
  | { readonly ok: false; readonly error: unknown; readonly stream?: Task; readonly isItem?: undefined }
  | { readonly ok: undefined; readonly stream: Task };

/** What has come of a chunk that is not the next one to deliver. */
interface Chunk {
  readonly list: Settled[];
  ended: boolean;
}

export class OutcomeOrder {
  readonly #isOrdered: boolean;
  readonly #chunks = new Map<number, Chunk>();
  readonly #ready: Settled[] = [];
  #head = 0;
  #nextChunk = 0;

  /** @param isOrdered By the index of the chunk; otherwise as it comes. */
  constructor(isOrdered: boolean) {
    this.#isOrdered = isOrdered;
  }

  /** True when there is nothing to deliver now. */
  get isEmpty(): boolean {
    return this.#ready.length === 0;
  }

  /** Something has come of a chunk. */
  add(index: number, outcomes: readonly Settled[], isEnd: boolean): void {
    if (!this.#isOrdered) return append(this.#ready, outcomes);
    const chunk = this.#chunks.get(index);
    if (chunk === undefined) this.#chunks.set(index, { list: [...outcomes], ended: isEnd });
    else {
      append(chunk.list, outcomes);
      chunk.ended = isEnd;
    }
    this.#flush();
  }

  /** Takes out the next to deliver. */
  shift(): Settled | undefined {
    const outcome = this.#ready[this.#head];
    if (outcome === undefined) return undefined;
    this.#ready[this.#head++] = undefined as never;
    if (this.#head === this.#ready.length) {
      this.#ready.length = 0;
      this.#head = 0;
    }
    return outcome;
  }

  clear(): void {
    this.#chunks.clear();
    this.#ready.length = 0;
    this.#head = 0;
  }

  /** What has come of the next chunk is ready; of the one after it, when that has ended. */
  #flush(): void {
    for (let chunk = this.#chunks.get(this.#nextChunk); chunk !== undefined;) {
      append(this.#ready, chunk.list);
      chunk.list.length = 0;
      if (!chunk.ended) break;
      this.#chunks.delete(this.#nextChunk++);
      chunk = this.#chunks.get(this.#nextChunk);
    }
  }
}

/** Not by `push(...outcomes)`: the stack holds some 100,000 arguments. */
function append(list: Settled[], outcomes: readonly Settled[]): void {
  for (const outcome of outcomes) list.push(outcome);
}

/** The outcomes of a chunk as they stand in its message. */
export function settledOf(outcomes: unknown, stream: Task | undefined): Settled[] {
  return (outcomes as [boolean, unknown][]).map(([ok, each]) => {
    const settled = ok
      ? ({ ok, value: each } as const)
      : ({ ok, error: decodeError(each as Uint8Array, mapStack) } as const);
    return stream === undefined ? settled : { ...settled, stream };
  });
}
