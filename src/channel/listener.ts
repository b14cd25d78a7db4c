import { unlinkSync } from "node:fs";
import { Deadline, type WaitOptions } from "../core/deadline.ts";
import { StateError, TimeoutError } from "../core/errors.ts";
import { checkInteger } from "../core/options.ts";
import { acceptAt, listenAt, portOf, sendAtOnce } from "../platform/index.ts";
import { Connection } from "./connection.ts";
import { authenticateListener } from "./handshake.ts";
import { SocketLine } from "./socket-line.ts";
import {
  type Address,
  checkAddress,
  type CheckedSocketOptions,
  checkSocketOptions,
  listeningHost,
  type SocketOptions,
} from "./socket-options.ts";
import { SocketTransport } from "./socket-transport.ts";

/** Options of a Listener. */
export interface ListenerOptions extends SocketOptions {
  /** How many may have connected without being accepted yet; default: 128. */
  readonly backlog?: number;
}

/**
 * Waits for other programs to connect, on this machine or from others.
 *
 * Both sides prove to each other that they know the same key before anything else is said, and nothing of a stranger is decoded before.
 * Functions and classes are not taken unless `functions` allows it, and handles of shared memory never. The line itself is not encrypted.
 *
 * @example
 * ```ts
 * import { connect, Listener } from "multiproc";
 *
 * using listener = new Listener({ host: "127.0.0.1", port: 0 }, { authkey: "secret" });
 * const connecting = connect(listener.address, { authkey: "secret" });
 * const server = await listener.accept();
 * const client = await connecting;
 * await client.send({ hello: "there" });
 * console.log(await server.recv()); // { hello: 'there' }
 * server.close();
 * client.close();
 * ```
 */
export class Listener {
  readonly #address: Exclude<Address, string> | string;
  readonly #options: CheckedSocketOptions;
  /** For its waiting: nothing is read from it. */
  readonly #line: SocketLine;
  readonly #fd: number;

  /**
   * Listens from now on.
   * @param address A path for a Unix socket, or host (an IP address of this machine; default 127.0.0.1) and port (0 for any that is free).
   * @throws {TypeError | RangeError} If an argument makes no sense, or there is no key. @throws {SystemError} EADDRINUSE and so on.
   */
  constructor(address: Address, options: ListenerOptions) {
    this.#options = checkSocketOptions(options, ["backlog"]);
    const { backlog = 128 } = options;
    checkInteger("options.backlog", backlog, 1, 65535);
    const checked = checkAddress(address);
    if (typeof checked === "string") {
      this.#fd = listenAt(checked, backlog);
      this.#address = checked;
    } else {
      const host = listeningHost(checked.host);
      this.#fd = listenAt({ host, port: checked.port }, backlog);
      this.#address = { host, port: portOf(this.#fd) };
    }
    this.#line = new SocketLine(this.#fd);
  }

  /** Where it listens, with the port that it was given. */
  get address(): Address {
    return this.#address;
  }

  /** True after `close()`. */
  get closed(): boolean {
    return this.#line.closed;
  }

  /**
   * Waits for the next one to connect and to prove the key. Rejects with AuthenticationError when it cannot (the listener goes on; accept
   * again), TimeoutError when the time ran out, StateError when the listener is or gets closed, with the reason when aborted.
   */
  async accept(options?: WaitOptions): Promise<Connection> {
    if (this.closed) throw new StateError("Cannot accept a connection: the listener is closed");
    const deadline = Deadline.from(options);
    deadline.throwIfAborted();
    const { key, handshakeTimeout } = this.#options;
    const line = new SocketLine(await this.#next(deadline));
    await authenticateListener(line, key, Deadline.from({ timeout: handshakeTimeout, signal: options?.signal }));
    return new Connection(new SocketTransport(line, this.#options));
  }

  /** Nobody can connect any more. Connections that were accepted stay. Repeatable. */
  close(): void {
    if (this.closed) return;
    this.#line.close();
    if (typeof this.#address !== "string" || this.#address.startsWith("\0")) return;
    try {
      unlinkSync(this.#address);
    } catch {
      // Somebody has removed it.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #next(deadline: Deadline): Promise<number> {
    for (;;) {
      const fd = acceptAt(this.#fd);
      if (fd !== undefined) {
        sendAtOnce(fd);
        return fd;
      }
      const came = !deadline.expired && (await this.#line.waitReadable(deadline));
      if (this.closed) throw new StateError("Cannot go on with accept(): the listener was closed");
      if (!came) throw new TimeoutError("Cannot accept a connection: nobody came, and the time ran out");
    }
  }
}
