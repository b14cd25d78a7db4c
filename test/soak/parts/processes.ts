/** Processes that return, throw, exit, have children of their own or only wait, by both start methods. */

import assert from "node:assert/strict";
import { getContext, ProcessDiedError, type Process } from "../../../src/index.ts";
import type { Lap, Part } from "../part.ts";

const AT_ONCE = 3;

class Refusal extends RangeError {
  readonly n: number;
  constructor(n: number) {
    super(`Cannot do ${n}`);
    this.n = n;
  }
}

/** How a process ends by itself. */
interface Life {
  readonly start: (n: number) => Process;
  /** Checks its result, or its error. */
  readonly check: (n: number, outcome: unknown) => void;
  readonly exitCode: number;
}

function isDeath(outcome: unknown, exitCode: number | null, signal: string | null): void {
  assert.ok(outcome instanceof ProcessDiedError, String(outcome));
  assert.equal(outcome.signal, signal);
  if (signal === null) assert.equal(outcome.exitCode, exitCode);
}

function livesBy(method: "spare" | "spawn"): Life[] {
  const { Process } = getContext(method);
  // Errors are expected here, and a child prints its own.
  const stdio = "ignore";
  return [
    {
      start: (n) => new Process({ stdio, target: (m: number) => m + n, args: [1] }).start(),
      check: (n, outcome) => assert.equal(outcome, n + 1),
      exitCode: 0,
    },
    {
      start: (n) =>
        new Process({
          stdio,
          target: () => {
            throw new Refusal(n);
          },
        }).start(),
      check: (n, outcome) => assert.ok(outcome instanceof Refusal && outcome.n === n, String(outcome)),
      exitCode: 1,
    },
    {
      start: () => new Process({ stdio, target: () => process.exit(3) }).start(),
      check: (_n, outcome) => isDeath(outcome, 3, null),
      exitCode: 3,
    },
    {
      start: (n) => new Process({ stdio, target: () => new Process((m: number) => m * 2, n).start().result() }).start(),
      check: (n, outcome) => assert.equal(outcome, n * 2),
      exitCode: 0,
    },
    {
      start: () => {
        const child = new Process({ stdio, daemon: true, target: () => setInterval(() => {}, 1000) }).start();
        child.terminate();
        return child;
      },
      check: (_n, outcome) => isDeath(outcome, null, "SIGTERM"),
      exitCode: -15,
    },
  ];
}

const LIVES = [...livesBy("spare"), ...livesBy("spawn")];

async function live(lap: Lap, running: Set<number | undefined>): Promise<void> {
  const n = lap.random.below(1e6);
  const { start, check, exitCode } = lap.random.pick(LIVES);
  const child = start(n);
  const { pid } = child;
  running.add(pid);
  const outcome = await child.result().catch((error: unknown) => error);
  const code = await child.join();
  running.delete(pid);
  lap.count("processes");
  if (lap.wasKilled(pid) && code === -9) {
    lap.count("killed");
    // It may have been killed after it had said its result.
    if (outcome instanceof ProcessDiedError) return isDeath(outcome, null, "SIGKILL");
    return check(n, outcome);
  }
  check(n, outcome);
  assert.equal(code, exitCode);
}

export const processes: Part = {
  name: "processes",
  guarantee:
    "Each process settles `result()` and `join()` once: with what its function returned or threw and the exit code that goes with it, " +
    "or, only if it was killed, with `ProcessDiedError` (SIGKILL) and −9.",
  async lap(lap) {
    const running = new Set<number | undefined>();
    lap.expose(() => [...running]);
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (!lap.over) await live(lap, running);
      }),
    );
  },
};
