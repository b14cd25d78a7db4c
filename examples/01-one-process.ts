// One process with an argument: the first program of every multiprocessing tutorial.
//   prints main: process \d+
//   prints hello Bob, from process \d+, whose parent is \d+

import { parentProcess, Process } from "multiproc";

function greet(name: string): void {
  console.log(`hello ${name}, from process ${process.pid}, whose parent is ${parentProcess()?.pid}`);
}

console.log(`main: process ${process.pid}`);
const child = new Process({ target: greet, args: ["Bob"] });
child.start();
await child.join();
