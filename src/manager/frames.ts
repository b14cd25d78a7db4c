/** Cuts a stream of bytes into messages: each is its length in 4 bytes, and its bytes. */

export const LENGTH_BYTES = 4;

/** What has come and was not yet taken. */
export class Frames {
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;

  add(chunk: Buffer): void {
    if (this.#start === this.#end) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    this.#makeRoom(chunk.length);
    this.#end += chunk.copy(this.#bytes, this.#end);
  }

  /**
   * The next message; undefined until it is whole. Its bytes are good until the next `add`.
   * @throws {RangeError} If it is longer than `limit` bytes.
   */
  next(limit: number): Uint8Array | undefined {
    const held = this.#end - this.#start;
    if (held < LENGTH_BYTES) return undefined;
    const length = this.#bytes.readUInt32LE(this.#start);
    if (length > limit) throw new RangeError(`a message of ${length} bytes came, and ${limit} are allowed`);
    if (held < LENGTH_BYTES + length) return undefined;
    const from = this.#start + LENGTH_BYTES;
    this.#start = from + length;
    return this.#bytes.subarray(from, this.#start);
  }

  /** Doubles, so that a long message is copied twice at most, in however many pieces it comes. */
  #makeRoom(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const held = this.#end - this.#start;
    const bytes = Buffer.allocUnsafeSlow(Math.max(held + length, 2 * held));
    this.#bytes.copy(bytes, 0, this.#start, this.#end);
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = held;
  }
}
