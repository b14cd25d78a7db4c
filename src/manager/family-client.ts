/**
 * The way from a process of the family to a manager: a ring of requests and a ring of replies in shared memory.
 *
 * Blocking calls spin a little, then sleep on a futex; promises are settled when the doorbell rings. Either side rings or
 * wakes the other only when that one says that it sleeps, so under load no system call happens at all.
 */

import type { ByteSource } from "../core/bytes.ts";
import { ManagerDiedError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { decodeFrom, encodeTo } from "../codec/index.ts";
import type { Block } from "../memory/index.ts";
import { keepEventLoop, onDoorbell, releaseEventLoop, ringDoorbell, SLICE_MS } from "../wait/index.ts";
import { Callbacks } from "./callbacks.ts";
import { ClientLink, Sleep } from "./link-memory.ts";
import type { ManagerCell } from "./manager-cell.ts";
import { PatientSpin } from "./patient-spin.ts";
import { type Outcome, PendingCalls, withOrigin } from "./pending-calls.ts";
import { CONTROL_ID, Op, REPLY_HEADER_BYTES, SIGNAL, Status, writeRequest } from "./protocol.ts";
import type { ManagerClient, RemoteRef } from "./remote-ref.ts";

const EXIT_GRACE_MS = 100;
const EXIT_POLL_MS = 5;
/** Calls that wait at a time and know where they were made. */
const ORIGINS_KEPT = 64;
/** Requests after which a sleeping server is woken in the middle of a turn. */
const WAKE_EVERY = 64;
/** Turns of the event loop in which it looks for replies before it sleeps. */
const MAX_TURNS = 64;
/** Calls that a manager which is kept warm answers ahead. */
const REHEARSALS = 20;

/** What the manager's owner adds. */
export interface ClientHooks {
  /** Called before the manager is asked whether it lives: the owner knows how it ended. */
  noteExit(): void;
  transfer(ref: RemoteRef): HandleTransfer;
  /** An object of this manager is not used in this process any more. */
  released(ref: RemoteRef): void;
}

export class FamilyClient implements ManagerClient {
  readonly #manager: ManagerCell;
  readonly #hooks: ClientHooks;
  readonly #pending = new PendingCalls(false);
  readonly #callbacks = new Callbacks();
  readonly #spin = new PatientSpin();
  #link: ClientLink | undefined;
  #stopHearing: (() => void) | undefined;
  #keeping = false;
  /** Requests since the server was last looked after. */
  #unheard = 0;
  #turns = 16;
  #polling = false;
  #slices: NodeJS.Timeout | undefined;
  #closed: string | undefined;
  /** The blocking call that is under way, and what came for it. */
  #awaited = 0;
  #arrived: Outcome | undefined;

  constructor(manager: ManagerCell, hooks: ClientHooks) {
    this.#manager = manager;
    this.#hooks = hooks;
  }

  /** Calls that wait for their reply. */
  get pending(): number {
    return this.#pending.size;
  }

  call(
    id: number,
    op: number,
    name: string,
    args: readonly unknown[],
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const origin = {};
    // It takes as long as all the rest, so in a flood of calls only the first ones know where they come from.
    if (this.#pending.size < ORIGINS_KEPT) Error.captureStackTrace(origin, this.call);
    try {
      signal?.throwIfAborted();
      const number = this.#pending.nextNumber();
      this.#send(number, id, op, signal === undefined ? 0 : SIGNAL, name, args);
      this.#wakeServerSoon();
      const reply = this.#pending.wait(number, origin, signal, () => this.#cancel(number));
      this.#await();
      return reply;
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  callSync(id: number, op: number, name: string, args: readonly unknown[]): unknown {
    const number = this.#pending.nextNumber();
    this.#send(number, id, op, 0, name, args);
    this.#wakeServer();
    const outcome = this.#waitSync(number);
    if (!outcome.error) return outcome.value;
    const origin = {};
    Error.captureStackTrace(origin, this.callSync);
    throw withOrigin(outcome.value, origin);
  }

  callback(fn: (...args: never[]) => unknown): object {
    return this.#callbacks.add(fn);
  }

  transfer(ref: RemoteRef): HandleTransfer {
    return this.#hooks.transfer(ref);
  }

  drop(ref: RemoteRef): void {
    (ref.held as Block | undefined)?.release();
    this.#hooks.released(ref);
    this.hintDrop(ref.id);
  }

  /** Tells the server that this process holds an object no more. */
  hintDrop(id: number): void {
    if (this.#link === undefined || this.#closed !== undefined) return;
    this.#write(0, id, Op.drop, 0, "", []);
    this.#wakeServerSoon();
  }

  /** Opens the link and has the server answer what it will be asked first, often enough that both sides have it compiled. */
  warmUp(): void {
    // Nobody waits for the answers, so the program may end meanwhile.
    for (let i = 0; i < REHEARSALS; i++) {
      this.#write(this.#pending.nextNumber(), CONTROL_ID, Op.call, 0, "hello", [{}, undefined, []]);
    }
    this.#wakeServer();
  }

  /** Ends all calls; later ones fail. */
  close(why: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    this.#link?.close();
    this.#failAll();
  }

  #send(number: number, id: number, op: number, flags: number, name: string, args: readonly unknown[]): void {
    if (this.#closed !== undefined) throw this.#diedError();
    this.#write(number, id, op, flags, name, args);
  }

  #write(number: number, id: number, op: number, flags: number, name: string, args: readonly unknown[]): void {
    const link = (this.#link ??= this.#open());
    link.requests.write((sink) => {
      writeRequest(sink, number, id, op, flags, name);
      if (args.length > 0) encodeTo(sink, args, { root: "args" });
    });
    if (link.requests.isBehind) this.#flush(link);
  }

  #open(): ClientLink {
    const link = new ClientLink();
    this.#manager.arrive(link.cell.id, (next) => link.setNext(next));
    link.sleep = Sleep.inLoop;
    this.#stopHearing = onDoorbell(() => this.#hear());
    return link;
  }

  /** Calls that are made in one go wake the server together: at the end of the turn, or when there are many. */
  #wakeServerSoon(): void {
    if (this.#unheard === 0) queueMicrotask(() => this.#wakeServer());
    this.#unheard += 1;
    if (this.#unheard % WAKE_EVERY === 0) this.#ringIfAsleep();
  }

  #wakeServer(): void {
    this.#unheard = 0;
    this.#ringIfAsleep();
  }

  #ringIfAsleep(): void {
    if (this.#manager.takeSleeping()) ringDoorbell(this.#manager.serverSlot as number);
  }

  #flush(link: ClientLink): void {
    if (link.requests.flush()) return;
    link.wantRoom();
    // The server may have made room before it could see that it is wanted.
    link.requests.flush();
  }

  #cancel(number: number): void {
    if (this.#closed !== undefined) return;
    this.#write(number, 0, Op.cancel, 0, "", []);
    this.#wakeServer();
  }

  // Promises

  /** Sees to it that replies are read in the event loop. */
  #await(): void {
    if (!this.#keeping) {
      this.#keeping = true;
      keepEventLoop();
      this.#slices = setInterval(() => this.#slice(), SLICE_MS);
      this.#slices.unref();
    }
    if (this.#polling) return;
    this.#polling = true;
    (this.#link as ClientLink).sleep = Sleep.awake;
    const limit = this.#turns;
    let turn = 0;
    const poll = (): void => {
      if (this.#drain()) {
        this.#turns = Math.min(MAX_TURNS, Math.max(this.#turns, 2 * turn + 4));
        turn = 0;
      } else turn += 1;
      if (this.#pending.size > 0 && turn < limit) return void setImmediate(poll);
      if (turn >= limit) this.#turns = Math.max(1, this.#turns - 1);
      this.#polling = false;
      this.#sleepInLoop();
    };
    setImmediate(poll);
  }

  #sleepInLoop(): void {
    do if (this.#link !== undefined) this.#link.sleep = Sleep.inLoop;
    while (this.#drain());
    this.#rest();
  }

  #hear(): void {
    if (this.#link === undefined || this.#closed !== undefined) return;
    const any = this.#drain();
    if (!this.#polling) this.#sleepInLoop();
    if (any) return;
    // Rung for nothing: somebody was swept. If that was the server, its owner says so to all others.
    if (this.#pending.size > 0) this.#checkServer();
    else this.#hooks.noteExit();
  }

  /** Lets the program end when nothing is waited for. */
  #rest(): void {
    if (!this.#keeping || this.#pending.size > 0) return;
    this.#keeping = false;
    clearInterval(this.#slices);
    releaseEventLoop();
  }

  #slice(): void {
    this.#drain();
    this.#checkServer();
  }

  /** Reads all replies that are there. @returns false when there was none. */
  #drain(): boolean {
    const link = this.#link;
    if (link === undefined) return false;
    if (link.requests.isBehind) this.#flush(link);
    let any = false;
    for (let reply = link.replies.next(); reply !== undefined; reply = link.replies.next()) {
      any = true;
      try {
        this.#take(reply);
      } finally {
        link.replies.done();
      }
    }
    if (any && link.takeServerWantsRoom()) this.#ringServer();
    return any;
  }

  #ringServer(): void {
    const slot = this.#manager.serverSlot;
    if (slot !== undefined) ringDoorbell(slot);
  }

  #take(reply: ByteSource): void {
    const { call, status } = PendingCalls.header(reply);
    if (status === Status.event) {
      reply.position += REPLY_HEADER_BYTES;
      this.#callbacks.call(call, decodeFrom(reply) as readonly unknown[]);
    } else if (status === Status.forgotten) {
      reply.position += REPLY_HEADER_BYTES;
      this.#callbacks.forget(call, decodeFrom(reply) as number);
    } else if (call === this.#awaited) {
      this.#arrived = this.#pending.read(reply);
      this.#awaited = 0;
    } else this.#pending.settle(call, reply);
  }

  // Blocking

  #waitSync(number: number): Outcome {
    const link = this.#link as ClientLink;
    const { replies } = link;
    this.#awaited = number;
    const before = this.#polling ? Sleep.awake : Sleep.inLoop;
    link.sleep = Sleep.awake;
    try {
      while (this.#awaited === number) {
        if (this.#drain() || this.#spin.until(() => replies.hasMessage)) continue;
        link.sleep = Sleep.blocked;
        if (!replies.hasMessage) this.#block(link);
        link.sleep = Sleep.awake;
      }
    } finally {
      this.#awaited = 0;
      link.sleep = before;
      // What came between the last look and the word: the loop sees to it.
      if (replies.hasMessage) setImmediate(() => this.#hear());
    }
    const outcome = this.#arrived as Outcome;
    this.#arrived = undefined;
    return outcome;
  }

  #block(link: ClientLink): void {
    const start = performance.now();
    link.block(SLICE_MS);
    if (performance.now() - start < SLICE_MS / 2) return;
    this.#hooks.noteExit();
    if (this.#manager.isServerAlive() || link.replies.hasMessage) return;
    this.#awaitExit();
    this.close("");
    throw this.#diedError();
  }

  // Death

  /** Fails what waits if the server is dead. */
  #checkServer(): void {
    if (this.#closed !== undefined) return;
    this.#hooks.noteExit();
    if (this.#manager.isServerAlive()) return;
    // What it had answered still counts.
    this.#drain();
    this.#closed = "";
    this.#failWhenKnown(performance.now() + EXIT_GRACE_MS);
  }

  /** The owner writes down how the server ended; that may take a moment. */
  #failWhenKnown(until: number): void {
    this.#hooks.noteExit();
    if (!this.#manager.exitKnown && performance.now() < until) {
      setTimeout(() => this.#failWhenKnown(until), EXIT_POLL_MS);
    } else this.#failAll();
  }

  #awaitExit(): void {
    const until = performance.now() + EXIT_GRACE_MS;
    while (!this.#manager.exitKnown && performance.now() < until) {
      this.#hooks.noteExit();
      const link = this.#link as ClientLink;
      link.sleep = Sleep.blocked;
      link.block(EXIT_POLL_MS);
    }
  }

  #failAll(): void {
    this.#pending.failAll(() => this.#diedError());
    if (this.#link === undefined) return;
    this.#rest();
    // Not now: the link may be in use further up the stack.
    setImmediate(() => this.#letGo());
  }

  /** Nobody answers any more: the memory goes back. */
  #letGo(): void {
    this.#stopHearing?.();
    this.#link?.release();
    this.#link = undefined;
  }

  #diedError(): ManagerDiedError {
    const death = this.#manager.death();
    const who = `the manager${death.pid === undefined ? "" : ` (process ${death.pid})`}`;
    if (this.#closed !== "" && this.#closed !== undefined)
      return new ManagerDiedError(`Cannot call ${who}: ${this.#closed}`, death);
    const how =
      death.signal != null
        ? `ended by ${death.signal}`
        : death.exitCode != null
          ? `ended with code ${death.exitCode}`
          : "gone";
    return new ManagerDiedError(`Cannot call ${who}: it is ${how}`, death);
  }
}
