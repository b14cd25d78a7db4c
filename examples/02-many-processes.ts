// Many processes in a loop, each printing its pid and its parent's.
//   prints all 5 have ended: 0, 0, 0, 0, 0

import { currentProcess, parentProcess, Process } from "multiproc";

function work(n: number): void {
  console.log(`${currentProcess().name}: number ${n}, process ${process.pid}, parent ${parentProcess()?.pid}`);
}

const children: Process[] = [];
for (let n = 0; n < 5; n++) {
  const child = new Process({ target: work, args: [n] });
  children.push(child);
  child.start();
}
for (const child of children) await child.join();
console.log(`all ${children.length} have ended: ${children.map((child) => child.exitCode).join(", ")}`);
