// Two processes take two locks in opposite order: who waits for whom, and the mended program.
//   prints ^deadlock: 2 processes
//   prints ^  (first|second) holds Lock "(accounts|journal)" \(acquired at .*/06-deadlock\.ts:\d+\) and waits for Lock "(accounts|journal)"
//   prints ^  (first|second) holds Lock "(accounts|journal)" \(acquired at .*/06-deadlock\.ts:\d+\) and waits for Lock "(accounts|journal)"
//   prints ^refused: DeadlockError, .* acquired at .*/06-deadlock\.ts:56, .* acquired at .*/06-deadlock\.ts:56
//   prints ^the other: got both
//   prints ^in one order: 0, 0

import { setTimeout as sleep } from "node:timers/promises";
import { Barrier, DeadlockError, deadlocks, Lock, Process } from "multiproc";

const accounts = new Lock({ name: "accounts" });
const journal = new Lock({ name: "journal" });
const bothHoldOne = new Barrier(2);

// 1. The mistake. Each gets its first lock, then waits for the other's.
const first = new Process({
  name: "first",
  target: () => {
    accounts.acquireSync();
    bothHoldOne.waitSync();
    journal.acquireSync();
  },
}).start();
const second = new Process({
  name: "second",
  target: () => {
    journal.acquireSync();
    bothHoldOne.waitSync();
    accounts.acquireSync();
  },
}).start();

let found = await deadlocks();
while (found.length === 0) {
  await sleep(10);
  found = await deadlocks();
}
for (const { processes } of found) {
  console.log(`deadlock: ${processes.length} processes`);
  for (const { name, holds, waitsFor, acquiredAt } of processes) {
    console.log(`  ${name} holds ${holds} (acquired at ${acquiredAt}) and waits for ${waitsFor}`);
  }
}
for (const child of [first, second]) {
  child.kill();
  await child.join();
}

// 2. Locks that detect it: of the two, the one that waited last gets an error instead of waiting for ever.
const left = new Lock({ name: "left", detectDeadlock: true });
const right = new Lock({ name: "right", detectDeadlock: true });
const again = new Barrier(2);

function takeBoth(one: Lock, other: Lock): string {
  return one.useSync(() => {
    again.waitSync();
    return other.useSync(() => "got both");
  });
}
const opposite = [
  new Process({ target: takeBoth, args: [left, right], stdio: "ignore" }).start(),
  new Process({ target: takeBoth, args: [right, left], stdio: "ignore" }).start(),
];
const outcomes = await Promise.allSettled(opposite.map((child) => child.result()));
for (const outcome of outcomes) {
  if (outcome.status === "fulfilled" || !(outcome.reason instanceof DeadlockError)) continue;
  const holders = outcome.reason.processes.map(({ holds, acquiredAt }) => `${holds} acquired at ${acquiredAt}`);
  console.log(`refused: DeadlockError, ${holders.join(", ")}`);
}
for (const outcome of outcomes) if (outcome.status === "fulfilled") console.log(`the other: ${outcome.value}`);

// 3. Mended: everybody takes them in the same order.
const a = new Lock();
const b = new Lock();
const inOrder = (): void => {
  for (let i = 0; i < 1000; i++) a.useSync(() => b.useSync(() => {}));
};
const children = [new Process(inOrder).start(), new Process(inOrder).start()];
const codes = [];
for (const child of children) codes.push(await child.join());
console.log(`in one order: ${codes.join(", ")}`);
