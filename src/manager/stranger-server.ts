/** Listens for strangers in the manager's process. */

import { createServer, type Server, type Socket } from "node:net";
import type { TlsOptions } from "node:tls";
import { tls as nodeTls } from "../core/node-builtins.ts";
import { once } from "node:events";
import type { Dispatcher } from "./dispatcher.ts";
import { MessageSocket } from "./message-socket.ts";
import type { ObjectTable } from "./object-table.ts";
import type { SharedObject } from "./shared-object.ts";
import { type StrangerLimits, StrangerSession } from "./stranger-session.ts";

/** A path (Unix socket), or a host and a port. */
export type ManagerAddress = string | { readonly host: string; readonly port: number };

/** What the server is told; checked by Manager.listen. */
export interface StrangerServerOptions extends StrangerLimits {
  readonly address: ManagerAddress;
  readonly key: Uint8Array;
  readonly tls: TlsOptions | undefined;
  readonly maxConnections: number;
}

export class StrangerServer {
  readonly #options: StrangerServerOptions;
  readonly #sessions = new Set<StrangerSession>();
  readonly #server: Server;
  #open = 0;

  constructor(options: StrangerServerOptions, dispatcher: Dispatcher, control: SharedObject, table: ObjectTable) {
    this.#options = options;
    const accept = (socket: Socket): void => void this.#accept(socket, dispatcher, control, table);
    this.#server = options.tls === undefined ? createServer(accept) : nodeTls().createServer(options.tls, accept);
  }

  /** Starts to listen. @returns the address, with the port that was given. */
  async listen(): Promise<ManagerAddress> {
    const { address } = this.#options;
    this.#server.listen(typeof address === "string" ? { path: address } : { ...address });
    await once(this.#server, "listening");
    const bound = this.#server.address();
    return typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : address;
  }

  close(): void {
    this.#server.close();
    for (const session of this.#sessions) session.close();
  }

  async #accept(socket: Socket, dispatcher: Dispatcher, control: SharedObject, table: ObjectTable): Promise<void> {
    // Counted before it has proved anything: whoever only connects must not fill the memory either.
    if (this.#open >= this.#options.maxConnections) {
      socket.destroy();
      return;
    }
    this.#open += 1;
    socket.once("close", () => (this.#open -= 1));
    const messages = new MessageSocket(socket);
    try {
      await messages.challenge(this.#options.key);
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
