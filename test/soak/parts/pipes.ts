/** Pipes to children that are killed while they write, and while they echo. */

import assert from "node:assert/strict";
import { BrokenPipeError, type Connection, EndOfStreamError, Pipe, Process, Value } from "../../../src/index.ts";
import { isOneOf } from "../is-one-of.ts";
import type { Lap, Part } from "../part.ts";

const LONGEST = 30_000;
const PATIENCE_MS = 60_000;

interface Message {
  readonly n: number;
  readonly pad: string;
}

/** Writes until it is told to stop, and says how many messages were handed over. */
async function write(to: Connection<Message>, sent: Value<"int32">, stop: Value<"int32">): Promise<void> {
  for (let n = 0; stop.value === 0; n++) {
    const message = { n, pad: "p".repeat((n * 7919) % LONGEST) };
    if (n % 2 === 0) to.sendSync(message);
    else await to.send(message);
    sent.add(1);
  }
}

async function stream(lap: Lap, running: Set<number | undefined>): Promise<void> {
  const [reader, writer] = Pipe<Message>({ duplex: false });
  const sent = new Value("int32", 0);
  const stop = new Value("int32", 0);
  const child = new Process(write, writer, sent, stop).start();
  writer.close();
  running.add(child.pid);
  let got = 0;
  try {
    for (;;) {
      if (lap.over) stop.value = 1;
      const { n, pad } = await reader.recv({ timeout: PATIENCE_MS });
      assert.equal(n, got++);
      assert.equal(pad.length, (n * 7919) % LONGEST);
    }
  } catch (error) {
    if (!(error instanceof EndOfStreamError)) throw error;
  }
  const code = await child.join();
  running.delete(child.pid);
  if (code !== 0) assert.ok(lap.wasKilled(child.pid), `the writer ended with ${code}`);
  // The message under way when it was killed may have been handed over, but not counted yet.
  assert.ok(got === sent.value || (code === -9 && got === sent.value + 1), `${sent.value} sent, ${got} received`);
  lap.count("messages streamed", got);
  reader.close();
}

async function echo(at: Connection<number>): Promise<void> {
  for await (const n of at) await at.send(n);
}

async function roundTrips(lap: Lap, running: Set<number | undefined>): Promise<void> {
  const [here, there] = Pipe<number>();
  const child = new Process(echo, there).start();
  there.close();
  running.add(child.pid);
  try {
    for (let n = 0; !lap.over; n++) {
      await here.send(n);
      assert.equal(await here.recv({ timeout: PATIENCE_MS }), n);
      lap.count("round trips");
    }
  } catch (error) {
    assert.ok(isOneOf(error, EndOfStreamError, BrokenPipeError) && lap.wasKilled(child.pid), String(error));
    await child.join();
    await assert.rejects(here.send(0), BrokenPipeError);
  }
  here.close();
  await child.join();
  running.delete(child.pid);
}

export const pipes: Part = {
  name: "pipes",
  guarantee:
    "What a completed `send` handed over arrives, once and in order, also when the writer was killed right afterwards; at most the one " +
    "message under way comes on top. Then `EndOfStreamError`; who sends to the dead gets `BrokenPipeError`.",
  async lap(lap) {
    const running = new Set<number | undefined>();
    lap.expose(() => [...running]);
    await Promise.all(
      [stream, roundTrips].map(async (exchange) => {
        while (!lap.over) await exchange(lap, running);
      }),
    );
  },
};
