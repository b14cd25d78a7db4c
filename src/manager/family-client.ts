/**
 * The way from a process of the family to a manager: a ring of requests and a ring of replies in shared memory.
 *
 * Blocking calls spin a little, then sleep on a futex; promises are settled when the doorbell rings. Either side rings or
 * wakes the other only when that one says that it sleeps, so under load no system call happens at all.
 */

import type { ByteSource } from "../core/bytes.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { decodeFrom } from "../codec/index.ts";
import { performance, setImmediate } from "../core/timers.ts";
import type { Block } from "../memory/index.ts";
import { SLICE_MS } from "../wait/index.ts";
import { Callbacks } from "./callbacks.ts";
import { type ClientLink, Sleep } from "./link-memory.ts";
import type { ManagerCell } from "./manager-cell.ts";
import { PatientSpin } from "./patient-spin.ts";
import { originOf, type Outcome, PendingCalls, withOrigin } from "./pending-calls.ts";
import { CONTROL_ID, Op, REPLY_HEADER_BYTES, Status } from "./protocol.ts";
import type { Invocation, ManagerClient, ObjectRef, Settler } from "./manager-client.ts";
import { ReplyLoop } from "./reply-loop.ts";
import { RequestLine } from "./request-line.ts";
import { ServerDeath } from "./server-death.ts";

/** Calls that a manager which is kept warm answers ahead. */
const REHEARSALS = 20;

/** What the manager's owner adds. */
export interface ClientHooks {
  /** Called before the manager is asked whether it lives: the owner knows how it ended. */
  noteExit(): void;
  transfer(ref: ObjectRef): HandleTransfer;
  /** An object of this manager is not used in this process any more. */
  released(ref: ObjectRef): void;
}

export class FamilyClient implements ManagerClient {
  readonly #hooks: ClientHooks;
  readonly #pending: PendingCalls;
  readonly #callbacks = new Callbacks();
  readonly #spin = new PatientSpin();
  readonly #line: RequestLine;
  readonly #loop: ReplyLoop;
  readonly #death: ServerDeath;
  /** Why nothing can be called any more; "" when the server has died. */
  #closed: string | undefined;
  /** The blocking call that is under way, and what came for it. */
  #awaited = 0;
  #arrived: Outcome | undefined;
  /** This thread is blocked until replies come. */
  #blocking = false;

