/** The tutorial's pool: five workers, ten tasks, and callbacks that run in the parent. */

import { Pool } from "multiproc";

function work(task: number): { task: number; pid: number } {
  return { task, pid: process.pid };
}

async function main(): Promise<void> {
  const pool = new Pool(5);
  console.log(`parent is ${process.pid}`);
  const results = Array.from({ length: 10 }, (_, i) =>
    pool.applyAsync(work, [i], {
      callback: ({ task, pid }) => console.log(`task ${task} ran in ${pid}, its callback in ${process.pid}`),
    }),
  );
  await Promise.all(results);
  pool.close();
  await pool.join();
}

await main();
