/** Options of `Listener` and `connect`, checked. */

import { net } from "../core/node-builtins.ts";
import { checkBoolean, checkInteger, checkKnownOptions, checkObject, rangeError, typeError } from "../core/options.ts";
import { whyNotPath } from "../platform/index.ts";
import type { SocketRules } from "./socket-transport.ts";

/** Where a Listener listens: a path for a Unix socket (after a NUL an abstract name), or host and port. */
export type Address = string | { readonly host?: string; readonly port: number };

/** Options of both sides of a connection between programs. */
export interface SocketOptions {
  /** What both sides must know. Required. */
  readonly authkey: string | Uint8Array;
  /** Bytes of the longest message that is sent or taken; default: 64 MiB. A longer one ends the connection. */
  readonly maxMessageBytes?: number;
  /** True to send and take functions and classes, which lets the other side run code here. Default: false. */
  readonly functions?: boolean;
  /** How long the other side may take to prove the key, in milliseconds; default: 10,000. */
  readonly handshakeTimeout?: number;
}

export interface CheckedSocketOptions extends SocketRules {
  readonly key: Uint8Array;
  readonly handshakeTimeout: number;
}

const DEFAULT_MAX_BYTES: number = 64 * 1024 * 1024;
const MAX_BYTES: number = 2 ** 31;
const HANDSHAKE_MS = 10_000;

export function checkSocketOptions(options: SocketOptions, more: readonly string[]): CheckedSocketOptions {
  checkObject("options", options);
  checkKnownOptions("options", options, ["authkey", "maxMessageBytes", "functions", "handshakeTimeout", ...more]);
  const { maxMessageBytes = DEFAULT_MAX_BYTES, functions = false, handshakeTimeout = HANDSHAKE_MS } = options;
  checkInteger("options.maxMessageBytes", maxMessageBytes, 1, MAX_BYTES);
  checkBoolean("options.functions", functions);
  checkInteger("options.handshakeTimeout", handshakeTimeout, 1, 2 ** 31 - 1);
  return { key: keyBytes(options.authkey), maxMessageBytes, functions, handshakeTimeout };
}

/** @throws {TypeError} If it is no address. */
export function checkAddress(address: Address): string | { readonly host: string; readonly port: number } {
  if (typeof address === "string") {
    const wrong = whyNotPath(address);
    if (wrong !== undefined) throw rangeError("address", wrong, address);
    return address;
  }
  if (typeof address !== "object" || address === null) throw typeError("address", "a path, or { host, port }", address);
  const { host = "127.0.0.1", port } = address;
  if (typeof host !== "string" || host === "") throw typeError("address.host", "a host's name or IP address", host);
  checkInteger("address.port", port, 0, 65535);
  return { host, port };
}

/** The IP address of a host for who listens, and must not wait for an answer. */
export function listeningHost(host: string): string {
  if (host === "localhost") return "127.0.0.1";
  if (net().isIP(host) === 0) throw rangeError("address.host", "an IP address of this machine, or localhost", host);
  return host;
}

function keyBytes(authkey: unknown): Uint8Array {
  if (typeof authkey === "string" && authkey !== "") return Buffer.from(authkey);
  if (authkey instanceof Uint8Array && authkey.length > 0) return Uint8Array.from(authkey);
  // Not shown: it may be a key, of another kind.
  throw Object.assign(new TypeError("options.authkey must be a text or bytes, not empty"), {
    code: "ERR_INVALID_ARG_TYPE",
  });
}
