/**
 * What a spare does while it waits: everything that a start will do, once with nothing at stake, so that all of it is loaded
 * and compiled when it matters. It takes a start from 3 ms to 1.
 */

import { createFunction } from "../capture/restore.ts";
import type { FunctionDefinition } from "../capture/image.ts";
import { decode, encode, encodeError, prepare } from "../codec/index.ts";
import { inheritance } from "../core/inheritance.ts";
import { arena } from "../memory/index.ts";
import type { Bootstrap, Payload } from "../process/bootstrap.ts";
import { packParcel, unpackParcel } from "../process/parcel.ts";

/** The first call compiles; a few more let V8 learn the types. */
const ROUNDS = 4;

const SAMPLE: FunctionDefinition = {
  id: "rehearsal",
  source: "async (n, list) => ({ n, list, captured })",
  syntax: "arrow",
  name: "rehearsal",
  url: "multiproc:rehearsal",
  line: 0,
  column: 0,
  strict: true,
  isModule: true,
  variables: [{ name: "captured" }],
  keyParameters: [],
};

const HEADER: Bootstrap = {
  name: "rehearsal",
  identity: [],
  daemon: false,
  parentPid: 0,
  parentName: "",
  parentSlot: undefined,
  mainModule: "",
  startMethod: "spare",
  argv: [],
};

/** @param run Runs a payload as a start would. */
export async function rehearse(run: (payload: Payload) => unknown): Promise<void> {
  const draft = createFunction(SAMPLE);
  draft.set(0, { captured: new Map([[1, "a"]]) });
  for (let round = 0; round < ROUNDS; round++) {
    const sent = packParcel(HEADER, encode({ target: draft.fn, args: [round, [new Date(0), { a: 1.5 }]] }));
    const { payload } = unpackParcel(sent);
    await prepare(payload);
    encode(await run(decode(payload) as Payload), { root: "result" });
    encodeError(new RangeError("rehearsal"), { name: inheritance.name, pid: process.pid });
  }
  // Loads koffi, and maps the memory that is shared; takes no slot in the process table.
  arena();
}
