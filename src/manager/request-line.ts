/** Sends the requests of a client through its link, which is opened by the first one, and wakes the server when it sleeps. */

import { encodeTo } from "../codec/index.ts";
import { queueMicrotask } from "../core/timers.ts";
import { onDoorbell, ringDoorbell } from "../wait/index.ts";
import { ClientLink, Sleep } from "./link-memory.ts";
import type { ManagerCell } from "./manager-cell.ts";
import { writeRequest } from "./protocol.ts";

/** Requests after which a sleeping server is woken in the middle of a turn. */
const WAKE_EVERY = 64;

export class RequestLine {
  readonly #manager: ManagerCell;
  readonly #onBell: () => void;
  #link: ClientLink | undefined;
  #stopHearing: (() => void) | undefined;
  /** Requests since the server was last looked after. */
  #unheard = 0;

  /** @param onBell Called when the doorbell of this process is rung: there may be replies. */
  constructor(manager: ManagerCell, onBell: () => void) {
    this.#manager = manager;
    this.#onBell = onBell;
  }

  /** undefined before the first request, and after `release`. */
  get link(): ClientLink | undefined {
    return this.#link;
  }

  write(number: number, id: number, op: number, flags: number, name: string, args: readonly unknown[]): void {
    const link = (this.#link ??= this.#open());
    link.requests.write((sink) => {
      writeRequest(sink, number, id, op, flags, name);
      if (args.length > 0) encodeTo(sink, args, { root: "args" });
    });
    this.flush();
  }

  /** Sends what found no room. */
  flush(): void {
    const link = this.#link;
    if (link?.requests.isBehind !== true || link.requests.flush()) return;
    link.wantRoom();
    // The server may have made room before it could see that it is wanted.
    link.requests.flush();
  }

  /** Calls that are made in one go wake the server together: at the end of the turn, or when there are many. */
  wakeServerSoon(): void {
    if (this.#unheard === 0) queueMicrotask(() => this.wakeServer());
    this.#unheard += 1;
    if (this.#unheard % WAKE_EVERY === 0) this.#ringIfAsleep();
  }

  wakeServer(): void {
    this.#unheard = 0;
    this.#ringIfAsleep();
  }

  /** Tells a server that waits for room that there is some. */
  offerRoom(): void {
    if (this.#link?.takeServerWantsRoom() !== true) return;
    const slot = this.#manager.serverSlot;
    if (slot !== undefined) ringDoorbell(slot);
  }

  /** Tells the server that no more requests come. */
  close(): void {
    this.#link?.close();
  }

  /** Nobody answers any more: the memory goes back. */
  release(): void {
    this.#stopHearing?.();
    this.#link?.release();
    this.#link = undefined;
  }

  #open(): ClientLink {
    const link = new ClientLink();
    this.#manager.arrive(link.cell.id, (next) => link.setNext(next));
    link.sleep = Sleep.inLoop;
    this.#stopHearing = onDoorbell(this.#onBell);
    return link;
  }

  #ringIfAsleep(): void {
    if (this.#manager.takeSleeping()) ringDoorbell(this.#manager.serverSlot as number);
  }
}
