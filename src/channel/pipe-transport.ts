/** A pipe's end as one process uses it. */

import type { DecodeOptions, EncodeOptions } from "../codec/index.ts";
import type { Deadline } from "../core/deadline.ts";
import { BrokenPipeError, EndOfStreamError, StateError, TimeoutError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { queueMicrotask } from "../core/timers.ts";
import { type Cell, retractRef } from "../memory/index.ts";
import { NOTHING, Ring } from "../ring/index.ts";
import type { Readiness } from "../wait/index.ts";
import { MESSAGE_OPTIONS, type Outgoing } from "./message.ts";
import { PipeEnd, RING_OUT } from "./pipe-end.ts";
import { ReceivePort, type ReceiveRules, type Take } from "./receive-port.ts";
import { SendPort, type SendRules } from "./send-port.ts";
import type { Transport } from "./transport.ts";

/** Which end of which pipe. */
export interface PipeSide {
  readonly cell: Cell;
  readonly side: number;
  readonly readable: boolean;
  readonly writable: boolean;
}

export class PipeTransport implements Transport, SendRules, ReceiveRules {
  readonly readable: boolean;
  readonly writable: boolean;
  readonly encodeOptions: EncodeOptions = MESSAGE_OPTIONS;
  readonly decodeOptions: DecodeOptions = {};
  readonly #cell: Cell;
  readonly #side: number;
  readonly #mine: PipeEnd;
  readonly #peer: PipeEnd;
  readonly #rings: readonly Ring[];
  readonly #sends: SendPort;
  readonly #receives: ReceivePort;
  /** False when the end was sent away and not used since. */
  #using = true;
  #closed = false;
  #waits = 0;
  #onClose: (() => void) | undefined;
  readonly #collected: Collected;

  constructor({ cell, side, readable, writable }: PipeSide) {
    this.#cell = cell;
    this.#side = side;
    this.readable = readable;
    this.writable = writable;
    this.#mine = new PipeEnd(cell.word, side);
    this.#peer = new PipeEnd(cell.word, 1 - side);
    const out = new Ring(cell.word + (RING_OUT[side] as number));
    const into = new Ring(cell.word + (RING_OUT[1 - side] as number));
    this.#rings = [out, into];
    this.#sends = new SendPort(out, this);
    this.#receives = new ReceivePort(into, this);
    this.#collected = { end: this.#mine, cell };
    collected.register(this, this.#collected, this.#collected);
  }

  trySend(message: Outgoing, method: string): boolean {
    this.#use();
    return !this.#sends.busy && this.#sends.trySend(message, method);
  }

  send(message: Outgoing, deadline: Deadline, method: string, breathe: boolean): Promise<void> {
    this.#use();
    return this.#waiting(this.#sends.send(message, deadline, method, breathe));
  }

  sendSync(message: Outgoing, deadline: Deadline, method: string): void {
    this.#use();
    this.#sends.sendSync(message, deadline, method);
  }

  tryReceive<T>(take: Take<T>): T | typeof NOTHING {
    this.#use();
    return this.#receives.busy ? NOTHING : this.#receives.tryReceiveLoaded(take);
  }

  receive<T>(take: Take<T>, deadline: Deadline, method: string, breathe: boolean): Promise<T> {
    this.#use();
    return this.#waiting(this.#receives.receive(take, deadline, method, breathe));
  }

  receiveSync<T>(take: Take<T>, deadline: Deadline, method: string): T {
    this.#use();
    return this.#receives.receiveSync(take, deadline, method);
  }

  poll(deadline: Deadline): Promise<boolean> {
    this.#use();
    return this.#waiting(this.#receives.poll(deadline));
  }

  pollSync(deadline: Deadline): boolean {
    this.#use();
    return this.#receives.pollSync(deadline);
  }

  readiness(): Readiness {
    this.#use();
    return { isReady: () => this.#receives.ready, subscribe: (wake) => this.#receives.subscribe(wake) };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose?.();
    collected.unregister(this.#collected);
    this.#mine.leave();
    if (this.#waits === 0) this.#release();
    else for (const ring of this.#rings) ring.wakeAll();
  }

  transfer(): HandleTransfer {
    const ref = this.#cell.refer();
    const wasUsing = this.#using;
    this.#mine.depart();
    this.#using = false;
    // A message that turns out at once to have something in it that cannot travel has sent nothing.
    let fresh = true;
    queueMicrotask(() => (fresh = false));
    const abort = (): void => {
      if (fresh && wasUsing && !this.#closed) this.#use();
      this.#mine.lost();
      retractRef(ref);
    };
    const { readable, writable } = this;
    return { tag: "Connection", data: { ref, side: this.#side, readable, writable }, abort };
  }

  /** The end is new. */
  begin(): void {
    this.#mine.use();
  }

  /** Calls back once, when it is closed. */
  onClose(listener: () => void): void {
    this.#onClose = listener;
  }

  /** The end came out of a message, for the first time or again. */
  arrive(): void {
    this.#mine.arrive();
    this.#using = true;
  }

  ended(): boolean {
    return this.#closed || this.#peer.gone;
  }

  endedError(method: string): Error {
    if (this.#closed) return new StateError(`Cannot go on with ${method}(): the connection was closed`);
    if (method.startsWith("send")) {
      return new BrokenPipeError(
        `Cannot ${method}(): the other end of the connection is closed, or its process has ended`,
      );
    }
    return new EndOfStreamError(
      `Cannot ${method}(): the other end of the connection is closed, or its process has ended`,
    );
  }

  fullError(method: string): Error {
    return new TimeoutError(
      `Cannot ${method}(): the other end has not taken what was sent before, and the time ran out`,
    );
  }

  emptyError(method: string): Error {
    return new TimeoutError(`Cannot ${method}(): there is no message, and the time ran out`);
  }

  onSlice(): void {
    this.#peer.checkUsers();
  }

  /** Who uses an end that was sent away is its user again. */
  #use(): void {
    if (this.#using) return;
    this.#using = true;
    this.#mine.use();
  }

  async #waiting<T>(call: Promise<T>): Promise<T> {
    this.#waits += 1;
    try {
      return await call;
    } finally {
      this.#waits -= 1;
      if (this.#closed && this.#waits === 0) this.#release();
    }
  }

  #release(): void {
    for (const ring of this.#rings) ring.release();
    this.#cell.release();
  }
}

/** The cell is kept until its words were written for the last time. */
interface Collected {
  readonly end: PipeEnd;
  readonly cell: Cell;
}

const collected = new FinalizationRegistry<Collected>(({ end, cell }) => {
  end.leave();
  cell.release();
});
