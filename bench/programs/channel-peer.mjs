// The other side of bench/channel.mjs, as a child process (process.send) or as a worker thread (a MessagePort): sends what it
// is asked for, as often as it is asked for.
import { parentPort } from "node:worker_threads";

const BLOCK = new Uint8Array(1 << 20);
const send = parentPort === null ? (value) => process.send(value) : (value) => parentPort.postMessage(value);

/** In batches, with a turn of the event loop between them, so that no long backlog builds up. */
function sendAll({ item, count, batch }) {
  const value = item === "block" ? BLOCK : item;
  const end = Math.min(count, batch);
  for (let i = 0; i < end; i++) send(value);
  if (count > end) setImmediate(sendAll, { item, count: count - end, batch });
}

(parentPort ?? process).on("message", (order) => (order === "end" ? process.exit() : sendAll(order)));
