/** How far a call is: counts for a callback, or a bar on a terminal. */

import type { MultiBar, Options, Params } from "cli-progress";
import { typeError } from "../core/options.ts";
import { performance } from "../core/timers.ts";
import { callBack } from "./callbacks.ts";

/** How far a call is. */
export interface Progress {
  /** Items that have ended, also with an error. */
  readonly done: number;
  /** undefined as long as nobody knows (an input of unknown length). */
  readonly total: number | undefined;
  /** Items a second so far. */
  readonly rate: number;
  /** Milliseconds left at that rate; undefined as long as the total is. */
  readonly eta: number | undefined;
}

/** `true` draws a bar on standard error, if that is a terminal. */
export type ProgressOption = boolean | ((progress: Progress) => unknown);

export function checkProgress(progress: unknown): asserts progress is ProgressOption | undefined {
  if (progress === undefined || typeof progress === "boolean" || typeof progress === "function") return;
  throw typeError("options.progress", "true, false or a function", progress);
}

interface Bar {
  setTotal(total: number): void;
  update(done: number): void;
  stop(): void;
}

/** A bar is drawn this often at most. */
const FRAME_MS = 50;
const BAR = "{name} {bar} {percentage}% | {value}/{total} | {eta_formatted} left";
const COUNT = "{name} {value} done | {duration_formatted}";

/** Counts the items of one call. */
export class ProgressReporter {
  readonly #tell: ((progress: Progress) => unknown) | undefined;
  readonly #startedAt = performance.now();
  readonly #bar: { bar?: Bar; isOver: boolean } | undefined;
  #total: number | undefined;
  #done = 0;
  #drawnAt = 0;

  constructor(option: ProgressOption | undefined, total: number | undefined, name: string) {
    this.#total = total;
    this.#tell = typeof option === "function" ? option : undefined;
    if (option === true && process.stderr.isTTY) {
      this.#bar = { isOver: false };
      void openBar(name, this.#bar, total);
    }
    if (total === 0) this.#report();
  }

  /** True when nobody wants to know. */
  get isSilent(): boolean {
    return this.#tell === undefined && this.#bar === undefined;
  }

  advance(items: number): void {
    if (this.isSilent) return;
    this.#done += items;
    this.#report();
  }

  /** The input has ended: now the total is known. */
  setTotal(total: number): void {
    if (this.#total === total) return;
    this.#total = total;
    if (this.isSilent) return;
    this.#bar?.bar?.setTotal(total);
    if (this.#done === total) this.#report();
  }

  /** The call has ended. */
  end(): void {
    if (this.#bar === undefined || this.#bar.isOver) return;
    this.#bar.isOver = true;
    this.#bar.bar?.update(this.#done);
    this.#bar.bar?.stop();
  }

  #report(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    const rate = seconds > 0 ? this.#done / seconds : 0;
    const total = this.#total;
    const eta = total === undefined || rate === 0 ? undefined : ((total - this.#done) / rate) * 1000;
    callBack("progress", this.#tell, { done: this.#done, total, rate, eta });
    const now = performance.now();
    if (this.#bar?.bar !== undefined && now - this.#drawnAt >= FRAME_MS) {
      this.#drawnAt = now;
      this.#bar.bar.update(this.#done);
    }
  }
}

/** All bars of a program stand below each other. */
let bars: MultiBar | undefined;
let open = 0;

async function openBar(name: string, holder: { bar?: Bar; isOver: boolean }, total: number | undefined): Promise<void> {
  const { Format, MultiBar, Presets } = (await import("cli-progress")).default;
  if (holder.isOver) return;
  // As long as nobody knows the total there is nothing to draw a part of.
  const format = (options: Options, params: Params, payload: object): string =>
    Format.Formatter({ ...options, format: params.total === 0 ? COUNT : BAR }, params, payload);
  bars ??= new MultiBar({ format, hideCursor: true, clearOnComplete: false }, Presets.shades_classic);
  open += 1;
  const bar = bars.create(total ?? 0, 0, { name });
  holder.bar = {
    setTotal: (known) => bar.setTotal(known),
    update: (done) => bar.update(done),
    stop: () => {
      bar.stop();
      if (--open > 0) return;
      bars?.stop();
      bars = undefined;
    },
  };
}
