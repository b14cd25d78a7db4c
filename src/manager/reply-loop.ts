/**
 * Reads replies in the event loop, for promises: it looks for them a few turns long, as many as have paid lately, then sleeps until the
 * doorbell rings. While something is waited for it keeps the program alive, and asks now and then whether the server lives.
 */

import { clearInterval, setImmediate, setInterval } from "../core/timers.ts";
import { keepEventLoop, releaseEventLoop, SLICE_MS } from "../wait/index.ts";
import { Sleep } from "./link-memory.ts";
import type { RequestLine } from "./request-line.ts";

/** Turns of the event loop in which it looks for replies before it sleeps. */
const MAX_TURNS = 64;

/** The client that replies are read for. */
export interface ReplyTaker {
  /** True while calls wait for their reply. */
  readonly isWaiting: boolean;
  /** Takes all replies that are there. @returns false when there was none. */
  takeReplies(): boolean;
  /** Fails what waits if the server is dead. */
  checkServer(): void;
}

export class ReplyLoop {
  readonly #line: RequestLine;
  readonly #taker: ReplyTaker;
  #turns = 16;
  #polling = false;
  #keeping = false;
  #slices: NodeJS.Timeout | undefined;

  constructor(line: RequestLine, taker: ReplyTaker) {
    this.#line = line;
    this.#taker = taker;
  }

  /** How the client sleeps just now, outside of blocking calls. */
  get sleep(): number {
    return this.#polling ? Sleep.awake : Sleep.inLoop;
  }

  /** Sees to it that replies are read. */
  start(): void {
    this.#keep();
    if (this.#polling) return;
    this.#polling = true;
    this.#setSleep(Sleep.awake);
    const limit = this.#turns;
    let turn = 0;
    const poll = (): void => {
      if (this.#taker.takeReplies()) {
        this.#turns = Math.min(MAX_TURNS, Math.max(this.#turns, 2 * turn + 4));
        turn = 0;
      } else turn += 1;
      if (this.#taker.isWaiting && turn < limit) return void setImmediate(poll);
      if (turn >= limit) this.#turns = Math.max(1, this.#turns - 1);
      this.#polling = false;
      this.#sleepInLoop();
    };
    setImmediate(poll);
  }

  /** The doorbell rang. @returns false when there was no reply. */
  heard(): boolean {
    const any = this.#taker.takeReplies();
    if (!this.#polling) this.#sleepInLoop();
    return any;
  }

  /** Lets the program end when nothing is waited for. */
  rest(): void {
    if (!this.#keeping || this.#taker.isWaiting) return;
    this.#keeping = false;
    clearInterval(this.#slices);
    releaseEventLoop();
  }

  #sleepInLoop(): void {
    do this.#setSleep(Sleep.inLoop);
    while (this.#taker.takeReplies());
    this.rest();
  }

  #keep(): void {
    if (this.#keeping) return;
    this.#keeping = true;
    keepEventLoop();
    this.#slices = setInterval(() => {
      this.#taker.takeReplies();
      this.#taker.checkServer();
    }, SLICE_MS);
    this.#slices.unref();
  }

  #setSleep(sleep: number): void {
    const { link } = this.#line;
    if (link !== undefined) link.sleep = sleep;
  }
}
