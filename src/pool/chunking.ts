/** How items are packed into tasks. */

/** As CPython: four chunks for each worker. */
export function defaultChunkSize(items: number, workers: number): number {
  return Math.max(1, Math.ceil(items / (4 * workers)));
}

/** Where the chunks start. */
export function chunkCount(items: number, chunkSize: number): number {
  return Math.ceil(items / chunkSize);
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

  /** @param duration Of a chunk of `items`, in milliseconds. At most doubles or halves: one slow item says little. */
  measured(items: number, duration: number): void {
    const fit = (TARGET_MS / Math.max(duration, 1e-6)) * items;
    const next = Math.min(2 * items, Math.max(items / 2, fit));
    this.#size = Math.max(1, Math.min(MAX_CHUNK, Math.floor(next)));
  }
}
