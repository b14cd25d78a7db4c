/** The soak: all parts at once, lap after lap, under random kills; between laps all is counted. */

import { setTimeout as sleep } from "node:timers/promises";
import { deadlocks } from "../../src/index.ts";
import { Random } from "../helpers/random.ts";
import { type Growth, growthOf } from "./flatness.ts";
import { Killer, type Victims } from "./killer.ts";
import { markChildren } from "./marked-processes.ts";
import type { Lap, Part } from "./part.ts";
import { type Sample, takeSample } from "./sample.ts";

/** Far more than any accounting takes; a part that is not done by then hangs. */
const PATIENCE_MS = 120_000;

export interface SoakOptions {
  readonly minutes: number;
  readonly lapSeconds: number;
  readonly seed: number;
  readonly parts: readonly Part[];
  readonly log: (line: string) => void;
}

export interface PartReport {
  readonly name: string;
  readonly guarantee: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly kills: number;
}

export interface SoakReport {
  readonly seed: number;
  readonly minutes: number;
  readonly laps: number;
  readonly parts: readonly PartReport[];
  readonly samples: readonly Sample[];
  readonly growth: readonly Growth[];
  readonly failures: readonly string[];
}

export async function soak({ minutes, lapSeconds, seed, parts, log }: SoakOptions): Promise<SoakReport> {
  markChildren();
  const began = Date.now();
  const until = began + minutes * 60_000;
  const killer = new Killer(new Random(seed));
  const tallies = parts.map((part, i) => new Tally(part, new Random(seed + 1 + i), killer));
  const samples: Sample[] = [];
  const failures: string[] = [];
  let laps = 0;
  while (Date.now() < until && failures.length === 0) {
    const end = Math.min(until, Date.now() + lapSeconds * 1000);
    const working = tallies.map((tally) =>
      tally.lap(end).catch((error: unknown) => void failures.push(textOf(tally, error))),
    );
    await Promise.all([...working, killer.work(tallies, end)]);
    laps += 1;
    const kills = tallies.reduce((sum, tally) => sum + tally.totalKills, 0);
    samples.push(
      await takeSample(
        began,
        kills,
        parts.flatMap((part) => part.residents?.() ?? []),
      ),
    );
    log(lineOf(samples.at(-1) as Sample));
  }
  for (const part of parts) await part.end?.();
  const growth = growthOf(samples);
  for (const { figure, first, last, allowed } of growth.filter(({ isFlat }) => !isFlat)) {
    failures.push(
      `${figure} grows: ${first.toFixed(1)}, later ${last.toFixed(1)}; ${allowed.toFixed(1)} more is allowed`,
    );
  }
  return { seed, minutes, laps, parts: tallies.map((tally) => tally.report()), samples, growth, failures };
}

function textOf(tally: Tally, error: unknown): string {
  return `${tally.part}: ${error instanceof Error ? error.stack : String(error)}`;
}

/** A part at work: its random numbers, its victims, its counts. */
class Tally implements Victims {
  readonly part: string;
  candidates: (() => readonly (number | undefined)[])[] = [];
  /** In this lap. */
  kills = 0;
  totalKills = 0;
  readonly #part: Part;
  readonly #random: Random;
  readonly #killer: Killer;
  readonly #counts: Record<string, number> = {};

  constructor(part: Part, random: Random, killer: Killer) {
    this.part = part.name;
    this.#part = part;
    this.#random = random;
    this.#killer = killer;
  }

  async lap(end: number): Promise<void> {
    this.candidates = [];
    this.kills = 0;
    const giveUp = new AbortController();
    const work = this.#part.lap(this.#lapUntil(end)).finally(() => giveUp.abort());
    try {
      await Promise.race([work, this.#complainAfter(end - Date.now() + PATIENCE_MS, giveUp.signal)]);
    } finally {
      this.totalKills += this.kills;
    }
  }

  report(): PartReport {
    const { name, guarantee } = this.#part;
    return { name, guarantee, counts: this.#counts, kills: this.totalKills };
  }

  #lapUntil(end: number): Lap {
    const killer = this.#killer;
    const tally = this as Tally;
    return {
      random: this.#random,
      get over() {
        return Date.now() >= end;
      },
      get kills() {
        return tally.kills;
      },
      expose: (pids) => void tally.candidates.push(pids),
      wasKilled: (pid) => pid !== undefined && killer.wasKilled(pid),
      count: (what, amount = 1) => void (tally.#counts[what] = (tally.#counts[what] ?? 0) + amount),
    };
  }

  async #complainAfter(milliseconds: number, signal: AbortSignal): Promise<void> {
    await sleep(milliseconds, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    throw new Error(`does not come to its end; deadlocks: ${JSON.stringify(await deadlocks())}`);
  }
}

function lineOf(sample: Sample): string {
  return Object.entries(sample)
    .map(([name, value]) => `${name} ${Number((value as number).toFixed(1))}`)
    .join("  ");
}
