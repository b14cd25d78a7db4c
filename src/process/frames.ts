/**
 * What parent and child tell each other over the control socket: frames of fixed size. Whatever is long stands in the
 * mailbox, a file in memory that both have open.
 */

/** Types of frames. The child speaks first. */
export const FrameType = {
  /** Child: I listen. */
  ready: 1,
  /** Parent: you are a spare; load what you may need. */
  warm: 2,
  /** Parent: here is what to run; value: its length in the mailbox. */
  go: 3,
  /** Child: I take the handles that the message brings. */
  taken: 7,
  /** Child: here is what the target returned; value: its length in the mailbox. */
  result: 4,
  /** Child: here is what it threw; value: its length in the mailbox. */
  error: 5,
  /** Child: I end; value: the exit code. */
  exiting: 6,
} as const;

export interface Frame {
  readonly type: number;
  readonly value: number;
}

export const FRAME_BYTES = 16;

export function packFrame(type: number, value = 0): Uint8Array {
  return new Uint8Array(Float64Array.of(type, value).buffer);
}

/** Takes whole frames out of received bytes, and keeps what is left of the last one. */
export class FrameReader {
  readonly #words = new Float64Array(FRAME_BYTES / 8);
  readonly #bytes: Uint8Array = new Uint8Array(this.#words.buffer);
  #filled = 0;

  read(bytes: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    for (const byte of bytes) {
      this.#bytes[this.#filled++] = byte;
      if (this.#filled < FRAME_BYTES) continue;
      this.#filled = 0;
      frames.push({ type: this.#words[0] as number, value: this.#words[1] as number });
    }
    return frames;
  }
}
