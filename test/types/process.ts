/** Types of processes: arguments are checked against the target, and its result is inferred. */

import { currentProcess, getContext, parentProcess, Process, type Sentinel, setStartMethod, wait } from "multiproc";
import { expectType } from "./expect.ts";

const repeat = (n: number, text: string): string => text.repeat(n);

const short = new Process(repeat, 2, "ab");
expectType<string>()(await short.start().result());
expectType<string>()(short.resultSync());
expectType<number | null>()(await short.join({ timeout: 5 }));
expectType<number | null>()(short.exitCode);
expectType<number | undefined>()(short.pid);
expectType<Sentinel>()(short.sentinel);
// @ts-expect-error: the second argument is a text
new Process(repeat, 2, 3);
// @ts-expect-error: an argument is missing
new Process(repeat, 2);

const long = new Process({ target: repeat, args: [2, "ab"], name: "n", daemon: true, stdio: "ignore", maxMemory: 1e8 });
expectType<string>()(await long.start().result());
// Here arguments may be any iterable, so they are not checked against the target.
expectType<string>()(await new Process({ target: repeat, args: new Set<unknown>([2, "ab"]) }).start().result());
// @ts-expect-error: there is no such option
new Process({ target: repeat, args: [2, "ab"], deamon: true });
// @ts-expect-error: a target is a function
new Process({ target: "repeat" });

// What an async function resolves to, what a generator returns, what a class makes.
expectType<number>()(await new Process(async () => 1).start().result());
expectType<boolean>()(
  await new Process(function* () {
    yield 1;
    return true;
  })
    .start()
    .result(),
);
class Job {
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }
}
expectType<Job>()(await new Process(Job, 3).start().result());

class Summing extends Process<number> {
  override run(): number {
    return 3;
  }
}
expectType<number>()(await new Summing().start().result());

expectType<string>()(await new (getContext("spawn").Process)(repeat, 1, "a").start().result());
setStartMethod("spare");
// @ts-expect-error: there is no fork
setStartMethod("fork");

expectType<string>()(currentProcess().name);
expectType<number | undefined>()(parentProcess()?.pid);
expectType<(Process<string> | Sentinel)[]>()(await wait([short, short.sentinel] as (typeof short | Sentinel)[]));
// @ts-expect-error: a time-out is a number
await short.join({ timeout: "1 s" });
