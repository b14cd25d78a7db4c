/** The tutorial's queue: one process produces, another consumes, and the parent waits for both. */
//   prints consumed square 0
//   prints consumed square 16
//   prints the consumer's sum is 30

import { Process, Queue } from "multiproc";

/** Runs in a process of its own. Each `put` hands one item over; nothing is lost when this process ends. */
async function produce(queue: Queue<number>, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    console.log(`produced square ${n * n} in ${process.pid}`);
    await queue.put(n * n); // waits while the queue is full
  }
  queue.shutdown(); // nothing more comes: who reads gets what is left, and then the end
}

/** Runs in another. The loop takes items in the order of their producer, and ends when the queue was shut down. */
async function consume(queue: Queue<number>): Promise<number> {
  let sum = 0;
  for await (const square of queue) {
    console.log(`consumed square ${square} in ${process.pid}`);
    sum += square;
  }
  return sum;
}

async function main(): Promise<void> {
  const queue = new Queue<number>(2); // at most 2 items at a time
  const producer = new Process(produce, queue, 5).start();
  const consumer = new Process(consume, queue).start();
  console.log(`the consumer's sum is ${await consumer.result()}`);
  await Promise.all([producer.join(), consumer.join()]);
}

await main();
