/** Options of `Manager.listen` and `Manager.connect`, and their checks. */

import type { ConnectionOptions, TlsOptions } from "node:tls";
import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { checkInteger, checkKnownOptions, checkObject, checkString, typeError } from "../core/options.ts";
import { keyBytes } from "./message-socket.ts";
import type { StrangerLimits } from "./stranger-session.ts";

const MAX_MESSAGE_BYTES = 64 * 2 ** 20;
const MAX_CONNECTIONS = 256;
const MAX_OBJECTS = 10_000;
const MAX_CALLS = 10_000;

/** A path (Unix socket), or a host (default 127.0.0.1) and a port. */
export type ManagerAddress = string | { readonly host?: string; readonly port: number };

/** Where a manager listens: the path, or the host and the port that it was given. */
export type BoundAddress<A extends ManagerAddress = ManagerAddress> = A extends string
  ? string
  : { readonly host: string; readonly port: number };

/** Options of `listen`. */
export interface ListenOptions {
  /** The key that both sides must know: text or bytes. */
  authkey: string | Uint8Array;
  /** Options of Node's `tls.createServer`, as `{ key, cert }`; default: no TLS. */
  tls?: TlsOptions | undefined;
  /** Names of the types that strangers can make objects of; default: all of `static types` and the built-in ones. */
  expose?: readonly string[] | undefined;
  /** Bytes of the longest message that is accepted; default 64 MiB. Who connects is told: a longer call rejects there with RangeError. */
  maxMessage?: number | undefined;
  /** Connections at a time; default 256. To one more `connect` rejects with StateError. */
  maxConnections?: number | undefined;
  /** Objects that one connection can hold; default 10,000. */
  maxObjects?: number | undefined;
  /**
   * Calls of one connection that can wait at a time: for a lock, an item, their turn; together they may be four times as long as
   * `maxMessage`. Default 10,000. One more rejects with StateError; calls that need not wait go on.
   */
  maxCalls?: number | undefined;
}

/** Options of `connect`. */
export interface ConnectOptions extends WaitOptions {
  /** The key that both sides must know: text or bytes. */
  authkey: string | Uint8Array;
  /** Options of Node's `tls.connect`, as `{ ca, servername }`; default: no TLS. */
  tls?: ConnectionOptions | undefined;
  /** Bytes of the longest message that is accepted; default 64 MiB. A longer reply ends the connection. */
  maxMessage?: number | undefined;
}

/** What `listen` was told, checked. */
export interface StrangerServerOptions extends StrangerLimits {
  readonly address: BoundAddress;
  readonly key: Uint8Array;
  readonly tls: TlsOptions | undefined;
  readonly maxConnections: number;
}

/** What `connect` was told, checked. */
export interface CheckedConnectOptions {
  readonly key: Uint8Array;
  readonly tls: ConnectionOptions | undefined;
  readonly maxMessage: number;
  readonly deadline: Deadline;
}

export function checkListenOptions(address: ManagerAddress, options: ListenOptions): StrangerServerOptions {
  const place = checkAddress(address);
  checkObject("options", options);
  checkKnownOptions("Manager.listen", options, [
    "authkey",
    "tls",
    "expose",
    "maxMessage",
    "maxConnections",
    "maxObjects",
    "maxCalls",
  ]);
  const { authkey, tls, expose } = options;
  if (expose !== undefined && !Array.isArray(expose)) throw typeError("options.expose", "an array of names", expose);
  if (tls !== undefined) checkObject("options.tls", tls);
  return {
    address: place,
    key: keyBytes(authkey),
    tls,
    maxMessage: checkLimit("maxMessage", options.maxMessage, MAX_MESSAGE_BYTES),
    maxConnections: checkLimit("maxConnections", options.maxConnections, MAX_CONNECTIONS),
    maxObjects: checkLimit("maxObjects", options.maxObjects, MAX_OBJECTS),
    maxCalls: checkLimit("maxCalls", options.maxCalls, MAX_CALLS),
  };
}

export function checkConnectOptions(options: ConnectOptions): CheckedConnectOptions {
  checkObject("options", options);
  checkKnownOptions("Manager.connect", options, ["authkey", "tls", "maxMessage", "timeout", "signal"]);
  const { authkey, tls, timeout, signal } = options;
  if (tls !== undefined) checkObject("options.tls", tls);
  const maxMessage = checkLimit("maxMessage", options.maxMessage, MAX_MESSAGE_BYTES);
  return { key: keyBytes(authkey), tls, maxMessage, deadline: Deadline.from({ timeout, signal }) };
}

/** @throws {TypeError | RangeError} If it is no address. */
export function checkAddress(address: ManagerAddress): BoundAddress {
  if (typeof address === "string" && address !== "") return address;
  if (typeof address !== "object" || address === null) throw typeError("address", "a path, or { host, port }", address);
  const { host = "127.0.0.1", port } = address;
  checkString("address.host", host);
  checkInteger("address.port", port, 0, 65_535);
  return { host, port };
}

function checkLimit(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  checkInteger(`options.${name}`, value, 1);
  return value;
}
