/** Bytes that are told from others of the same length: a different sequence for each seed. */

import { Random } from "./random.ts";

export function noise(byteLength: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(byteLength / 4));
  const random = new Random(seed);
  // Distinct positions are distinct by the counter; a whole random sequence would take seconds.
  const step = (random.below(2 ** 31) * 2 + 1) | 0;
  for (let i = 0, word = random.below(2 ** 32); i < words.length; i++) words[i] = word = (word + step) | 0;
  return new Uint8Array(words.buffer, 0, byteLength);
}

/** Sizes around each of these, where one way of sending gives way to another, and some in between. */
export function sizesAround(thresholds: readonly number[], random: Random, others: number): number[] {
  const near = thresholds.flatMap((size) => [size - 17, size - 8, size - 1, size, size + 1, size + 40]);
  const largest = Math.max(...thresholds);
  return [...near, ...Array.from({ length: others }, () => 1 + Math.floor(largest ** random.next()))];
}
