/**
 * Messages over a line of bytes: 4 bytes of length, 4 bytes of kind, little-endian, then the message. What is longer than the limit is not
 * read at all: the line is closed.
 */

import type { RecordView } from "../ring/index.ts";
import { NOTHING_YET, type SocketLine } from "./socket-line.ts";

const HEADER_BYTES = 8;
/** What is shorter is copied behind its header, so that it goes in one piece. */
const JOINED_BYTES = 65536;

/** What `next` gives when there is no whole message. */
export const MORE_TO_COME = "more to come";
export const AT_END = "at the end";

export class FramedLine {
  readonly line: SocketLine;
  readonly #maxBytes: number;
  readonly #header = new Uint8Array(HEADER_BYTES);
  readonly #headerView: DataView = new DataView(this.#header.buffer);
  #headerHas = 0;
  #body: Uint8Array | undefined;
  #bodyHas = 0;
  #ended = false;
  /** Why the line was closed, if not by the other side. */
  #fault: string | undefined;

  constructor(line: SocketLine, maxBytes: number) {
    this.line = line;
    this.#maxBytes = maxBytes;
  }

  get fault(): string | undefined {
    return this.#fault;
  }

  /** True when `next` gives something else than MORE_TO_COME. */
  get ready(): boolean {
    return this.#advance() !== MORE_TO_COME;
  }

  /** Takes a message if it is there as a whole. */
  next(): RecordView | typeof MORE_TO_COME | typeof AT_END {
    const state = this.#advance();
    if (state !== undefined) return state;
    const bytes = this.#body as Uint8Array;
    this.#body = undefined;
    this.#headerHas = 0;
    return {
      kind: this.#headerView.getUint32(4, true),
      aux: 0,
      bytes,
      view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
      position: 0,
      limit: bytes.length,
    };
  }

  /** Reads on. @returns undefined when a message is there as a whole. */
  #advance(): typeof MORE_TO_COME | typeof AT_END | undefined {
    while (!this.#ended) {
      if (this.#body !== undefined && this.#bodyHas === this.#body.length) return undefined;
      const target =
        this.#body === undefined ? this.#header.subarray(this.#headerHas) : this.#body.subarray(this.#bodyHas);
      const count = this.line.read(target);
      if (count === NOTHING_YET) return MORE_TO_COME;
      if (count === 0) this.#ended = true;
      else if (this.#body !== undefined) this.#bodyHas += count;
      else if ((this.#headerHas += count) === HEADER_BYTES) this.#beginBody();
    }
    return AT_END;
  }

  #beginBody(): void {
    const length = this.#headerView.getUint32(0, true);
    if (length > this.#maxBytes) {
      this.#fault = `the other side announced a message of ${length} bytes, and the limit is ${this.#maxBytes}`;
      this.#ended = true;
      this.line.close();
      return;
    }
    // Not zeroed first; nothing of it is seen before it is filled.
    this.#body = length > 0 ? Buffer.allocUnsafeSlow(length) : new Uint8Array(0);
    this.#bodyHas = 0;
  }
}

/** A message as it goes over a line, in pieces. */
export function frame(kind: number, bytes: Uint8Array): Uint8Array[] {
  const joined = bytes.length <= JOINED_BYTES;
  const head = new Uint8Array(HEADER_BYTES + (joined ? bytes.length : 0));
  const view = new DataView(head.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, kind, true);
  if (joined) head.set(bytes, HEADER_BYTES);
  return joined ? [head] : [head, bytes];
}
