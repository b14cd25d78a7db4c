/** Listens for strangers in the manager's process. */

import { once } from "node:events";
import { lstatSync, unlinkSync } from "node:fs";
import type { Server, Socket } from "node:net";
import { net, tls as nodeTls } from "../core/node-builtins.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { HANDSHAKE_MS, MessageSocket, turnAway } from "./message-socket.ts";
import type { ObjectTable } from "./object-table.ts";
import type { SharedObject } from "./shared-object.ts";
import type { BoundAddress, StrangerServerOptions } from "./stranger-options.ts";
import { StrangerSession } from "./stranger-session.ts";

export class StrangerServer {
  readonly #options: StrangerServerOptions;
  readonly #sessions = new Set<StrangerSession>();
  readonly #server: Server;
  #open = 0;

  constructor(options: StrangerServerOptions, dispatcher: Dispatcher, control: SharedObject, table: ObjectTable) {
    this.#options = options;
    const { tls } = options;
    this.#server =
      tls === undefined ? net().createServer() : nodeTls().createServer({ handshakeTimeout: HANDSHAKE_MS, ...tls });
    this.#server.on("connection", (socket: Socket) => this.#count(socket));
    this.#server.on(
      tls === undefined ? "connection" : "secureConnection",
      (socket: Socket) => void this.#accept(socket, dispatcher, control, table),
    );
  }

  /** Starts to listen. @returns the address, with the port that was given. */
  async listen(): Promise<BoundAddress> {
    const { address } = this.#options;
    try {
      await this.#bind();
    } catch (error) {
      const inUse = (error as NodeJS.ErrnoException).code === "EADDRINUSE";
      if (!inUse || typeof address !== "string" || !(await isLeftOver(address))) throw error;
      unlinkSync(address);
      await this.#bind();
    }
    // No more descriptors, say: whoever wants to connect has to wait, and the others go on.
    this.#server.on("error", () => {});
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : address;
  }

  close(): void {
    this.#server.close();
    for (const session of this.#sessions) session.close();
  }

  async #bind(): Promise<void> {
    const { address } = this.#options;
    this.#server.listen(typeof address === "string" ? { path: address } : { ...address });
    await once(this.#server, "listening");
  }

  /** Before it has proved anything, and before TLS: whoever only connects must not fill the memory either. */
  #count(socket: Socket): void {
    if (this.#open >= this.#options.maxConnections) {
      // By TLS nothing can be said before its handshake, which costs what is to be saved.
      if (this.#options.tls === undefined) turnAway(socket);
      else socket.destroy();
      return;
    }
    this.#open += 1;
    socket.once("close", () => (this.#open -= 1));
  }

  async #accept(socket: Socket, dispatcher: Dispatcher, control: SharedObject, table: ObjectTable): Promise<void> {
    if (!socket.writable) return;
    const messages = new MessageSocket(socket, true);
    try {
      await messages.challenge(this.#options.key, this.#options.maxMessage);
    } catch {
      return;
    }
    const name =
      socket.remoteAddress === undefined
        ? "a connection"
        : `the connection from ${socket.remoteAddress}:${socket.remotePort}`;
    const session = new StrangerSession(name, messages, control, table, this.#options);
    this.#sessions.add(session);
    session.serve(dispatcher, () => this.#sessions.delete(session));
  }
}

/** True for the socket of a manager that was killed: it is there, and nobody answers. */
async function isLeftOver(path: string): Promise<boolean> {
  if (!lstatSync(path).isSocket()) return false;
  const socket = net().connect({ path });
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ECONNREFUSED";
  } finally {
    socket.destroy();
  }
}
