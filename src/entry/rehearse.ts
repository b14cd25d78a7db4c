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

/** A spare is woken once, unless what it was woken for cannot be encoded. */
const WAKES = 3;

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

/**
 * @param start Does with a message what a child does with its first one, and gives what the target returned.
 * @returns Does once more what is between the first message and the target, a few times at most: what has slept has cold caches.
 */
export async function rehearse(start: (message: Uint8Array) => Promise<unknown>): Promise<() => Promise<void>> {
  for (let round = 0; round < ROUNDS; round++) {
    const result = await start(sampleMessage(round));
    withFunctionSource(SOURCE, () => encode(result, { root: "result" }));
    withFunctionSource(SOURCE, () => encodeError(new RangeError("rehearsal"), { name: "rehearsal", pid: 0 }));
  }
  const kept = Array.from({ length: WAKES }, (_, i) => shortMessage(i));
  return async () => {
    const message = kept.pop();
    if (message !== undefined) await start(message);
  };
}

function sampleMessage(round: number): Uint8Array {
  return messageOf(encodeSample(round));
}

/** Takes less than what it wakes up for. */
function shortMessage(round: number): Uint8Array {
  const definition = { ...SAMPLE, id: `short ${round}`, source: `() => ${round}`, variables: [] };
  const image = { ...IMAGE, definition, values: [], cells: [] };
  return messageOf(
    withFunctionSource({ ...SOURCE, capture: () => image }, () => encode({ target: () => {}, args: [] })),
  );
}

function messageOf(payload: Uint8Array): Uint8Array {
  const message = packMessage(FrameType.go, packParcel(HEADER, payload));
  const [frame] = new FrameReader().read(message);
  return frame?.inline as Uint8Array;
}

/** Each of another text: V8 compiles none twice. */
function encodeSample(round: number): Uint8Array {
  const text = SAMPLE.source.replace("captured", `captured, round: ${round}`);
  const sample = { ...SAMPLE, id: `${SAMPLE.id} ${round}`, source: text };
  const source = { ...SOURCE, capture: () => ({ ...IMAGE, definition: sample }) };
  return withFunctionSource(source, () => encode({ target: () => {}, args: [1, [1.5, { a: "x" }]] }));
}
