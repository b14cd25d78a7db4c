/** The other process of the matrix, as long as there is no better one: one value in, its result out. */

import { pack, unpack } from "../capture/parcel.ts";
import { setMainModule } from "../../src/capture/index.ts";

process.once("message", (message) => void answer(message as { main: string; bytes: Uint8Array }));

async function answer({ main, bytes }: { main: string; bytes: Uint8Array }): Promise<void> {
  setMainModule(main);
  let reply: Uint8Array;
  try {
    const [fn, args] = (await unpack(bytes)) as [(...args: unknown[]) => unknown, unknown[]];
    reply = pack({ result: await fn(...args) }, "result");
  } catch (error) {
    reply = pack({ error }, "error");
  }
  process.send?.(reply, () => process.disconnect());
}
