/** How data moves between processes: queues, pipes, connections. */

export { connect } from "./connect.ts";
export { Connection, type ReceiveBytesOptions, type ReceiveIntoOptions, type SendBytesOptions } from "./connection.ts";
export { JoinableQueue } from "./joinable-queue.ts";
export { Listener, type ListenerOptions } from "./listener.ts";
export { Pipe, type PipeOptions } from "./pipe.ts";
export { Queue, type QueueOptions } from "./queue.ts";
export { SimpleQueue } from "./simple-queue.ts";
export type { Address, SocketOptions } from "./socket-options.ts";
