import { dns, net } from "../core/node-builtins.ts";
import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { rangeError } from "../core/options.ts";
import { TimeoutError } from "../core/errors.ts";
import { beginConnect, finishConnect, sendAtOnce, type SocketAddress } from "../platform/index.ts";
import { Connection } from "./connection.ts";
import { authenticateClient } from "./handshake.ts";
import { SocketLine } from "./socket-line.ts";
import { type Address, checkAddress, checkSocketOptions, type SocketOptions } from "./socket-options.ts";
import { SocketTransport } from "./socket-transport.ts";

/**
 * Connects to a Listener, and proves the key to it.
 *
 * @param address What the listener's `address` says, or a host's name and port.
 * @returns The connection. Rejects with AuthenticationError when the keys differ or the other one is no listener, SystemError (ECONNREFUSED,
 *   ENOENT …) when there is nobody, TimeoutError when the time ran out, with the reason when aborted. TypeError without a key.
 * @example
 * ```ts
 * import { connect, Listener } from "multiproc";
 *
 * using listener = new Listener({ host: "127.0.0.1", port: 0 }, { authkey: "a secret" });
 * const accepted = listener.accept();
 * using far = await connect<string>(listener.address, { authkey: "a secret" }); // from another program, or machine
 * using near = await accepted;
 * await far.send("hello");
 * console.log(await near.recv()); // hello
 * ```
 */
export async function connect<T = unknown>(
  address: Address,
  options: SocketOptions & WaitOptions,
): Promise<Connection<T>> {
  const checked = checkSocketOptions(options, ["timeout", "signal"]);
  const target = checkAddress(address);
  if (typeof target !== "string" && target.port === 0) throw rangeError("address.port", "a port from 1 to 65535", 0);
  const { timeout, signal } = options;
  const deadline = Deadline.from({ timeout, signal });
  deadline.throwIfAborted();
  const line = await open(typeof target === "string" ? target : await resolved(target), deadline);
  const forHandshake = Deadline.from({ timeout: Math.min(checked.handshakeTimeout, deadline.remaining()), signal });
  await authenticateClient(line, checked.key, forHandshake);
  return new Connection<T>(new SocketTransport(line, checked));
}

async function resolved(address: { readonly host: string; readonly port: number }): Promise<SocketAddress> {
  if (net().isIP(address.host) !== 0) return address;
  return { host: (await dns().lookup(address.host)).address, port: address.port };
}

async function open(address: SocketAddress, deadline: Deadline): Promise<SocketLine> {
  const fd = beginConnect(address);
  const line = new SocketLine(fd);
  try {
    if (!(await line.waitWritable(deadline)))
      throw new TimeoutError("Cannot connect: nobody answered, and the time ran out");
    finishConnect(fd, address);
    sendAtOnce(fd);
    return line;
  } catch (error) {
    line.close();
    throw error;
  }
}
