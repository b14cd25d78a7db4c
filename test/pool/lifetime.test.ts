import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const index = join(dirname(fileURLToPath(import.meta.url)), "../../src/index.js");

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program of its own; `onLine` hears what it prints. */
function runProgram(text: string, onOutput: (out: string, pid: number) => void = () => {}): Promise<Ended> {
  const program = `import { Pool } from ${JSON.stringify(index)};\n${text}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (data) => onOutput((out += String(data)), child.pid as number));
  child.stderr.on("data", (data) => (err += String(data)));
  return new Promise((resolve) => child.on("close", (code, signal) => resolve({ code, signal, out, err })));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function gone(pid: number): Promise<void> {
  for (const until = Date.now() + 5000; isAlive(pid);) {
    assert.ok(Date.now() < until, `process ${pid} lives on`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("114: a pool that is never closed lets its program end, with exit code 0 and nothing on stderr", async () => {
  const { code, out, err } = await runProgram(
    `const pool = new Pool(2); console.log(await pool.map((n) => n + 1, [1, 2]), await pool.apply(() => process.pid));`,
  );
  assert.equal(code, 0);
  assert.match(out, /\[ 2, 3 \] \d+/);
  assert.equal(err, "");
  await gone(Number(/\] (\d+)/.exec(out)?.[1]));
});

test("a generator that nobody reads on lets its program end, one that is waited for does not", async () => {
  const { code, out, err } = await runProgram(
    `const pool = new Pool(2);
     const endless = function* () { for (let i = 0; ; i++) yield i; };
     const slow = async function* () {
       try {
         for (let i = 0; i < 3; i++) { await new Promise((resolve) => setTimeout(resolve, 50)); yield i; }
       } finally {
         await new Promise((resolve) => setTimeout(resolve, 50));
         console.log("finally");
       }
     };
     const all = [];
     for await (const n of await pool.submit(slow)) all.push(n);
     for await (const n of pool.imap(slow, [1, 2])) all.push(n);
     console.log(all.join());
     const stopped = await pool.submit(slow);
     await stopped.next();
     stopped.return();
     const left = await pool.submit(endless);
     console.log((await left.next()).value, (await left.next()).value);
     console.log((await pool.imap(endless, endless()).next()).value);`,
  );
  assert.equal(code, 0);
  assert.deepEqual(out.match(/finally/g)?.length, 4);
  assert.deepEqual(out.replaceAll("finally\n", ""), "0,1,2,0,1,2,0,1,2\n0 1\n0\n");
  assert.equal(err, "");
});

test("T7, node-peers: when the parent is SIGKILLed, a busy worker and an idle one are gone", async () => {
  let killed = false;
  const { signal, out } = await runProgram(
    `const pool = new Pool(2);
     const idle = await pool.apply(() => process.pid);
     const busy = pool.apply(() => { console.log("pid", process.pid); for (;;); });
     console.log("idle", idle);
     await busy;`,
    (text, pid) => {
      if (killed || !/pid \d+/.test(text) || !/idle \d+/.test(text)) return;
      killed = true;
      process.kill(pid, "SIGKILL");
    },
  );
  assert.equal(signal, "SIGKILL");
  for (const pid of out.match(/\d+/g) ?? []) await gone(Number(pid));
});

test("a SIGINT to the whole group that the program handles does not end its workers", async () => {
  let sent = false;
  const { code, out, err } = await runProgram(
    `const pool = new Pool(1);
     await pool.apply(() => 1);
     const alive = setInterval(() => {}, 1000);
     const heard = new Promise((resolve) => process.once("SIGINT", resolve));
     const before = await pool.apply(() => process.pid);
     console.log("ready");
     await heard;
     clearInterval(alive);
     console.log((await pool.apply(() => process.pid)) === before);
     pool.close();
     await pool.join();`,
    (text, pid) => {
      if (sent || !text.includes("ready")) return;
      sent = true;
      process.kill(-pid, "SIGINT");
    },
  );
  assert.equal(code, 0);
  assert.match(out, /true/);
  assert.equal(err, "");
});

test("Ctrl-C ends a program with a busy pool, without stack traces", async () => {
  let sent = false;
  const { signal, out, err } = await runProgram(
    `const pool = new Pool(1);
     await pool.apply(() => { console.log("pid", process.pid); for (;;); });`,
    (text, pid) => {
      if (sent || !/pid \d+/.test(text)) return;
      sent = true;
      process.kill(-pid, "SIGINT");
    },
  );
  assert.equal(signal, "SIGINT");
  assert.equal(err, "");
  await gone(Number(/\d+/.exec(out)?.[0]));
});

test("node-peers: an error thrown after a task's end hits no other task: its worker ends as any Node program does", async () => {
  const { code, out, err } = await runProgram(
    `const pool = new Pool(1);
     await pool.apply(() => void process.once("SIGUSR2", () => { throw new Error("late"); }));
     // Signalled when the next task has begun, which never ends by itself.
     await pool.apply(() => new Promise(() => process.kill(process.pid, "SIGUSR2"))).catch((e) => console.log(e.name));
     console.log(await pool.apply(() => "alive"));
     pool.close();
     await pool.join();`,
  );
  assert.equal(code, 0);
  assert.match(out, /WorkerDiedError\nalive/);
  assert.equal(err.match(/Error: late/g)?.length, 1);
});