  constructor(manager: ManagerCell, hooks: ClientHooks) {
    this.#hooks = hooks;
    this.#pending = new PendingCalls(
      {
        send: (call, invocation, flags) => this.#sendSoon(call, invocation, flags),
        cancel: (call) => this.#cancel(call),
      },
      false,
    );
    this.#line = new RequestLine(manager, () => this.#hear());
    this.#loop = new ReplyLoop(this.#line, this);
    this.#death = new ServerDeath(manager, () => hooks.noteExit());
  }

  /** True while calls wait for their reply. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  post(invocation: Invocation, settler: Settler, entry: Function): void {
    this.#pending.post(invocation, settler, entry);
  }

  callSync(invocation: Invocation): unknown {
    const number = this.#pending.nextNumber();
    this.#send(number, invocation, 0);
    this.#line.wakeServer();
    const outcome = this.#waitSync(number);
    if (!outcome.error) return outcome.value;
    throw withOrigin(outcome.value, originOf(this.callSync));
  }

  callback(fn: (...args: never[]) => unknown): object {
    return this.#callbacks.add(fn);
  }

  transfer(ref: ObjectRef): HandleTransfer {
    return this.#hooks.transfer(ref);
  }

  drop(ref: ObjectRef): void {
    (ref.held as Block | undefined)?.release();
    this.#hooks.released(ref);
    this.hintDrop(ref.id);
  }

  /** Tells the server that this process holds an object no more. */
  hintDrop(id: number): void {
    if (this.#line.link === undefined || this.#closed !== undefined) return;
    this.#line.write(0, id, Op.drop, 0, "", []);
    this.#line.wakeServerSoon();
  }

  /** Opens the link and has the server answer what it will be asked first, often enough that both sides have it compiled. */
  warmUp(): void {
    // Nobody waits for the answers, so the program may end meanwhile.
    for (let i = 0; i < REHEARSALS; i++) {
      this.#line.write(this.#pending.nextNumber(), CONTROL_ID, Op.call, 0, "hello", [{}, undefined, []]);
    }
    this.#line.wakeServer();
  }

  /** Ends all calls; later ones fail. */
  close(why: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    this.#line.close();
    this.#failAll();
  }

  #send(number: number, { id, op, name, args }: Invocation, flags: number): void {
    if (this.#closed !== undefined) throw this.#death.error(this.#closed);
    this.#line.write(number, id, op, flags, name, args);
  }

  /** For who goes on meanwhile. */
  #sendSoon(number: number, invocation: Invocation, flags: number): void {
    this.#send(number, invocation, flags);
    this.#line.wakeServerSoon();
    this.#loop.start();
  }

  #cancel(number: number): void {
    if (this.#closed !== undefined) return;
    this.#line.write(number, 0, Op.cancel, 0, "", []);
    this.#line.wakeServer();
  }

  // Replies

  takeReplies(): boolean {
    const { link } = this.#line;
    if (link === undefined) return false;
    this.#line.flush();
    let any = false;
    for (let reply = link.replies.next(); reply !== undefined; reply = link.replies.next()) {
      any = true;
      try {
        this.#take(reply);
      } finally {
        link.replies.done();
      }
    }
    if (any) this.#line.offerRoom();
    return any;
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
    } else this.#pending.settle(call, reply, this.#blocking);
  }

  #hear(): void {
    if (this.#line.link === undefined || this.#closed !== undefined || this.#loop.heard()) return;
    // Rung for nothing: somebody was swept. If that was the server, its owner says so to all others.
    if (this.isWaiting) this.checkServer();
    else this.#hooks.noteExit();
  }

  // Blocking

  /** Blocks until replies have come, at most for a time. */
  awaitReplies(milliseconds: number): void {
    if (this.#line.link === undefined) return;
    // The calls of this turn would wake it at the end of the turn.
    this.#line.wakeServer();
    this.#block(this.#line.link, 0, performance.now() + milliseconds);
  }

  #waitSync(number: number): Outcome {
    this.#awaited = number;
    try {
      this.#block(this.#line.link as ClientLink, number, Infinity);
    } finally {
      this.#awaited = 0;
    }
    const outcome = this.#arrived;
    this.#arrived = undefined;
    if (outcome === undefined) throw this.#death.error(this.#closed ?? "");
    return outcome;
  }

  /** Takes replies, and blocks between them, until that of a call has come (0: until any has), time is out, or the server dead. */
  #block(link: ClientLink, number: number, deadline: number): void {
    const { replies } = link;
    link.sleep = Sleep.awake;
    this.#blocking = true;
    try {
      while (this.#awaited === number && this.#closed === undefined) {
        if (this.takeReplies()) {
          if (number === 0) return;
          continue;
        }
        if (deadline !== Infinity && performance.now() >= deadline) return;
        if (this.#spin.until(() => replies.hasMessage)) continue;
        link.sleep = Sleep.blocked;
        if (!replies.hasMessage) this.#sleep(link, deadline);
        link.sleep = Sleep.awake;
      }
    } finally {
      this.#blocking = false;
      link.sleep = this.#loop.sleep;
      // What came between the last look and the word: the loop sees to it.
      if (replies.hasMessage) setImmediate(() => this.#hear());
    }
  }

  #sleep(link: ClientLink, deadline: number): void {
    const start = performance.now();
    link.block(Math.max(0, Math.min(SLICE_MS, deadline - start)));
    if (performance.now() - start < SLICE_MS / 2 || !this.#death.hasCome() || link.replies.hasMessage) return;
    this.#death.awaitKnown((milliseconds) => {
      link.sleep = Sleep.blocked;
      link.block(milliseconds);
    });
    this.close("");
  }

  // Death

  checkServer(): void {
    if (this.#closed !== undefined || !this.#death.hasCome()) return;
    // What it had answered still counts.
    this.takeReplies();
    this.#closed = "";
    this.#death.whenKnown(() => this.#failAll());
  }

  #failAll(): void {
    this.#pending.failAll(() => this.#death.error(this.#closed ?? ""));
    if (this.#line.link === undefined) return;
    this.#loop.rest();
    // Not now: the link may be in use further up the stack.
    setImmediate(() => this.#line.release());
  }
}
