/** Connecting to a manager of another program: the socket, TLS and the proof of the key, all in the time that there is. */

import type { Socket } from "node:net";
import { type Deadline, MAX_TIMER_MS } from "../core/deadline.ts";
import { StateError, TimeoutError } from "../core/errors.ts";
import { net, tls as nodeTls } from "../core/node-builtins.ts";
import { clearTimeout, setTimeout } from "../core/timers.ts";
import { FarClient } from "./far-client.ts";
import { HANDSHAKE_MS, MessageSocket } from "./message-socket.ts";
import type { BoundAddress, CheckedConnectOptions } from "./stranger-options.ts";

const ENDED_BEFORE_TLS =
  "Cannot connect: the other side ended the connection before TLS had begun; a manager does that when it has as many connections as it " +
  "allows (maxConnections)";

/**
 * Connects to a manager that listens. Rejects with AuthenticationError if the keys differ, StateError if it has as many connections as it
 * allows, TimeoutError when the time ran out, what the system or TLS says otherwise.
 */
export async function connectFar(address: BoundAddress, options: CheckedConnectOptions): Promise<FarClient> {
  const { key, tls, deadline, maxMessage } = options;
  deadline.throwIfAborted();
  const place = typeof address === "string" ? { path: address } : { ...address };
  const socket = tls === undefined ? net().connect(place) : nodeTls().connect({ ...place, ...tls });
  const connect = async (): Promise<FarClient> => {
    await (tls === undefined ? connected(socket, "connect") : secured(socket));
    const messages = new MessageSocket(socket, false);
    const theirMaxMessage = await messages.answer(key);
    return new FarClient(messages, maxMessage, theirMaxMessage);
  };
  return await inTime(connect(), deadline, () => socket.destroy());
}

function connected(socket: Socket, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once(event, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

/** Whoever answers and then says nothing must not be waited for without end. */
async function secured(socket: Socket): Promise<void> {
  const late = (): void =>
    void socket.destroy(new TimeoutError("Cannot connect: the other side does not answer by TLS"));
  socket.once("connect", () => socket.setTimeout(HANDSHAKE_MS, late));
  await connected(socket, "secureConnect").catch((cause: unknown) => {
    throw (cause as NodeJS.ErrnoException).code === "ECONNRESET" ? new StateError(ENDED_BEFORE_TLS, { cause }) : cause;
  });
  socket.setTimeout(0);
  socket.off("timeout", late);
}

function inTime<T>(work: Promise<T>, deadline: Deadline, cancel: () => void): Promise<T> {
  const { signal } = deadline;
  const left = deadline.remaining();
  return new Promise((resolve, reject) => {
    const stop = (error: unknown): void => {
      cancel();
      reject(error as Error);
    };
    const late = (): void => stop(new TimeoutError("Cannot connect: nobody answered, and the time ran out"));
    const abort = (): void => stop(signal?.reason);
    const timer = left === Infinity ? undefined : setTimeout(late, Math.min(left, MAX_TIMER_MS));
    signal?.addEventListener("abort", abort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    };
    work.finally(settle).then(resolve, reject);
  });
}
