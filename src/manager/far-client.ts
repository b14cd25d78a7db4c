/** The way to a manager of another program: a socket. */

import { HeapSink, sourceOf } from "../core/bytes.ts";
import { ManagerDiedError, SerializationError, StateError } from "../core/errors.ts";
import type { HandleTransfer } from "../core/handle.ts";
import { rangeError } from "../core/options.ts";
import { encodeTo } from "../codec/index.ts";
import {
  PROXY_TAG,
  readingFrom,
  type StrangerTransfer,
  transferForStranger,
  unpackSurface,
  writingFor,
} from "./handles.ts";
import { MessageSocket } from "./message-socket.ts";
import { PendingCalls } from "./pending-calls.ts";
import { Op, writeRequest } from "./protocol.ts";
import { makeProxy } from "./proxy.ts";
import { RemoteProxy, refOf } from "./remote-proxy.ts";
import type { Invocation, ManagerClient, ObjectRef, Settler } from "./manager-client.ts";

const WRITE = { functions: false, handles: PROXY_TAG, root: "args" } as const;

/** An object of the far manager that this process holds. */
interface Known {
  readonly proxy: WeakRef<RemoteProxy>;
  /** How often it came: the manager counts as well. */
  received: number;
}

export class FarClient implements ManagerClient {
  readonly #socket: MessageSocket;
  readonly #pending: PendingCalls;
  readonly #known = new Map<number, Known>();
  readonly #collected = new FinalizationRegistry<number>((id) => {
    if (this.#known.get(id)?.proxy.deref() === undefined) this.#forget(id);
  });
  readonly #theirMaxMessage: number;
  #ended: string | undefined;

  /** @param maxMessage Bytes of the longest message that is taken. @param theirMaxMessage The manager's. */
  constructor(socket: MessageSocket, maxMessage: number, theirMaxMessage: number) {
    this.#socket = socket;
    this.#theirMaxMessage = theirMaxMessage;
    this.#pending = new PendingCalls(
      {
        send: (call, invocation, flags) => this.#send(call, invocation, flags),
        cancel: (call) => this.#tell(call, 0, Op.cancel, ""),
      },
      true,
    );
    socket.unref();
    const close = (error: Error | undefined): void =>
      this.#end(`the connection ended${error === undefined ? "" : `: ${error.message}`}`);
    socket.listen(maxMessage, (message) => this.#take(message), close);
  }

  post(invocation: Invocation, settler: Settler, entry: Function): void {
    this.#pending.post(invocation, settler, entry);
  }

  callSync({ name }: Invocation): never {
    throw new StateError(
      `Cannot wait for "${name}" in a blocking call: the manager is reached through a socket; use the promise`,
    );
  }

  awaitReplies(): never {
    throw new StateError("Cannot wait in a blocking call: the manager is reached through a socket; use the promise");
  }

  callback(): never {
    throw new SerializationError(
      "Cannot listen to an object of another program's manager: only processes of its own program are called back",
    );
  }

  transfer(ref: ObjectRef): HandleTransfer {
    const forStranger = transferForStranger();
    if (forStranger !== undefined) return forStranger(ref);
    throw new SerializationError(
      "Cannot send a proxy of another program's manager: only the process that connected can use it",
    );
  }

  drop({ id }: ObjectRef): void {
    this.#forget(id);
  }

  close(): void {
    this.#end("the connection was closed");
    this.#socket.close();
  }

  #send(call: number, { id, op, name, args }: Invocation, flags: number): void {
    this.#assertOpen();
    this.#socket.send(this.#checkLength(this.#request(call, id, op, flags, name, args)));
    this.#socket.ref();
  }

  #request(number: number, id: number, op: number, flags: number, name: string, args: readonly unknown[]): Uint8Array {
    const sink = new HeapSink();
    writeRequest(sink, number, id, op, flags, name);
    if (args.length > 0)
      writingFor(
        (ref) => this.#own(ref as ObjectRef),
        () => encodeTo(sink, args, WRITE),
      );
    return sink.take();
  }

  /** What has no arguments, and no answer. */
  #tell(number: number, id: number, op: number, name: string): void {
    this.#socket.send(this.#request(number, id, op, 0, name, []));
  }

  /** The manager would end the connection, and with it all that goes over it. */
  #checkLength(request: Uint8Array): Uint8Array {
    if (request.length <= this.#theirMaxMessage) return request;
    throw rangeError("args", `at most ${this.#theirMaxMessage} bytes long (the manager's maxMessage)`, request.length);
  }

  /** A proxy among the arguments: one of this manager, or it means nothing there. */
  #own(ref: ObjectRef): HandleTransfer {
    if (ref.client !== this) throw new SerializationError("Cannot send a proxy of another manager to a stranger");
    return { tag: PROXY_TAG, data: { id: ref.id, surface: "" } };
  }

  #take(message: Uint8Array): void {
    const source = sourceOf(message);
    const { call } = PendingCalls.header(source);
    readingFrom(
      (transfer) => this.#revive(transfer),
      () => this.#pending.settle(call, source, false),
    );
    if (this.#pending.size === 0) this.#socket.unref();
  }

  #revive({ id, surface }: StrangerTransfer): object {
    const known = this.#known.get(id);
    const before = known?.proxy.deref();
    if (known !== undefined && before !== undefined && !refOf(before).released) {
      known.received += 1;
      return before;
    }
    const proxy = makeProxy(this, id, unpackSurface(surface), undefined);
    // One that was collected and not yet told of is told of together with this one.
    this.#known.set(id, { proxy: new WeakRef(proxy), received: (known?.received ?? 0) + 1 });
    this.#collected.register(proxy, id);
    return proxy;
  }

  #forget(id: number): void {
    const known = this.#known.get(id);
    this.#known.delete(id);
    if (known !== undefined && this.#ended === undefined) this.#tell(0, id, Op.drop, String(known.received));
  }

  #assertOpen(): void {
    if (this.#ended !== undefined) throw new ManagerDiedError(`Cannot call the manager: ${this.#ended}`);
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#pending.failAll(() => new ManagerDiedError(`Cannot call the manager: ${why}`));
  }
}
