/** The server's side of the family: takes requests from the rings of all clients, and notices who is gone. */

import { clearInterval, setImmediate, setInterval } from "../core/timers.ts";
import { isSlotAlive } from "../memory/index.ts";
import { onDoorbell } from "../wait/index.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { FamilySession } from "./family-session.ts";
import { ServerLink } from "./link-memory.ts";
import type { ManagerCell } from "./manager-cell.ts";
import { PatientSpin } from "./patient-spin.ts";
import type { SharedObject } from "./shared-object.ts";
import { orEnd } from "./stray-errors.ts";

/** Requests of one client that are served before the next client's turn. */
const BATCH = 64;
/** Rounds in one turn of the event loop: timers and sockets want their turn, too. */
const ROUNDS = 64;
/** How often it asks the kernel whether clients live; usually somebody sweeps them, which rings. */
const ROLL_CALL_MS = 1000;

export interface FamilyServerOptions {
  readonly manager: ManagerCell;
  readonly dispatcher: Dispatcher;
  readonly control: SharedObject;
  /** An object may not be held from outside any more. */
  readonly released: (object: SharedObject) => void;
  /** A client is gone. */
  readonly left: () => void;
}

export class FamilyServer {
  readonly #options: FamilyServerOptions;
  readonly #sessions = new Set<FamilySession>();
  readonly #spin = new PatientSpin();
  #scheduled = false;
  /** A turn ended before it had waited for more requests. */
  #waitsNext = false;
  #rollCall: NodeJS.Timeout | undefined;

  constructor(options: FamilyServerOptions) {
    this.#options = options;
  }

  start(): void {
    onDoorbell(() => this.#heard());
    this.#rollCall = setInterval(() => orEnd(() => this.#dismissGone()), ROLL_CALL_MS);
    this.#rollCall.unref();
    this.#schedule();
  }

  stop(): void {
    clearInterval(this.#rollCall);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      orEnd(() => this.#turn());
    });
  }

  #heard(): void {
    orEnd(() => {
      this.#options.manager.sleeping = false;
      // Rung for nothing: somebody was swept.
      if (!this.#hasWork()) this.#dismissGone();
      this.#turn();
    });
  }

  /**
   * Serves until nothing comes for a while. Promises of methods are settled between turns, so a turn ends at once when there are
   * any, and the next one waits for more requests in its place.
   */
  #turn(): void {
    let served = this.#waitsNext;
    this.#waitsNext = false;
    for (let round = 0; round < ROUNDS; round++) {
      if (this.#serve()) served = true;
      else if (!served || round > 0) break;
      if (this.#options.dispatcher.takePromised()) {
        this.#waitsNext = true;
        break;
      }
      if (!this.#hasWork() && !this.#spin.until(() => this.#hasWork())) break;
    }
    if (served) return this.#schedule();
    this.#options.manager.sleeping = true;
    // A request that came before the word was written rang no bell.
    if (this.#hasWork()) {
      this.#options.manager.sleeping = false;
      this.#schedule();
    }
  }

  #hasWork(): boolean {
    if (this.#options.manager.hasArrivals) return true;
    for (const session of this.#sessions)
      if (session.link.requests.hasMessage && !session.link.replies.isBehind) return true;
    return false;
  }

  #serve(): boolean {
    if (this.#options.manager.hasArrivals) this.#welcome();
    let any = false;
    for (const session of this.#sessions) {
      // Who does not read its replies is served no further.
      if (session.link.replies.isBehind && !session.flush()) continue;
      if (this.#serveBatch(session)) any = true;
    }
    return any;
  }

  #serveBatch(session: FamilySession): boolean {
    const { requests } = session.link;
    let count = 0;
    for (; count < BATCH && !session.caller.gone; count++) {
      const request = requests.next();
      if (request === undefined) break;
      try {
        this.#options.dispatcher.serve(session, request);
      } finally {
        requests.done();
      }
    }
    if (count > 0 && session.link.takeClientWantsRoom()) session.link.wakeClient();
    return count > 0;
  }

  #welcome(): void {
    const { manager, control, released } = this.#options;
    for (let id = manager.takeArrivals(); id !== 0;) {
      const link = ServerLink.open(id);
      this.#sessions.add(new FamilySession(link, control, released));
      id = link.next;
    }
  }

  #dismissGone(): void {
    for (const session of this.#sessions) {
      if (session.isThere && isSlotAlive(session.link.slot)) continue;
      // What it said before it died still counts.
      while (this.#serveBatch(session));
      this.#sessions.delete(session);
      session.leave();
      this.#options.left();
    }
  }
}
