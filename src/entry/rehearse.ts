/**
 * What a spare does while it waits: everything that a start will do, with nothing at stake, so that all of it is compiled
 * when it matters. It takes a start from 3 ms to 1.
 */

import type { FunctionDefinition, SourceImage } from "../capture/image.ts";
import { encode, encodeError } from "../codec/encode.ts";
import { withFunctionSource } from "../codec/function-source.ts";
import type { FunctionSource } from "../codec/writer.ts";
import type { Bootstrap } from "../process/bootstrap.ts";
import { FrameReader, FrameType, packMessage } from "../process/frames.ts";
import { packParcel } from "../process/parcel.ts";

/** The first round compiles; V8 learns in the others. */
const ROUNDS = 3;

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
  ownFlags: 0,
  argv: process.argv,
};

const IMAGE: SourceImage = {
  kind: "source",
  definition: SAMPLE,
  values: [{ a: [1, "b"] }],
  cells: [undefined],
  keys: [],
  properties: [],
  prototypeProperties: [],
};

/** The analysis of functions is not loaded for this: it would take more memory than all the rest. */
const SOURCE: FunctionSource = {
  capture: () => IMAGE,
  referenceTo: () => undefined,
  refuseReason: () => undefined,
};

/** @param start Does with a message what a child does with its first one, and gives what the target returned. */
export async function rehearse(start: (message: Uint8Array) => Promise<unknown>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const message = packMessage(FrameType.go, packParcel(HEADER, encodeSample(round)));
    const [frame] = new FrameReader().read(message);
    const result = await start(frame?.inline as Uint8Array);
    withFunctionSource(SOURCE, () => encode(result, { root: "result" }));
    withFunctionSource(SOURCE, () => encodeError(new RangeError("rehearsal"), { name: "rehearsal", pid: 0 }));
  }
}

function encodeSample(round: number): Uint8Array {
  const sample = { ...SAMPLE, id: `${SAMPLE.id} ${round}` };
  const source = { ...SOURCE, capture: () => ({ ...IMAGE, definition: sample }) };
  return withFunctionSource(source, () => encode({ target: () => {}, args: [1, [1.5, { a: "x" }]] }));
}
