/** How items are packed into tasks. */

/** As CPython: four chunks for each worker. */
export function defaultChunkSize(items: number, workers: number): number {
  return Math.max(1, Math.ceil(items / (4 * workers)));
}

/** A chunk shall take about this long: far above what a message costs, far below what a consumer notices. */
const TARGET_MS = 2;
const MAX_CHUNK = 1024;

/** The chunk size of an `imap` that was given none: from 1 up, by the time that items take. */
export class AdaptiveChunk {
  #size = 1;

  get size(): number {
    return this.#size;
  }

  /**
   * At most doubles or halves: one slow item says little.
   * @param duration Of a chunk of `items`, in milliseconds. @param mayGrow False when the consumer does not wait for more.
   */
  measured(items: number, duration: number, mayGrow: boolean): void {
    const fit = (TARGET_MS / Math.max(duration, 1e-6)) * items;
    const next = Math.max(1, Math.min(MAX_CHUNK, Math.floor(Math.min(2 * items, Math.max(items / 2, fit)))));
    if (mayGrow || next < this.#size) this.#size = next;
  }
}
