// Ten children write their pids into a dict and a list that live in a manager.
//   prints child 0 has pid \d+
//   prints child 9 has pid \d+
//   prints 10 children, 10 different pids

import { Manager, Process } from "multiproc";

const manager = await Manager.start();
const pids = await manager.dict<string, number>();
const order = await manager.list<number>();

const children = Array.from({ length: 10 }, (_, i) =>
  new Process(async () => {
    await pids.set(`child ${i}`, process.pid);
    await order.push(process.pid);
  }).start(),
);
for (const child of children) await child.join();

const byName = await pids.toObject();
for (let i = 0; i < 10; i++) console.log(`child ${i} has pid ${byName[`child ${i}`]}`);
console.log(`${await order.length()} children, ${new Set(await order.toArray()).size} different pids`);
await manager.shutdown();
