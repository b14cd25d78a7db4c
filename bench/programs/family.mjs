// A program with a busy, a blocked and an idle child, and a grandchild; prints their pids and goes on for ever.
import { Lock, Process, Queue } from "../../dist/index.js";

const lock = new Lock();
const pids = new Queue();
await lock.acquire();
const children = [
  () => {
    pids.putSync(process.pid);
    for (;;);
  },
  () => {
    pids.putSync(process.pid);
    lock.acquireSync();
  },
  async () => {
    new Process(() => {
      pids.putSync(process.pid);
      for (;;);
    }).start();
    pids.putSync(process.pid);
    await new Promise((resolve) => setTimeout(resolve, 1e6));
  },
].map((target) => new Process(target).start());
const all = [];
while (all.length < 4) all.push(await pids.get());
console.log(JSON.stringify(all));
for (const child of children) await child.join();
