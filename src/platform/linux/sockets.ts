/** Stream sockets, made and connected without waiting. Sources: socket(7), unix(7), ip(7), ipv6(7). */

import { closeSync } from "node:fs";
import { net } from "../../core/node-builtins.ts";
import { EAGAIN, EINPROGRESS, EINTR, systemError } from "../errno.ts";
import { checked, errno, libc } from "./libc.ts";
import { ownedByThread } from "./thread-owned.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ERROR = 4;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const UNIX_PATH_OFFSET = 2;
const MAX_UNIX_PATH = 107;
const MAX_ADDRESS_BYTES = 128;

/** A path of the file system (or, after a NUL, an abstract name), or an IP address and port. */
export type SocketAddress = string | { readonly host: string; readonly port: number };

/** Listens at an address. @throws {SystemError} EADDRINUSE and so on. */
export function listenAt(address: SocketAddress, backlog: number): number {
  const packed = pack(address);
  const fd = open(packed);
  try {
    // Only for TCP: a port that was in use a moment ago can be taken again.
    if (typeof address !== "string") setOption(fd, SOL_SOCKET, SO_REUSEADDR);
    checked("bind", libc().bind(fd, packed, packed.length), describe(address));
    checked("listen", libc().listen(fd, backlog), describe(address));
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Takes a connection; undefined when there is none at the moment. */
export function acceptAt(fd: number): number | undefined {
  const accepted = libc().accept4(fd, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted !== -1) return ownedByThread(accepted);
  // ECONNABORTED and its like: the one who came is gone already.
  if (errno() === EAGAIN || errno() === EINTR || errno() === ECONNABORTED) return undefined;
  return checked("accept", accepted);
}

/** Begins to connect: when the socket can be written to, `connectError` tells what came of it. */
export function beginConnect(address: SocketAddress): number {
  const packed = pack(address);
  const fd = open(packed);
  if (libc().connect(fd, packed, packed.length) === 0 || errno() === EINPROGRESS) return fd;
  const code = errno();
  closeSync(fd);
  throw systemError("connect", code, describe(address));
}

/** Throws if connecting has failed. */
export function finishConnect(fd: number, address: SocketAddress): void {
  const value = new Int32Array(1);
  checked("getsockopt", libc().getsockopt(fd, SOL_SOCKET, SO_ERROR, value, Int32Array.of(4)));
  if (value[0] !== 0) throw systemError("connect", value[0] as number, describe(address));
}

/** Sends small messages at once. Does nothing for sockets that do so anyway. */
export function sendAtOnce(fd: number): void {
  libc().setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, Int32Array.of(1), 4);
}

/** The port that a socket was given. */
export function portOf(fd: number): number {
  const address = new Uint8Array(MAX_ADDRESS_BYTES);
  checked("getsockname", libc().getsockname(fd, address, Int32Array.of(MAX_ADDRESS_BYTES)));
  return ((address[2] as number) << 8) | (address[3] as number);
}

/** Why a path cannot be an address; undefined when it can. */
export function whyNotPath(path: string): string | undefined {
  const { length } = Buffer.from(path);
  if (length === 0 || path.indexOf("\0", 1) !== -1) return "a path without NUL characters";
  return length > MAX_UNIX_PATH ? `a path of at most ${MAX_UNIX_PATH} bytes` : undefined;
}

const ECONNABORTED = 103;

function open(packed: Uint8Array): number {
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  return ownedByThread(checked("socket", libc().socket(packed[0] as number, type, 0)));
}

function setOption(fd: number, level: number, name: number): void {
  checked("setsockopt", libc().setsockopt(fd, level, name, Int32Array.of(1), 4));
}

function describe(address: SocketAddress): string {
  return typeof address === "string" ? JSON.stringify(address) : `${address.host}:${address.port}`;
}

/** The address as the system wants it. The family is in the machine's order, the port in the network's. */
function pack(address: SocketAddress): Uint8Array {
  if (typeof address === "string") {
    const path = Buffer.from(address);
    const packed = new Uint8Array(UNIX_PATH_OFFSET + path.length + (address.startsWith("\0") ? 0 : 1));
    packed[0] = AF_UNIX;
    packed.set(path, UNIX_PATH_OFFSET);
    return packed;
  }
  const { host, port } = address;
  const packed = new Uint8Array(net().isIPv6(host) ? 28 : 16);
  packed[2] = port >> 8;
  packed[3] = port & 255;
  if (net().isIPv4(host)) {
    packed[0] = AF_INET;
    packed.set(host.split(".").map(Number), 4);
  } else {
    packed[0] = AF_INET6;
    packed.set(ipv6Bytes(host), 8);
  }
  return packed;
}

/** `::1` and so on, by what URL makes of it: eight groups without a gap do not exist there, so the gap is filled here. */
function ipv6Bytes(host: string): Uint8Array {
  const text = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [front = "", back] = text.split("::");
  const groups = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const first = groups(front);
  const last = back === undefined ? [] : groups(back);
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 255]));
}
