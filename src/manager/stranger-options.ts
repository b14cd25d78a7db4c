/** Options of `Manager.listen` and `Manager.connect`, and their checks. */

import type { ConnectionOptions, TlsOptions } from "node:tls";
import { checkInteger, checkKnownOptions, checkObject, checkString, typeError } from "../core/options.ts";
import { keyBytes } from "./message-socket.ts";
import type { ManagerAddress, StrangerServerOptions } from "./stranger-server.ts";

const MAX_MESSAGE_BYTES = 64 * 2 ** 20;
const MAX_CONNECTIONS = 256;
const MAX_OBJECTS = 10_000;

/** Options of `listen`. */
export interface ListenOptions {
  /** The key that both sides must know: text or bytes. */
  authkey: string | Uint8Array;
  /** Options of Node's `tls.createServer`; default: no TLS. */
  tls?: TlsOptions | undefined;
  /** Names of the types that strangers can make objects of; default: all of `static types` and the built-in ones. */
  expose?: readonly string[] | undefined;
  /** Bytes of the longest message that is accepted; default 64 MiB. */
  maxMessage?: number | undefined;
  /** Connections at a time; default 256. */
  maxConnections?: number | undefined;
  /** Objects that one connection can hold; default 10,000. */
  maxObjects?: number | undefined;
}

/** Options of `connect`. */
export interface ConnectOptions {
  /** The key that both sides must know: text or bytes. */
  authkey: string | Uint8Array;
  /** Options of Node's `tls.connect`; default: no TLS. */
  tls?: ConnectionOptions | undefined;
  /** Bytes of the longest message that is accepted; default 64 MiB. */
  maxMessage?: number | undefined;
}

export function checkListenOptions(address: ManagerAddress, options: ListenOptions): StrangerServerOptions {
  checkAddress(address);
  checkObject("options", options);
  checkKnownOptions("Manager.listen", options, [
    "authkey",
    "tls",
    "expose",
    "maxMessage",
    "maxConnections",
    "maxObjects",
  ]);
  const { authkey, tls, expose } = options;
  if (expose !== undefined && !Array.isArray(expose)) throw typeError("options.expose", "an array of names", expose);
  return {
    address,
    key: keyBytes(authkey),
    tls,
    maxMessage: checkLimit("maxMessage", options.maxMessage, MAX_MESSAGE_BYTES),
    maxConnections: checkLimit("maxConnections", options.maxConnections, MAX_CONNECTIONS),
    maxObjects: checkLimit("maxObjects", options.maxObjects, MAX_OBJECTS),
  };
}

export function checkConnectOptions(
  address: ManagerAddress,
  options: ConnectOptions,
): { key: Uint8Array; tls: ConnectionOptions | undefined; maxMessage: number } {
  checkAddress(address);
  checkObject("options", options);
  checkKnownOptions("Manager.connect", options, ["authkey", "tls", "maxMessage"]);
  const maxMessage = checkLimit("maxMessage", options.maxMessage, MAX_MESSAGE_BYTES);
  return { key: keyBytes(options.authkey), tls: options.tls, maxMessage };
}

function checkAddress(address: ManagerAddress): void {
  if (typeof address === "string" && address !== "") return;
  if (typeof address !== "object" || address === null) throw typeError("address", "a path, or { host, port }", address);
  checkString("address.host", address.host);
  checkInteger("address.port", address.port, 0, 65_535);
}

function checkLimit(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  checkInteger(`options.${name}`, value, 1);
  return value;
}
