/** Serves requests: finds the object, decodes the arguments, calls the method in the object's order, and replies. */

import { type ByteSource, sourceOf } from "../core/bytes.ts";
import { CancelledError, StateError } from "../core/errors.ts";
import { loadFacade } from "../core/facade.ts";
import { isPromise } from "../core/is-promise.ts";
import { needsHandles, prepare } from "../codec/index.ts";
import { type Call, serveCall } from "./call-context.ts";
import { waitsInListsOnly } from "./kinds.ts";
import { checkMember, perform } from "./member.ts";
import { isIterator } from "./objects/iterator.ts";
import type { ObjectTable } from "./object-table.ts";
import { CONTROL_ID, Op, readRequest, type Request, SIGNAL, Status } from "./protocol.ts";
import type { Session } from "./session.ts";
import type { SharedObject } from "./shared-object.ts";
import { orEnd } from "./stray-errors.ts";

const NOTHING: readonly unknown[] = [];

export class Dispatcher {
  readonly #table: ObjectTable;
  readonly #name: string;
  #promised = false;

  constructor(table: ObjectTable, name: string) {
    this.#table = table;
    this.#name = name;
  }

  /** True if a method has given a promise since this was asked last. */
  takePromised(): boolean {
    const promised = this.#promised;
    this.#promised = false;
    return promised;
  }

  /** Serves one request; the bytes are not needed any more when it returns. */
  serve(session: Session, source: ByteSource): void {
    const bytes = source.limit - source.position;
    const request = readRequest(source);
    try {
      this.#serve(session, request, source, bytes);
    } catch (error) {
      this.#fail(session, request.call, error);
    }
  }

  #serve(session: Session, request: Request, source: ByteSource, bytes: number): void {
    if (request.op === Op.cancel) return this.#cancel(session, request.call);
    const object = request.object === CONTROL_ID ? session.control : this.#table.find(request.object);
    if (object === undefined || !session.mayUse(object)) {
      if (request.op === Op.drop) return;
      throw new StateError(
        `Cannot call "${request.name}": the manager has no object ${request.object} for this process`,
      );
    }
    if (request.op === Op.drop) return session.drop(object, Number(request.name));
    const mustNotWait = session.begin(request.call, bytes);
    checkMember(object, request.op, request.name);
    // Whether a method of the user's waits is known too late.
    if (mustNotWait !== undefined && (object.isBusy || !waitsInListsOnly(object.surface))) throw mustNotWait();
    const exclusive = !object.isOvertaken(request.name);
    const args = this.#arguments(session, source);
    const call: Call = { caller: session.caller, mustNotWait };
    const run = (ready: readonly unknown[]): unknown => this.#run(session, object, request, call, ready);
    if (!(args instanceof Promise)) return object.inTurn(() => run(args), exclusive);
    // Modules have to be loaded first; the call keeps its place meanwhile.
    const fail = (error: unknown): void => this.#fail(session, request.call, error);
    object.inTurn(() => args.then(run, fail), true);
  }

  #cancel(session: Session, call: number): void {
    session.cancellable.get(call)?.abort(new CancelledError("The call was cancelled"));
  }

  #arguments(session: Session, source: ByteSource): readonly unknown[] | Promise<readonly unknown[]> {
    if (source.position === source.limit) return NOTHING;
    if (session.stranger) return session.read(source);
    const message = source.bytes.subarray(source.position, source.limit);
    const facade = needsHandles(message) ? loadFacade() : undefined;
    const modules = prepare(message);
    if (facade === undefined && modules === undefined) return session.read(source);
    const copy = message.slice();
    return Promise.all([facade, modules]).then(() => session.read(sourceOf(copy)));
  }

  /** Calls the method and replies. @returns a promise while the method is at work. */
  #run(session: Session, object: SharedObject, request: Request, call: Call, args: readonly unknown[]): unknown {
    let result: unknown;
    try {
      const given = (request.flags & SIGNAL) === 0 ? args : withSignal(session, request.call, args);
      result = serveCall(call, () => perform(object, request.op, request.name, given));
    } catch (error) {
      this.#fail(session, request.call, error);
      return undefined;
    }
    if (!isPromise(result)) {
      this.#succeed(session, object, request, call, result);
      return undefined;
    }
    this.#promised = true;
    return Promise.resolve(result).then(
      (value) => this.#succeed(session, object, request, call, value),
      (error: unknown) => this.#fail(session, request.call, error),
    );
  }

  #succeed(session: Session, object: SharedObject, { call: number }: Request, call: Call, result: unknown): void {
    session.cancellable.delete(number);
    if (number === 0) return;
    if (session.caller.gone) return call.undo?.();
    try {
      if (result === undefined) return session.reply(number, Status.nothing, undefined, call.undo);
      const value = this.#shared(object, result);
      session.reply(number, Status.value, (sink) => session.write(sink, value), call.undo);
    } catch (error) {
      call.undo?.();
      this.#fail(session, number, error);
    }
  }

  /** What a method gives: itself is its proxy, an iterator stays here, everything else is copied. */
  #shared(object: SharedObject, result: unknown): unknown {
    if (result === object.target && object.id !== CONTROL_ID) return this.#table.proxyOf(object);
    return isIterator(result) ? this.#table.shareIterator(result) : result;
  }

  #fail(session: Session, number: number, error: unknown): void {
    session.cancellable.delete(number);
    if (number === 0 || session.caller.gone) return;
    const origin = { name: this.#name, pid: process.pid };
    orEnd(() => session.reply(number, Status.error, (sink) => session.writeError(sink, error, origin), undefined));
  }
}

function withSignal(session: Session, call: number, args: readonly unknown[]): readonly unknown[] {
  const controller = new AbortController();
  session.cancellable.set(call, controller);
  const options = args.at(-1) as object | undefined;
  return [...args.slice(0, -1), { ...options, signal: controller.signal }];
}
