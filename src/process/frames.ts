/**
 * What parent and child tell each other over the control socket: frames of fixed size, some with a short message behind. A
 * long message stands in the mailbox, a file in memory that both have open.
 */

/** Types of frames. The child speaks first. */
export const FrameType = {
  /** Child: I listen. */
  ready: 1,
  /** Parent: you are a spare; load what you may need. */
  warm: 2,
  /** Parent: here is what to run. A message of `value` bytes. */
  go: 3,
  /** Child: here is what the target returned. A message of `value` bytes. */
  result: 4,
  /** Child: here is what it threw. A message of `value` bytes. */
  error: 5,
  /** Child: I end; value: the exit code. */
  exiting: 6,
  /** Child: where in the source is what this text names? A message of `value` bytes. */
  places: 7,
  /** Parent: you will be told what to run in less than a millisecond. */
  soon: 8,
} as const;

export interface Frame {
  readonly type: number;
  readonly value: number;
  /** The message, when it came with the frame; one that did not stands in the mailbox. */
  readonly inline?: Uint8Array | undefined;
}

/** Longest message that goes through the socket: it never blocks the writer, whose buffer holds several times as much. */
export const MAX_INLINE_BYTES: number = 32 * 1024;

const FRAME_BYTES = 16;
const MESSAGES: readonly number[] = [FrameType.go, FrameType.result, FrameType.error, FrameType.places];

/** True for a frame of a message that is in the mailbox. */
export function isInMailbox(byteLength: number): boolean {
  return byteLength > MAX_INLINE_BYTES;
}

/** What a spare loads while it waits: what any process needs, or also what a pool's worker needs. */
export const Warmth = { process: 0, worker: 1 } as const;

/** Added to what a spare is to load: it keeps its compiled code for the processes that are started after it. */
export const KEEP_CODE = 2;

export function packFrame(type: number, value = 0): Uint8Array {
  return new Uint8Array(Float64Array.of(type, value).buffer);
}

/** The frame of a message, with the message behind it if it is short. */
export function packMessage(type: number, message: Uint8Array): Uint8Array {
  const head = packFrame(type, message.length);
  if (isInMailbox(message.length)) return head;
  const bytes = new Uint8Array(FRAME_BYTES + message.length);
  bytes.set(head);
  bytes.set(message, FRAME_BYTES);
  return bytes;
}

/** Takes whole frames out of received bytes, and keeps what is left of the last one. */
export class FrameReader {
  #rest: Uint8Array = new Uint8Array(0);

  read(bytes: Uint8Array): Frame[] {
    let rest = this.#rest.length === 0 ? bytes : joined(this.#rest, bytes);
    const frames: Frame[] = [];
    for (;;) {
      if (rest.length < FRAME_BYTES) break;
      const [type, value] = new Float64Array(rest.slice(0, FRAME_BYTES).buffer) as unknown as [number, number];
      const carried = MESSAGES.includes(type) && !isInMailbox(value) ? value : 0;
      if (rest.length < FRAME_BYTES + carried) break;
      const inline = carried > 0 ? rest.slice(FRAME_BYTES, FRAME_BYTES + carried) : undefined;
      frames.push({ type, value, inline });
      rest = rest.subarray(FRAME_BYTES + carried);
    }
    this.#rest = rest.slice();
    return frames;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}
