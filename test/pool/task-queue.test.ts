import assert from "node:assert/strict";
import { test } from "node:test";
import type { Task } from "../../src/pool/task.ts";
import { TaskQueue } from "../../src/pool/task-queue.ts";
import { Random } from "../helpers/random.ts";

const numbered = (index: number): Task => ({ index, queued: false }) as Task;
const indices = (tasks: Iterable<Task>): number[] => [...tasks].map(({ index }) => index);

test("a queue does as an array would, whatever is put, taken, put back and deleted", (t) => {
  const random = new Random();
  t.diagnostic(`seed ${random.seed}`);
  const queue = new TaskQueue();
  const model: Task[] = [];
  for (let step = 0, made = 0; step < 20_000; step++) {
    const choice = random.pick(["push", "push", "push", "unshift", "shift", "delete", "delete", "drain"] as const);
    if (choice === "push" || choice === "unshift") {
      const task = numbered(made++);
      queue[choice](task);
      model[choice](task);
    } else if (choice === "shift") assert.equal(queue.shift(), model.shift());
    else if (choice === "delete" && model.length > 0) {
      const task = random.pick(model);
      queue.delete(task);
      queue.delete(task);
      model.splice(model.indexOf(task), 1);
    } else if (choice === "drain" && step % 50 === 0)
      assert.deepEqual(indices(queue.drain()), indices(model.splice(0)));
    assert.equal(queue.size, model.length);
    if (step % 100 === 0) assert.deepEqual(indices(queue), indices(model));
  }
});

test("deleting all of many tasks, in either direction, looks at each a few times only", () => {
  const count = 20_000;
  for (const order of ["forth", "back"]) {
    let looks = 0;
    const tasks = Array.from({ length: count }, (_, index) => {
      let queued = false;
      return Object.defineProperty({ index } as Task, "queued", {
        get: () => (looks++, queued),
        set(value: boolean) {
          queued = value;
        },
      });
    });
    const queue = new TaskQueue();
    for (const task of tasks) queue.push(task);
    for (const task of order === "back" ? tasks.toReversed() : tasks) queue.delete(task);
    assert.equal(queue.size, 0);
    assert.ok(looks < 5 * count, `${looks} looks`);
  }
});
