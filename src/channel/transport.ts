/** What a Connection stands on: a pipe's end in shared memory, or a socket. */

import type { DecodeOptions, EncodeOptions } from "../codec/index.ts";
import type { Deadline } from "../core/deadline.ts";
import type { HandleTransfer } from "../core/handle.ts";
import type { NOTHING } from "../ring/index.ts";
import type { Readiness } from "../wait/index.ts";
import type { Outgoing } from "./message.ts";
import type { Take } from "./receive-port.ts";

export interface Transport {
  readonly readable: boolean;
  readonly writable: boolean;
  /** What may be sent and received. */
  readonly encodeOptions: EncodeOptions;
  readonly decodeOptions: DecodeOptions;
  /** @returns false when it would have to wait; the message is the caller's then, and when it throws. */
  trySend(message: Outgoing, method: string): boolean;
  /** Takes the message over. @param breathe Lets the event loop turn once first. */
  send(message: Outgoing, deadline: Deadline, method: string, breathe: boolean): Promise<void>;
  sendSync(message: Outgoing, deadline: Deadline, method: string): void;
  /** @returns NOTHING when there is nothing, or it takes time. */
  tryReceive<T>(take: Take<T>): T | typeof NOTHING;
  receive<T>(take: Take<T>, deadline: Deadline, method: string, breathe: boolean): Promise<T>;
  receiveSync<T>(take: Take<T>, deadline: Deadline, method: string): T;
  /** Waits until there is something to receive, or to say. */
  poll(deadline: Deadline): Promise<boolean>;
  pollSync(deadline: Deadline): boolean;
  readiness(): Readiness;
  /** Its calls that wait end with an error. Repeatable. */
  close(): void;
  /** What is sent in place of the connection. */
  transfer(): HandleTransfer;
}
