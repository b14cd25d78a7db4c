/** The other process of the matrix, as long as there is no better one: one value in, its result out. */

import { setMainModule } from "../../src/capture/index.ts";
import { decode, encode, encodeError, prepare } from "../../src/codec/index.ts";

process.once("message", (message) => void answer(message as { main: string; bytes: Uint8Array }));

async function answer({ main, bytes }: { main: string; bytes: Uint8Array }): Promise<void> {
  setMainModule(main);
  let reply: { result?: Uint8Array; error?: Uint8Array };
  try {
    await prepare(bytes);
    const [fn, args] = decode(bytes) as [(...args: unknown[]) => unknown, unknown[]];
    reply = { result: encode(await fn(...args)) };
  } catch (error) {
    reply = { error: encodeError(error) };
  }
  process.send?.(reply, () => process.disconnect());
}
