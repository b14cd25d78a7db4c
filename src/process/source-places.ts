/**
 * Where in the source an error comes from, for functions whose text a loader made (tsx, vitest, a transform): only the process that sent
 * them first has the maps. A child that is about to print its last error asks its parent, which may have to ask its own.
 *
 * Answers stand in the mailbox, far behind all messages: each at a place of its own, its length before it and written last.
 */

import { fs } from "../core/node-builtins.ts";
import { inheritance } from "../core/inheritance.ts";
import { performance } from "../core/timers.ts";
import { ChildFd } from "./bootstrap.ts";
import { FrameType, isInMailbox, packMessage } from "./frames.ts";

/** A parent that is busy is not waited for longer: the text is printed as it is then. */
const ANSWER_MS = 1000;
const ANSWERS_AT: number = 2 ** 40;
const ANSWER_BYTES: number = 2 ** 20;
const HEAD_BYTES = 8;

let asked = 0;

/** The parent's side: writes the answer to the nth question of this child, from 0. */
export function answerPlaces(mailbox: number, nth: number, text: string): void {
  const bytes = Buffer.from(text);
  const at = ANSWERS_AT + nth * ANSWER_BYTES;
  fs.writeSync(mailbox, bytes, 0, bytes.length, at + HEAD_BYTES);
  fs.writeSync(mailbox, new Uint8Array(Float64Array.of(bytes.length).buffer), 0, HEAD_BYTES, at);
}

/** The child's side: the text with places in sources, if the parent knows any and says so in time. */
export function askForPlaces(text: string): string {
  const question = Buffer.from(text);
  if (inheritance.asksForPlaces !== true || question.length === 0 || isInMailbox(question.length)) return text;
  try {
    fs.writeSync(ChildFd.control, packMessage(FrameType.places, question));
    return readAnswer(ANSWERS_AT + asked++ * ANSWER_BYTES) ?? text;
  } catch {
    return text; // the parent is gone
  }
}

function readAnswer(at: number): string | undefined {
  const head = new Float64Array(1);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const end = performance.now() + ANSWER_MS; performance.now() < end; Atomics.wait(pause, 0, 0, 1)) {
    fs.readSync(ChildFd.mailbox, head, 0, HEAD_BYTES, at);
    if (head[0] === 0) continue;
    const bytes = Buffer.alloc(head[0] as number);
    fs.readSync(ChildFd.mailbox, bytes, 0, bytes.length, at + HEAD_BYTES);
    return bytes.toString();
  }
  return undefined;
}
