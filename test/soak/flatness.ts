/** Whether what the program uses stays the same: two windows of samples after a warm-up are compared. */

import type { Sample } from "./sample.ts";

/** The part of a run that is not looked at: caches fill, V8 sizes its heap. */
const WARM_UP = 1 / 3;
/** With fewer samples there are no windows to compare. */
const LEAST_SAMPLES = 9;

/**
 * What of a window is compared. Memory that was freed goes back to the system in large pieces and at odd times, so what a process has
 * is a saw, of which the tips tell whether it grows.
 */
type Statistic = (values: number[]) => number;

/** How much more the last window may have than the first, in the unit of the figure and as a share of it. */
const MAY_GROW: Readonly<Record<string, readonly [statistic: Statistic, amount: number, share: number]>> = {
  ownMB: [most, 16, 0.1],
  heapMB: [median, 4, 0.1],
  residentMB: [most, 16, 0.1],
  descriptors: [median, 4, 0],
  cells: [median, 16, 0],
  extents: [median, 8, 0],
  arenaMB: [most, 16, 0.1],
  slots: [median, 4, 0],
  processes: [median, 4, 0],
};

export interface Growth {
  readonly figure: string;
  readonly first: number;
  readonly last: number;
  readonly allowed: number;
  readonly isFlat: boolean;
}

export function growthOf(samples: readonly Sample[]): Growth[] {
  if (samples.length < LEAST_SAMPLES) return [];
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const half = Math.floor(warm.length / 2);
  return Object.entries(MAY_GROW).map(([figure, [statistic, amount, share]]) => {
    const [first, last] = [warm.slice(0, half), warm.slice(-half)].map((window) =>
      statistic(window.map((sample) => sample[figure as keyof Sample])),
    ) as [number, number];
    const allowed = Math.max(amount, first * share);
    return { figure, first, last, allowed, isFlat: last - first <= allowed };
  });
}

function most(values: number[]): number {
  return Math.max(...values);
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
