/** Types of queues, pipes and connections. */

import { type Connection, connect, JoinableQueue, Listener, Pipe, Queue, SimpleQueue } from "multiproc";
import type { Duplex, Readable } from "node:stream";
import { expectType } from "./expect.ts";

const queue = new Queue<{ id: number }>(10);
await queue.put({ id: 1 }, { timeout: 10 });
expectType<{ id: number }>()(await queue.get());
expectType<{ id: number }>()(queue.getSync({ timeout: 1 }));
expectType<{ id: number } | undefined>()(queue.tryGet());
expectType<boolean>()(queue.tryPut({ id: 2 }));
for await (const item of queue) expectType<{ id: number }>()(item);
expectType<Readable>()(queue.toReadable());
// @ts-expect-error: only what the queue is for
await queue.put({ id: "1" });
// @ts-expect-error: a size is a number
new Queue("10");
expectType<number>()(new SimpleQueue<number>().getSync());
expectType<boolean>()(await new JoinableQueue<string>().join());
// @ts-expect-error: a queue of the base kind counts no tasks
queue.taskDone();

const [here, there] = Pipe<string>();
expectType<Connection<string>>()(here);
await there.send("a");
expectType<string>()(await here.recv({ timeout: 1 }));
expectType<boolean>()(await here.poll());
await here.sendBytes(new Uint8Array(2));
expectType<Uint8Array>()(await here.recvBytes({ maxLength: 4 }));
expectType<number>()(here.recvBytesIntoSync(new Float64Array(2)));
expectType<Duplex>()(here.toDuplex());
// @ts-expect-error: only what the pipe is for
await there.send(1);
// @ts-expect-error: bytes only
await there.sendBytes("text");

const listener = new Listener("/run/socket", { authkey: "secret" });
expectType<Connection<unknown>>()(await listener.accept());
expectType<Connection<number>>()(await connect<number>({ host: "127.0.0.1", port: 1 }, { authkey: new Uint8Array(8) }));
// @ts-expect-error: a key is required
await connect("/run/socket");
