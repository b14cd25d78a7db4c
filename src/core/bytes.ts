/**
 * Where encoded values are written to and read from.
 *
 * The codec writes through a ByteSink without knowing whether the bytes stand in a ring in shared memory or on the heap;
 * rings hand out sinks without knowing the codec.
 */

/** A place to write to. The writer moves `position`, and asks for more room before it would pass `limit`. */
export interface ByteSink {
  /** The memory; `grow` may replace it. */
  bytes: Uint8Array;
  /** A view of the same memory as `bytes`, same offset and length. */
  view: DataView;
  /** Index into `bytes` of the next byte to write. */
  position: number;
  /** Index into `bytes` of the first byte that may not be written. */
  limit: number;
  /** Makes room for at least `extra` more bytes at `position`; keeps all that was written. */
  grow(extra: number): void;
}

/** Encoded bytes to read. `bytes` may be a window into shared memory: what is kept must be copied. */
export interface ByteSource {
  bytes: Uint8Array;
  view: DataView;
  position: number;
  limit: number;
}

/** Up to this size a sink grows by four: what it grows out of is memory that was touched, what it does not use yet is not. */
const GROWING_FAST = 1 << 20;

/** A sink on the heap that grows by itself; reusable. */
export class HeapSink implements ByteSink {
  bytes: Uint8Array;
  view: DataView;
  position = 0;
  limit: number;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.limit = capacity;
  }

  grow(extra: number): void {
    const { length } = this.bytes;
    const larger = new Uint8Array(Math.max(length * (length <= GROWING_FAST ? 4 : 2), this.position + extra));
    larger.set(this.bytes.subarray(0, this.position));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
    this.limit = larger.length;
  }

  /** What was written, as a copy of its own. */
  take(): Uint8Array {
    return this.bytes.slice(0, this.position);
  }
}

/** A source over bytes that somebody else owns. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    position: 0,
    limit: bytes.length,
  };
}
