/** What a part of the soak is, and what it works with. Types only. */

import type { Random } from "../helpers/random.ts";

/** One part of the library under load. All parts work at the same time, lap after lap. */
export interface Part {
  readonly name: string;
  /** What is checked, for the report. */
  readonly guarantee: string;
  /**
   * Works until the lap is over, then accounts for all that it did. What it made it lets go, but for what lives over all laps
   * (a pool, a manager), which must stay as large as it was.
   * @throws If a guarantee is broken.
   */
  lap(lap: Lap): Promise<void>;
  /** Ends what lives over all laps. */
  end?(): Promise<void>;
  /** Processes that live over all laps, and whose memory must stay flat. */
  residents?(): number[];
}

export interface Lap {
  readonly random: Random;
  /** True when the time is up: begin nothing any more, and account. */
  readonly over: boolean;
  /** Gives the killer processes to choose from: what the function gives when it is asked. */
  expose(pids: () => readonly (number | undefined)[]): void;
  /** True if the killer has sent its signal to that process. */
  wasKilled(pid: number | undefined): boolean;
  /** How many of this part's processes the killer has killed in this lap. */
  readonly kills: number;
  /** Adds to a count of the report. */
  count(what: string, amount?: number): void;
}
